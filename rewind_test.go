package slipway

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/frontier"
)

func TestALogThatWasCutIsTold(t *testing.T) {
	t.Parallel()
	var said strings.Builder
	app := &App{log: slog.New(slog.NewTextHandler(&said, nil))}
	c := &consumer{app: app, link: app.newLink(contract.DefaultAlias)}
	p := newPartition(topicPartition{"orders", 0}, new(tap), nil)
	for _, at := range []frontier.Position{{Offset: 7, Epoch: 1}, {Offset: 3, Epoch: 2}} {
		c.places = []frontier.Position{at}
		c.begin(p, []*kgo.Record{{Offset: at.Offset, LeaderEpoch: at.Epoch}})
	}
	if !strings.Contains(said.String(), string(diag.RuntimeLogRewound)) {
		t.Errorf("a log that was cut is not told of: %s", said.String())
	}
}
