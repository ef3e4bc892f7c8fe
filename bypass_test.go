package slipway_test

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/internal/record"
	"github.com/slipway-go/slipway/slipwaytest"
)

func TestABatchThatUnpacksToTooMuchLeavesEvidenceAndStopsNothing(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("packs 70 MiB")
	}
	slipwaytest.Run(t, files("dead-letter"), ship(forward), func(t *testing.T, k *slipwaytest.Kit) {
		send := func(id string) { k.Send(orders, order{id, 1}, slipwaytest.Key(id), slipwaytest.Partition(0)) }
		send("before")
		bomber := k.Client(kgo.ProducerBatchCompression(kgo.GzipCompression()), kgo.ProducerBatchMaxBytes(80<<20), kgo.RecordPartitioner(kgo.ManualPartitioner()))
		defer bomber.Close()
		if err := bomber.ProduceSync(t.Context(), &kgo.Record{Topic: orders, Value: make([]byte, 70<<20)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
		send("after")
		k.Advance(time.Minute)
		k.RequireProduced(shipments, 2)
		k.RequireDeadLettered("shipper", orders, 1)
		letter := k.Records(k.DeadLetterTopic("shipper", orders))[0]
		for name, want := range map[string]string{record.Reason: record.Oversize, record.ErrorTopic: orders, record.ErrorOffset: "1"} {
			if got, _ := record.Get(letter.Headers, name); got != want {
				t.Errorf("header %s = %q, want %q", name, got, want)
			}
		}
		if lag := k.Lag("shipper"); lag != 0 {
			t.Errorf("lag = %d behind the batch, want none", lag)
		}
		if err := k.Ready("shipper"); err != nil {
			t.Errorf("Ready() = %v, want nothing", err)
		}
	})
}
