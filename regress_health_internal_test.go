package slipway

import (
	"errors"
	"log/slog"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/contract"
)

type Fetcher struct{}

func (Fetcher) PauseFetchPartitions(m map[string][]int32) map[string][]int32 { return m }
func (Fetcher) ResumeFetchPartitions(map[string][]int32)                     {}

func TestAHaltStaysInHealthThoughAnotherGroupGivesThePartitionUp(t *testing.T) {
	app := &App{log: slog.New(slog.DiscardHandler), contract: new(contract.Service)}
	app.health.up = true
	app.links = app.newLinks()
	tp := topicPartition{"orders", 0}
	member := func(group string) (*consumer, *partition) {
		c := &consumer{app: app, link: app.linkOf(""), group: group, owned: make(map[topicPartition]*partition)}
		p := newPartition(tp, Fetcher{}, &entry{Consume: &contract.Consume{}})
		c.owned[tp] = p
		return c, p
	}
	a, p := member("a")
	b, _ := member("b")
	a.halt(p, errors.New("offset 5"))
	if app.Ready() == nil {
		t.Fatal("Ready() = nil after a halt")
	}
	b.disown(tp.asMap())
	if app.Ready() == nil {
		t.Error("Ready() = nil: group b gave its partition up, and group a's still stands")
	}
	_ = kgo.Record{}
}
