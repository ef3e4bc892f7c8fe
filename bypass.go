package slipway

import (
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/internal/frontier"
	"github.com/slipway-go/slipway/internal/lane"
	"github.com/slipway-go/slipway/internal/record"
)

// bypass goes on behind a batch that would unpack to more than the client
// takes. Its records cannot be read, so evidence of it stands for them in the
// dead-letter topic: where it lies, and why. The frontier passes it once that
// is acknowledged. The bytes stay in the source topic.
func (c *consumer) bypass(p *partition, bomb *kgo.ErrDecompressTooLarge) {
	places := []frontier.Position{{Offset: bomb.Offset, Epoch: bomb.Epoch}}
	if last := bomb.NextOffset - 1; last > bomb.Offset {
		places = append(places, frontier.Position{Offset: last, Epoch: bomb.Epoch})
	}
	rec := &kgo.Record{Topic: p.topic, Partition: p.id, Offset: bomb.Offset, LeaderEpoch: bomb.Epoch, Timestamp: time.Now()}
	seq, _ := p.begin(places, []*kgo.Record{rec})
	for i := 1; i < len(places); i++ {
		p.frontier.Finish(seq + uint64(i))
	}
	w := work{rec: rec, partition: p, seq: seq, trouble: &trouble{verdict: bomb, reason: record.Oversize}}
	p.entry.lanes.Add([]lane.Item[work]{{Lane: p.entry.lane(p, rec, rec.Offset), Value: w}})
	c.client.SetOffsets(map[string]map[int32]kgo.EpochOffset{p.topic: {p.id: {Epoch: bomb.Epoch, Offset: bomb.NextOffset}}})
	if p.yard != nil {
		p.yard.passed(bomb.NextOffset)
	}
}
