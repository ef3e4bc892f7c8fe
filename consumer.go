package slipway

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/frontier"
	"github.com/slipway-go/slipway/internal/lane"
	"github.com/slipway-go/slipway/internal/retrylog"
)

const (
	pollRecords  = 1_000
	restTime     = 5 * time.Second // of a partition that may not be fetched, before it is tried again
	leaveTimeout = 3 * time.Second
	fetchWait    = 500 * time.Millisecond

	// Above softOpen open records, or some for each handler that may run, the
	// poll loop gives handlers time to catch up before it polls again, but no
	// longer than pollPatience: what is open may be waiting for a retry, and
	// other records must not wait with it.
	softOpen     = 4 * pollRecords
	openAhead    = 8
	pollPatience = 100 * time.Millisecond
	roomInterval = 64 // records of a partition between two looks for room

	cacheBytes = 32 << 20 // of the copies in retry topics that wait for their turn
)

// A consumer is one member of one group: it fetches, hands records to their
// lanes, and commits frontiers.
type consumer struct {
	app       *App
	link      *link // to the cluster that the group is on
	group     string
	client    *kgo.Client
	life      context.Context    // of the client
	endClient context.CancelFunc // ends what Close would wait for
	busy      sync.WaitGroup     // what works for partitions beside their handlers
	entries   map[string]*entry  // by topic on the cluster

	soft    atomic.Int64  // the open records above which polling waits for handlers
	wanting atomic.Bool   // the poll loop waits for room
	room    chan struct{} // told when open records have fallen to half of soft
	items   []lane.Item[work]
	places  []frontier.Position

	fatal  error                   // ends the service; only the poll loop uses it
	failed map[topicPartition]bool // what fetchFailed told of; only the poll loop uses it

	mu       sync.Mutex
	owned    map[topicPartition]*partition
	placed   atomic.Bool  // partitions were assigned for the first time, be it none
	underWay atomic.Bool  // the first partitions were opened
	out      atomic.Bool  // the group has it no more, and not again yet
	absent   atomic.Int64 // since when somebody has seen it out of the group; 0 for in it
	pulse    pulse
	draining bool // what is assigned from now on is not begun

	meter   *groupMeter
	session *session // nil where records are not handled in transactions
	lease   *lease
	cache   *retrylog.Cache

	// committing is held while frontiers are read and sent, so that what is
	// sent later is never older. It is a channel to be waited for with a
	// context.
	committing chan struct{}
}

type topicPartition struct {
	topic string
	id    int32
}

// newConsumers makes one consumer for each group of the contract.
func (a *App) newConsumers() ([]*consumer, error) {
	type membership struct {
		link  *link
		group string
	}
	byGroup := make(map[membership]*consumer)
	var consumers []*consumer
	for _, name := range slices.Sorted(maps.Keys(a.entries)) {
		e := a.entries[name]
		group := a.contract.GroupID(e.Consume)
		c := byGroup[membership{e.link, group}]
		if c == nil {
			c = &consumer{
				app: a, link: e.link, group: group, entries: make(map[string]*entry), room: make(chan struct{}, 1), committing: make(chan struct{}, 1),
				failed: make(map[topicPartition]bool), owned: make(map[topicPartition]*partition),
				meter: a.meter.group(group, e.link.names()...), cache: retrylog.NewCache(cacheBytes),
			}
			c.soft.Store(softOpen)
			c.session = newSession(c, e.Group)
			byGroup[membership{e.link, group}] = c
			consumers = append(consumers, c)
		}
		c.equip(e)
		c.expect(e.Concurrency)
		c.entries[e.link.physical(e.Topic)] = e
	}
	for i, c := range consumers {
		if err := c.join(); err != nil {
			for _, joined := range consumers[:i] {
				joined.leave()
			}
			return nil, err
		}
	}
	return consumers, nil
}

// equip gives an entry what it needs while it is consumed.
func (c *consumer) equip(e *entry) {
	e.clock = newClock()
	e.lanes = lane.New(e.Concurrency, c.handle)
	e.guard = newGuard(e.Consume, e.wake, e.breakerChanged(c.link.log))
	e.dog = c.newWatchdog()
	e.processing = c.processing(e)
	e.meter = c.app.meter.entry(c.group, e.Topic, c.app.contract.SLO.FreshnessP99 > 0, c.link.names()...)
	if e.handler.many != nil {
		e.lanes.Batch(e.Batch)
	}
}

// run consumes until ctx ends, then drains and leaves the group.
func (c *consumer) run(ctx context.Context) error {
	commits, stop := context.WithCancel(context.WithoutCancel(ctx))
	var committing sync.WaitGroup
	committing.Go(func() {
		if c.session != nil {
			c.session.every(commits)
			return
		}
		c.commitEvery(commits, commitInterval)
	})
	for c.poll(ctx) {
		c.catchUp(ctx)
	}
	stop()
	committing.Wait()
	c.drain()
	c.leave()
	for _, e := range c.entries {
		e.gate.Close()
		e.dog.Close()
	}
	return c.fatal
}

// leave leaves the group and ends the client.
func (c *consumer) leave() {
	defer time.AfterFunc(leaveTimeout, c.endClient).Stop() // a coordinator that is away must not hold up the shutdown
	c.client.Close()
	c.endClient()
	c.lease.close()
	c.busy.Wait()
	if c.session != nil {
		c.session.close()
	}
}

// poll fetches once and reports whether to go on. No rebalance happens between
// the fetch and the lanes, so a record is never taken for a partition that has
// gone and come back.
func (c *consumer) poll(ctx context.Context) bool {
	fetches := c.client.PollRecords(ctx, pollRecords)
	defer c.client.AllowRebalance()
	if ctx.Err() != nil || fetches.IsClientClosed() {
		return false
	}
	fetches.EachError(c.fetchFailed)
	c.recover(fetches)
	fetches.EachPartition(c.take)
	return c.fatal == nil
}

// take puts the records fetched from a partition into their lanes.
func (c *consumer) take(fetched kgo.FetchTopicPartition) {
	p := c.partition(fetched.Topic, fetched.Partition)
	if p == nil || p.kept && !p.ready.Load() {
		return // revoked, or of an earlier life: it is fetched again
	}
	if fetched.HighWatermark > 0 {
		p.high.Store(fetched.HighWatermark)
		p.low.Store(fetched.LogStartOffset)
	}
	if len(fetched.Records) == 0 {
		return
	}
	e := p.entry
	e.meter.fetched(len(fetched.Records))
	c.places = c.places[:0]
	for _, rec := range fetched.Records {
		c.places = append(c.places, frontier.Position{Offset: rec.Offset, Epoch: rec.LeaderEpoch})
	}
	seq := c.begin(p, fetched.Records)
	c.items = c.items[:0]
	for i, rec := range fetched.Records {
		w := work{rec: rec, partition: p, seq: seq + uint64(i)}
		if p.ahead.Contains(c.places[i]) {
			p.frontier.Finish(w.seq) // an earlier owner has finished it
			p.leave(rec)
			continue
		}
		c.items = append(c.items, lane.Item[work]{Lane: e.lane(p, rec, rec.Offset), Value: w})
	}
	e.lanes.Add(c.items)
	if p.yard != nil {
		p.yard.passed(c.places[len(c.places)-1].Offset + 1)
	}
}

// begin counts fetched records and returns the sequence number of the first.
func (c *consumer) begin(p *partition, records []*kgo.Record) uint64 {
	seq, back := p.begin(c.places, records)
	if back != nil {
		c.link.log.Error("the log was cut behind the consumer, records are handled again from there", "code", diag.RuntimeLogRewound,
			"group", c.group, "topic", p.topic, "partition", p.id, "rewind", *back)
	}
	return seq
}

// expect makes room for so many handlers at a time.
func (c *consumer) expect(workers int) {
	for {
		soft := c.soft.Load()
		if int64(openAhead*workers) <= soft || c.soft.CompareAndSwap(soft, int64(openAhead*workers)) {
			return
		}
	}
}

// catchUp waits for handlers while much is open. Pausing partitions bounds
// memory in the end, but a pause throws away what the client has fetched ahead,
// so a consumer that is merely fast should never come to it.
func (c *consumer) catchUp(ctx context.Context) {
	if c.load() < int(c.soft.Load()) {
		return
	}
	select {
	case <-c.room: // of an earlier wait
	default:
	}
	c.wanting.Store(true)
	defer c.wanting.Store(false)
	timer := time.NewTimer(pollPatience)
	defer timer.Stop()
	if c.load() <= int(c.soft.Load())/2 {
		return
	}
	select {
	case <-c.room:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// open counts the records that are queued, waiting or in a handler.
func (c *consumer) load() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, p := range c.owned {
		records, _ := p.open.get()
		n += records
	}
	return n
}

// closed uncounts a record that is no longer open here.
func (c *consumer) closed(w *work) {
	left := w.partition.leave(w.rec)
	if left%roomInterval == 0 && c.wanting.Load() && c.load() <= int(c.soft.Load())/2 {
		select {
		case c.room <- struct{}{}:
		default:
		}
	}
}

func (c *consumer) partition(topic string, id int32) *partition {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.owned[topicPartition{topic, id}]
}

// fetchFailed tells of a partition, or a group, that cannot be fetched. The
// client goes on trying; what cannot mend itself turns health red until records
// come again.
func (c *consumer) fetchFailed(topic string, id int32, err error) {
	log := c.link.log.With("group", c.group, "topic", topic, "partition", id)
	if bomb, ok := errors.AsType[*kgo.ErrDecompressTooLarge](err); ok {
		if p := c.partition(topic, id); p != nil && !p.ended.Load() {
			c.bypass(p, bomb)
		}
		return
	}
	if c.denied(topic, id, err) {
		return
	}
	d := c.link.diagnose(err)
	switch {
	case c.gone(err):
		if p := c.partition(topic, id); p != nil {
			p.stop() // the client would ask again at once, for ever
		}
		d = diag.New(diag.RuntimePartitionStopped, "partition %s/%d: the committed offset was deleted by retention", topic, id)
	case kerr.IsRetriable(err) || topic == "":
		log.Warn("fetch failed, trying again", "error", err)
		return
	}
	if strings.Contains(err.Error(), "no prior committed offset") { // the client has no other word for it
		c.fatal = diag.New(diag.RuntimeNoCommit, "group %s has no committed offset for partition %s/%d, and the contract says start: refuse", c.group, topic, id).
			At(c.app.contract.Position("consumes/" + c.entries[topic].Name))
		return
	}
	tp := topicPartition{topic, id}
	if !c.failed[tp] {
		log.Error("partition stands still", "code", d.Code, "error", err, "fix", d.Remedy())
	}
	c.failed[tp] = true
	c.halted(tp.String(), err.Error())
	if p := c.partition(topic, id); p != nil && !c.gone(err) {
		p.rest(restTime) // the client would ask again at once
	}
}

// recover clears what fetchFailed noted of partitions that have records again.
// A group that has any was let in.
func (c *consumer) recover(fetches kgo.Fetches) {
	if len(c.failed) == 0 {
		return
	}
	fetches.EachPartition(func(p kgo.FetchTopicPartition) {
		if len(p.Records) == 0 {
			return
		}
		for _, tp := range []topicPartition{{p.Topic, p.Partition}, {"", p.Partition}, {"", -1}, {"", 0}} {
			if c.failed[tp] {
				delete(c.failed, tp)
				c.tell(tp.String(), "")
			}
		}
	})
}

// drain lets no further handler start, waits for the running ones within the
// shutdown timeout and commits what they finished.
func (c *consumer) drain() {
	c.mu.Lock()
	c.draining = true
	c.mu.Unlock()
	forced := c.settle(c.all(), c.app.cfg.Environment.ShutdownTimeout*2/3, ErrShutdown)
	c.commitLast(func() []*partition {
		partitions := c.all() // without those that a rebalance has taken meanwhile
		for _, p := range partitions {
			c.disown(p.asMap()) // leaving the group must not release them a second time
		}
		return partitions
	})
	if forced > 0 {
		c.link.log.Error("handlers outlived the drain budget; their records will be handled again",
			"code", diag.RuntimeDrainExceeded, "partitions", forced, "budget", c.app.cfg.Environment.ShutdownTimeout*2/3)
	}
}
