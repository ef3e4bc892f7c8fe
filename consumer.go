package slipway

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/frontier"
	"github.com/slipway-go/slipway/internal/lane"
)

const (
	pollRecords    = 1_000
	commitInterval = time.Second
	commitTimeout  = 3 * time.Second
	restTime       = 5 * time.Second // of a partition that may not be fetched, before it is tried again
	leaveTimeout   = 3 * time.Second
	fetchWait      = 500 * time.Millisecond

	// Above softOpen open records the poll loop gives handlers time to catch
	// up before it polls again, but no longer than pollPatience: what is open
	// may be waiting for a retry, and other records must not wait with it.
	softOpen     = 4 * pollRecords
	pollPatience = 100 * time.Millisecond
)

// A consumer is one member of one group: it fetches, hands records to their
// lanes, and commits frontiers.
type consumer struct {
	app       *App
	group     string
	client    *kgo.Client
	endClient context.CancelFunc // ends what Close would wait for
	entries   map[string]*entry  // by topic on the cluster

	open atomic.Int64  // records of all partitions that are queued, waiting or in a handler
	room chan struct{} // told when open falls to half of softOpen

	fatal  error                   // ends the service; only the poll loop uses it
	failed map[topicPartition]bool // what fetchFailed told of; only the poll loop uses it

	mu    sync.Mutex
	owned map[topicPartition]*partition

	// committing is held while frontiers are read and sent, so that what is
	// sent later is never older. It is a channel to be waited for with a
	// context.
	committing chan struct{}
}

type topicPartition struct {
	topic string
	id    int32
}

// An entry is one consumed topic with its policy, handler and lanes.
type entry struct {
	*contract.Consume
	handler *handler
	reader  *reader
	lanes   *lane.Pool[laneKey, *work]
	dead    string // the dead-letter topic
}

// laneKey is what is kept in order: a key within a partition, a partition, or
// (for records without order) the record itself.
type laneKey struct {
	*partition
	key    string
	offset int64
}

func (e *entry) key(p *partition, rec *kgo.Record) laneKey {
	switch {
	case e.Order == contract.ByPartition:
		return laneKey{partition: p, offset: -1}
	case e.Order == contract.Unordered || rec.Key == nil:
		return laneKey{partition: p, offset: rec.Offset}
	default:
		return laneKey{partition: p, key: string(rec.Key), offset: -1}
	}
}

// newConsumers makes one consumer for each group of the contract.
func (a *App) newConsumers() ([]*consumer, error) {
	byGroup := make(map[string]*consumer)
	var consumers []*consumer
	for _, name := range slices.Sorted(maps.Keys(a.contract.Consumes)) {
		e := a.entries[name]
		group := a.contract.GroupID(e.Consume)
		c := byGroup[group]
		if c == nil {
			c = &consumer{
				app: a, group: group, entries: make(map[string]*entry), room: make(chan struct{}, 1), committing: make(chan struct{}, 1),
				failed: make(map[topicPartition]bool), owned: make(map[topicPartition]*partition),
			}
			byGroup[group] = c
			consumers = append(consumers, c)
		}
		e.lanes = lane.New(e.Concurrency, c.handle)
		c.entries[a.physical(e.Topic)] = e
	}
	for _, c := range consumers {
		if err := c.join(); err != nil {
			return nil, err
		}
	}
	return consumers, nil
}

// join makes the consumer's client, which joins the group by itself.
func (c *consumer) join() error {
	opts, err := c.app.commonOptions()
	if err != nil {
		return err
	}
	first := c.entries[slices.Min(slices.Collect(maps.Keys(c.entries)))]
	opts = append(opts,
		kgo.ConsumerGroup(c.group),
		kgo.ConsumeTopics(slices.Sorted(maps.Keys(c.entries))...),
		kgo.ConsumeStartOffset(startOffset(first.Start)),
		kgo.ConsumeResetOffset(resetOffset(first.Gap)),
		kgo.Balancers(kgo.CooperativeStickyBalancer()),
		kgo.DisableAutoCommit(),
		kgo.FetchMaxWait(fetchWait),
		kgo.BlockRebalanceOnPoll(),
		kgo.OnPartitionsAssigned(c.assigned),
		kgo.OnPartitionsRevoked(c.revoked),
		kgo.OnPartitionsLost(c.lost),
	)
	if first.Protocol == contract.Consumer {
		opts = append(opts, kgo.ServerSideBalancer())
	}
	if first.Preset == contract.Throughput {
		opts = append(opts, kgo.FetchMinBytes(64<<10), kgo.FetchMaxWait(500*time.Millisecond))
	}
	var life context.Context
	life, c.endClient = context.WithCancel(context.Background())
	c.client, err = kgo.NewClient(append(opts, kgo.WithContext(life))...)
	if err != nil {
		c.endClient()
		return fmt.Errorf("make client of group %s: %w", c.group, err)
	}
	return nil
}

// startOffset is where a partition without a commit begins.
func startOffset(s contract.Start) kgo.Offset {
	switch s {
	case contract.StartLatest:
		return kgo.NewOffset().AtEnd()
	case contract.StartRefuse:
		return kgo.NewOffset().AtCommitted()
	default:
		return kgo.NewOffset().AtStart()
	}
}

// resetOffset is where a partition goes on whose committed offset is gone.
func resetOffset(g contract.Gap) kgo.Offset {
	switch g {
	case contract.GapEarliest:
		return kgo.NewOffset().AtStart()
	case contract.GapLatest:
		return kgo.NewOffset().AtEnd()
	default:
		return kgo.NoResetOffset()
	}
}

// run consumes until ctx ends, then drains and leaves the group.
func (c *consumer) run(ctx context.Context) error {
	commits, stop := context.WithCancel(context.WithoutCancel(ctx))
	var committing sync.WaitGroup
	committing.Go(func() { c.commitEvery(commits, commitInterval) })
	for c.poll(ctx) {
		c.catchUp(ctx)
	}
	stop()
	committing.Wait()
	c.drain()
	defer time.AfterFunc(leaveTimeout, c.endClient).Stop() // a coordinator that is away must not hold up the shutdown
	c.client.Close()
	c.endClient()
	return c.fatal
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
	fetches.EachRecord(c.take)
	return c.fatal == nil
}

// catchUp waits for handlers while much is open. Pausing partitions bounds
// memory in the end, but a pause throws away what the client has fetched ahead,
// so a consumer that is merely fast should never come to it.
func (c *consumer) catchUp(ctx context.Context) {
	if c.open.Load() < softOpen {
		return
	}
	timer := time.NewTimer(pollPatience)
	defer timer.Stop()
	select {
	case <-c.room:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// closed uncounts a record that is no longer open here.
func (c *consumer) closed(w *work) {
	w.partition.remove(w.rec)
	if c.open.Add(-1) == softOpen/2 {
		select {
		case c.room <- struct{}{}:
		default:
		}
	}
}

// take puts a fetched record into its lane.
func (c *consumer) take(rec *kgo.Record) {
	p := c.partition(rec.Topic, rec.Partition)
	if p == nil {
		return // revoked; its next owner fetches it again
	}
	w := &work{rec: rec, partition: p, seq: p.frontier.Begin(frontier.Position{Offset: rec.Offset, Epoch: rec.LeaderEpoch})}
	p.add(rec)
	c.open.Add(1)
	p.entry.lanes.Add(p.entry.key(p, rec), w)
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
	log := c.app.log.With("group", c.group, "topic", topic, "partition", id)
	d := c.app.diagnose(err)
	switch {
	case c.gone(err):
		if p := c.partition(topic, id); p != nil {
			p.stop() // the client would ask again at once, for ever
		}
		d = diag.New(diag.RuntimePartitionStopped, "partition %s/%d: the committed offset was deleted by retention", topic, id)
	case d.Code != diag.KafkaDenied && (kerr.IsRetriable(err) || topic == ""):
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
	c.app.health.set(tp.String(), err.Error())
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
				c.app.health.set(tp.String(), "")
			}
		}
	})
}

// commitEvery commits what has moved until ctx ends.
func (c *consumer) commitEvery(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			bounded, cancel := context.WithTimeout(ctx, commitTimeout)
			c.commit(bounded, c.all)
			cancel()
		}
	}
}

func (c *consumer) all() []*partition {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Collect(maps.Values(c.owned))
}

// commit commits the frontiers that moved. What fails is tried again with the
// next commit.
func (c *consumer) commit(ctx context.Context, of func() []*partition) {
	select {
	case c.committing <- struct{}{}:
		defer func() { <-c.committing }()
	case <-ctx.Done():
		return
	}
	partitions := of()
	offsets := make(map[string]map[int32]kgo.EpochOffset)
	moved := make(map[topicPartition]*partition)
	for _, p := range partitions {
		at, ok := p.uncommitted()
		if !ok {
			continue
		}
		if offsets[p.topic] == nil {
			offsets[p.topic] = make(map[int32]kgo.EpochOffset)
		}
		offsets[p.topic][p.id] = kgo.EpochOffset{Epoch: at.Epoch, Offset: at.Offset}
		moved[p.topicPartition] = p
	}
	if len(offsets) == 0 {
		return
	}
	c.client.CommitOffsetsSync(ctx, offsets, c.committed(offsets, moved))
}

// drain lets no further handler start, waits for the running ones within the
// shutdown timeout and commits what they finished.
func (c *consumer) drain() {
	forced := c.settle(c.all(), c.app.cfg.Environment.ShutdownTimeout*2/3, ErrShutdown)
	c.commitLast(func() []*partition {
		partitions := c.all() // without those that a rebalance has taken meanwhile
		for _, p := range partitions {
			c.disown(p.asMap()) // leaving the group must not release them a second time
		}
		return partitions
	})
	if forced > 0 {
		c.app.log.Error("handlers outlived the drain budget; their records will be handled again",
			"code", diag.RuntimeDrainExceeded, "partitions", forced, "budget", c.app.cfg.Environment.ShutdownTimeout*2/3)
	}
}
