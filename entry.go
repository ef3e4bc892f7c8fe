package slipway

import (
	"hash/maphash"
	"log/slog"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/internal/lane"
	"github.com/slipway-go/slipway/internal/protect"
)

// An entry is one consumed topic with its policy, handler and lanes.
type entry struct {
	*contract.Consume
	*guard
	link       *link
	group      string
	handler    *handler
	reader     *reader
	meter      *entryMeter
	processing operation // that spans are of
	clock      *clock
	lanes      *lane.Pool[work]
	dead       string // the dead-letter topic
	letters    letters
	retry      string    // the retry topic, "" for none
	unkept     sync.Once // told that ids of handled records are not kept
}

// wake runs the heads again that something had held.
func (e *entry) wake() { e.lanes.Wake(func(w *work) bool { return !w.early() }) }

// breakerChanged tells of the breaker.
func (e *entry) breakerChanged(log *slog.Logger) func(from, to protect.State) {
	return func(_, to protect.State) {
		if to != protect.Open {
			log.Info("breaker changed", "topic", e.Topic, "state", to)
			return
		}
		e.meter.opened()
		log.Warn("breaker opened: nothing is handled until it lets a probe through", "topic", e.Topic, "until", e.gate.Breaker().Until())
	}
}

// seed makes lanes differ from process to process, so that nobody can write
// keys that collide.
var seed = maphash.MakeSeed()

// lane is what is kept in order: a key within a partition, a partition, or (for
// records without order) the record itself. Two keys of one hash share a lane,
// which costs them some parallelism and nothing else.
func (e *entry) lane(p *partition, rec *kgo.Record, offset int64) uint64 {
	switch {
	case e.Order == contract.ByPartition:
		return p.salt
	case e.Order == contract.Unordered && e.handler.many != nil:
		return p.salt + uint64(offset)/uint64(e.Batch)*oddly
	case e.Order == contract.Unordered || rec.Key == nil:
		return p.salt + uint64(offset)*oddly
	default:
		return p.salt ^ maphash.Bytes(seed, rec.Key)
	}
}

// oddly spreads consecutive numbers: an odd constant near 2⁶⁴/φ.
const oddly = 0x9E3779B97F4A7C15
