package slipway

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/spill"
)

// What is taken from a queue at a time. It bounds the memory of a replay, what
// it takes of the topic's buffer, and what is written twice after a crash.
const (
	carryRecords = 1000
	carryBytes   = 4 << 20
)

// A carrier writes what a queue gives back to the cluster, a group at a time and
// in its order, and acknowledges it to the queue. It never gives up a record.
type carrier struct {
	pipe   *pipe
	queue  *spill.Queue
	thing  string // as health calls it
	oldest atomic.Int64
	wrote  atomic.Int64
	tries  int // that failed, one after the other

	closed chan struct{}
	late   sync.WaitGroup // groups that a shutdown has left to the client
	said   string
}

func newCarrier(q *pipe, queue *spill.Queue, thing string) *carrier {
	return &carrier{pipe: q, queue: queue, thing: thing, closed: make(chan struct{})}
}

// A group is items on their way.
type group struct {
	items   []spill.Item
	errs    []error
	left    atomic.Int64
	settled chan struct{}
}

// all writes items until the cluster has all of them or ctx ends. A group that
// failed in part is written again in its order, without what was acknowledged.
func (c *carrier) all(ctx context.Context, items []spill.Item) {
	defer c.oldest.Store(0)
	for len(items) > 0 {
		c.oldest.Store(items[0].At.UnixNano())
		g := c.start(ctx, items)
		select {
		case <-g.settled:
		case <-ctx.Done():
			c.late.Go(func() { c.await(g) })
			return
		}
		var err error
		if items, err = c.settle(g); err != nil {
			if ctx.Err() != nil {
				return
			}
			c.complain(err)
			c.pause(ctx)
			continue
		}
		c.tell("")
	}
}

// start hands a group to the client. Its records have no timeout of their own: a
// record that may have been written is not written again before the client
// knows.
func (c *carrier) start(ctx context.Context, items []spill.Item) *group {
	g := &group{items: items, errs: make([]error, len(items)), settled: make(chan struct{})}
	g.left.Store(int64(len(items)))
	for i := range items {
		it := &items[i]
		rec := &kgo.Record{Topic: it.Topic, Key: it.Key, Value: it.Value, Headers: it.Headers, Timestamp: it.Time}
		c.pipe.send(ctx, &sending{rec: rec, patient: true, span: c.pipe.resume(ctx, rec), done: func(_ *kgo.Record, err error) {
			g.errs[i] = err
			if g.left.Add(-1) == 0 {
				close(g.settled)
			}
		}}, false)
	}
	return g
}

// settle acknowledges what was written of a group, and returns the rest with
// what kept the first of it.
func (c *carrier) settle(g *group) (rest []spill.Item, why error) {
	var done []spill.Item
	for i, err := range g.errs {
		switch {
		case err == nil:
			done = append(done, g.items[i])
			continue
		case why == nil:
			why = err
		}
		rest = append(rest, g.items[i])
	}
	c.wrote.Add(int64(len(done)))
	if err := c.queue.Ack(done...); err != nil {
		c.pipe.link.log.Warn("what was written is not marked on disk, and is written again after a restart",
			"code", diag.SpillFailed, "topic", c.pipe.physical, "records", len(done), "error", err)
	}
	return rest, why
}

// await acknowledges what the client still writes while the service stops.
func (c *carrier) await(g *group) {
	select {
	case <-g.settled:
	case <-c.closed:
		select {
		case <-g.settled:
		default:
			return
		}
	}
	_, _ = c.settle(g) // what is left stays on disk
}

// close ends the carrying, once the client's buffer was flushed.
func (c *carrier) close() {
	close(c.closed)
	c.late.Wait()
}

const maxCarryWait = 30 * time.Second

// pause waits before another try, longer each time.
func (c *carrier) pause(ctx context.Context) {
	wait := min(100*time.Millisecond<<min(c.tries, 10), maxCarryWait)
	c.tries++
	select {
	case <-time.After(wait):
	case <-ctx.Done():
	}
}

// complain says once what keeps records on disk. That the cluster is away is
// said elsewhere.
func (c *carrier) complain(err error) {
	if errors.Is(err, ErrDeliveryTimeout) || errors.Is(err, ErrNotRunning) {
		return
	}
	if c.said != err.Error() {
		c.pipe.link.log.Error("records on disk cannot be written, they stay there", "code", diag.SpillStuck, "topic", c.pipe.physical, "error", err)
	}
	c.tell(err.Error())
}

// tell keeps health true.
func (c *carrier) tell(problem string) {
	if problem == "" {
		c.tries = 0
	}
	if c.said != problem {
		c.said = problem
		c.pipe.link.tell(private, c.thing, problem)
	}
}

// age is how long the oldest record waits that is known.
func (c *carrier) age(now time.Time) time.Duration {
	if at := c.oldest.Load(); at != 0 {
		return now.Sub(time.Unix(0, at))
	}
	return 0
}
