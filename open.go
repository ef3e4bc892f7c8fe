package slipway

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/frontier"
	"github.com/slipway-go/slipway/internal/parking"
	"github.com/slipway-go/slipway/internal/record"
	"github.com/slipway-go/slipway/internal/retrylog"
)

const (
	openTimeout = 10 * time.Second
	openPause   = time.Second // between two attempts to open a partition
)

// open begins partitions that came to this instance: it reads what the group
// has committed of them, tells where they start, and takes over what waits in
// the retry topic. They are fetched once that is done.
func (c *consumer) open(partitions []*partition) {
	byTopic := make(map[string][]*partition)
	for _, p := range partitions {
		p.pause(opening)
		byTopic[p.topic] = append(byTopic[p.topic], p)
	}
	for topic, of := range byTopic {
		c.busy.Go(func() { c.openTopic(topic, of) })
	}
}

// openTopic opens partitions of one topic, and tries until it can or they are
// gone.
func (c *consumer) openTopic(topic string, partitions []*partition) {
	for len(partitions) > 0 {
		found, err := c.find(topic, partitions)
		if err == nil {
			for _, p := range partitions {
				c.busy.Go(func() { c.openPartition(p, found) })
			}
			return
		}
		for _, p := range partitions {
			c.cannotOpen(p, err)
		}
		if !c.rest(c.life, partitions[0].entry) {
			return
		}
		partitions = slices.DeleteFunc(partitions, func(p *partition) bool { return p.ended.Load() })
	}
}

// cannotOpen tells of a partition that stands still because it could not be
// opened.
func (c *consumer) cannotOpen(p *partition, err error) {
	if p.ended.Load() {
		return
	}
	c.openingDenied(p, err)
	silent := c.silent(p.opening(), err)
	c.tell(p.opening(), err.Error())
	if !silent {
		c.link.log.Error("partition cannot be opened, trying again", "code", diag.RuntimeOpenFailed,
			"group", c.group, "topic", p.topic, "partition", p.id, "error", err)
	}
}

func (tp topicPartition) opening() string { return "opening of " + tp.String() }

// found is what the cluster knows of a topic's partitions.
type found struct {
	life    string
	commits map[string]map[int32]retrylog.Commit
	bounds  map[int32]retrylog.Bounds
}

func (c *consumer) find(topic string, partitions []*partition) (found, error) {
	ctx, cancel := context.WithTimeout(c.life, openTimeout)
	defer cancel()
	topics := []string{topic}
	if retry := c.entries[topic].retry; retry != "" {
		topics = append(topics, retry)
	}
	var f found
	var err error
	if f.commits, err = c.link.retries.Offsets(ctx, c.group, topics...); err != nil {
		return f, err
	}
	ids := make([]int32, len(partitions))
	for i, p := range partitions {
		ids[i] = p.id
	}
	if f.bounds, err = c.link.retries.Bounds(ctx, topic, ids...); err != nil {
		return f, err
	}
	f.life, err = c.lifeOf(ctx, topic)
	return f, err
}

// lifeOf returns the id of a topic: another one if it was made anew.
func (c *consumer) lifeOf(ctx context.Context, topic string) (string, error) {
	req := kmsg.NewPtrMetadataRequest()
	t := kmsg.NewMetadataRequestTopic()
	t.Topic = &topic
	req.Topics = append(req.Topics, t)
	resp, err := c.client.RequestCachedMetadata(ctx, req, 0)
	if err != nil {
		return "", err
	}
	if len(resp.Topics) != 1 {
		return "", kerr.UnknownTopicOrPartition
	}
	return hex.EncodeToString(resp.Topics[0].TopicID[:]), kerr.ErrorForCode(resp.Topics[0].ErrorCode)
}

// openPartition begins one partition.
func (c *consumer) openPartition(p *partition, f found) {
	at, ok := f.commits[p.topic][p.id]
	var m frontier.Metadata
	if ok {
		m, _ = frontier.Decode(at.Metadata, at.Offset) // what is not ours, or of no use, costs repeats
		p.setCommitted(commit{at.Offset, at.Metadata, time.Now()})
	}
	p.ahead = m.Ahead
	p.frontier.Inherit(m.Ahead)
	p.low.Store(f.bounds[p.id].Start)
	p.high.Store(f.bounds[p.id].End)
	c.tellStart(p, at, ok, f.bounds[p.id])
	if p.entry.retry != "" && (ok || p.entry.Start != contract.StartRefuse) {
		if !ok {
			at = retrylog.Commit{Offset: startAt(p.entry.Start, f.bounds[p.id]), Epoch: -1}
		}
		for fence := m.Fence; ; {
			opened, highest := c.openYard(p, f, at, fence)
			if opened {
				break
			}
			if fence = max(fence, highest); !c.rest(p.ctx, p.entry) {
				return
			}
		}
	} else if !ok && p.entry.Start == contract.StartLatest && c.session == nil {
		c.pin(p, startAt(p.entry.Start, f.bounds[p.id]))
	}
	c.tell(p.opening(), "")
	if p.entry.paused.Load() {
		p.pause(held)
		if !p.entry.paused.Load() {
			p.resume(held) // it was let go just now
		}
	}
	if p.kept && (ok || p.entry.Start != contract.StartRefuse) {
		if !ok {
			at = retrylog.Commit{Offset: startAt(p.entry.Start, f.bounds[p.id]), Epoch: -1}
		}
		c.rewind(p, at)
	}
	p.ready.Store(true)
	p.resume(opening)
	c.recheck(p)
	if len(c.closedPartitions()) == 0 {
		c.underWay.Store(true)
	}
}

// recheck opens a partition again whose retry partition was cut just before it
// was ready.
func (c *consumer) recheck(p *partition) {
	select {
	case why := <-p.cut:
		c.reopen(p, why)
	default:
	}
}

// closedPartitions are those that are owned and not opened yet.
func (c *consumer) closedPartitions() []*partition {
	return slices.DeleteFunc(c.all(), func(p *partition) bool { return p.ready.Load() || p.ended.Load() })
}

// rewind has the client fetch a partition from where the group has it.
func (c *consumer) rewind(p *partition, at retrylog.Commit) {
	_ = c.serially(p.ctx, func() error {
		c.client.SetOffsets(map[string]map[int32]kgo.EpochOffset{p.topic: {p.id: {Epoch: at.Epoch, Offset: at.Offset}}})
		return nil
	})
}

// startAt is the offset where a partition without a commit starts.
func startAt(s contract.Start, b retrylog.Bounds) int64 {
	if s == contract.StartLatest {
		return b.End
	}
	return b.Start
}

// tellStart says where a partition starts and why (C08.13, C08.14).
func (c *consumer) tellStart(p *partition, at retrylog.Commit, committed bool, b retrylog.Bounds) {
	source, offset := "committed", at.Offset
	switch {
	case !committed && p.entry.Start == contract.StartRefuse:
		source, offset = "none", -1
	case !committed:
		source, offset = string(p.entry.Start), startAt(p.entry.Start, b)
	case at.Offset < b.Start || at.Offset > b.End:
		source = "gap-" + string(p.entry.Gap)
	}
	p.mu.Lock()
	p.startSource, p.startOffset = source, offset
	p.mu.Unlock()
	c.link.log.Info("partition starts", "group", c.group, "topic", p.topic, "partition", p.id,
		"from", source, "offset", offset, "log_start", b.Start, "log_end", b.End, "finished_ahead", p.ahead.Len())
}

// openYard takes over the retry partition: it raises the fence, so that nobody
// who thought to own it can commit, marks the log, and reads it up to its own
// mark. It reports false if that has to be tried again, above the highest fence
// that it has met: the source's commit may have lost it.
func (c *consumer) openYard(p *partition, f found, at retrylog.Commit, fence uint64) (opened bool, highest uint64) {
	from, effect := kgo.EpochOffset{Offset: -1, Epoch: -1}, uint64(0)
	place := topicPartition{p.entry.retry, p.id}
	if p.void.Swap(false) {
		p.afresh.Store(true)
	}
	if r, ok := f.commits[place.topic][place.id]; ok && !p.afresh.Load() {
		from = kgo.EpochOffset{Offset: r.Offset, Epoch: r.Epoch}
		if m, ok := frontier.Decode(r.Metadata, r.Offset); ok {
			effect = m.Fence
		}
	}
	y := &yard{
		consumer: c, partition: p, at: place, fence: max(fence, effect) + 1, life: f.life,
		log: c.link.retries, cache: c.cache, opened: make(chan struct{}), call: make(chan struct{}, 1),
	}
	mark, err := y.raise(at)
	if err != nil {
		c.cannotOpen(p, err)
		return false, y.fence - 1
	}
	if from.Offset > mark { // the mark would never be read
		c.link.log.Error("retry topic was made anew: what waited in the one before is lost", "code", diag.RuntimeRetryFailed,
			"group", c.group, "topic", y.at.topic, "partition", y.at.id, "committed", from.Offset, "end", mark)
		from, effect = kgo.EpochOffset{Offset: -1, Epoch: -1}, 0
	}
	y.lot = parking.New(parking.Config{Life: y.life, Fence: y.fence, Committed: effect, RetryFrom: max(from.Offset, 0), SourceFrom: at.Offset, Mark: mark, MaxTickets: maxTickets})
	p.yard = y // nobody looks before the partition is ready

	y.cache.DropPartition(y.at.topic, y.at.id) // what is kept may be of another topic of the same name
	follower := y.log.Follow(y.at.topic, y.at.id, from, y.read)
	context.AfterFunc(p.ctx, follower.Stop)
	if !y.awaitOpened() {
		follower.Stop()
		return false, y.fence
	}
	if y.lot.Superseded() {
		follower.Stop()
		return false, y.lot.Highest()
	}
	c.link.log.Info("retry partition taken over", "group", c.group, "topic", y.at.topic, "partition", y.at.id,
		"fence", y.fence, "waiting", y.lot.Stats().Tickets)
	c.busy.Go(func() { y.pump(p.ctx) })
	y.poke()
	return true, y.fence
}

// pin commits where a partition without a commit starts, so that whoever has it
// next does not start behind it.
func (c *consumer) pin(p *partition, offset int64) {
	ctx, cancel := context.WithTimeout(p.ctx, openTimeout)
	defer cancel()
	moved := progress{p.topicPartition: {commit{offset, "", time.Now()}, -1, p}}
	if err := c.serially(ctx, func() error { return c.send(ctx, moved) }); err != nil && p.ctx.Err() == nil {
		c.link.log.Warn("start could not be committed", "group", c.group, "topic", p.topic, "partition", p.id, "error", err)
	}
}

// raise commits the fence and appends its mark. It returns where that lies.
func (y *yard) raise(at retrylog.Commit) (int64, error) {
	l, r := y.consumer.link, toWrite(y.at.topic)
	if lacks := cmp.Or(l.denials.lacks(r), l.denials.lacks(toRead(y.at.topic))); lacks != nil {
		return 0, lacks
	}
	ctx, cancel := context.WithTimeout(y.partition.ctx, openTimeout)
	defer cancel()
	m := frontier.Metadata{Fence: y.fence, Ahead: y.partition.ahead}
	text, _ := m.Encode(maxMetadata)
	p := y.partition
	moved := progress{p.topicPartition: {commit{at.Offset, text, time.Now()}, at.Epoch, p}}
	if err := y.consumer.serially(ctx, func() error { return y.consumer.send(ctx, moved) }); err != nil {
		return 0, fmt.Errorf("raise fence: %w", err)
	}
	rec := parking.Encode(parking.Entry{Kind: parking.Fence, Fence: y.fence, Since: -1}, nil)
	rec.Topic, rec.Partition = y.at.topic, y.at.id
	if err := y.log.AppendSync(ctx, rec); err != nil {
		return 0, l.named(err, r) // the client may still be at the record
	}
	l.denials.succeeded(l, r)
	return rec.Offset, nil
}

// read takes in a record of the retry partition.
func (y *yard) read(rec *kgo.Record) {
	e, err := parking.Decode(rec)
	switch {
	case errors.Is(err, parking.ErrNotEntry):
		y.stray(rec, err)
		return
	case err != nil: // damaged, or of a later version: it may be the only copy of a record
		y.lot.Stray(rec.Offset) // for ever: nothing is committed beyond it
		y.consumer.halt(y.partition, fmt.Errorf("read %s/%d at offset %d: %w", rec.Topic, rec.Partition, rec.Offset, err))
		return
	}
	y.lot.Read(rec.Offset, e)
	switch {
	case y.lot.Ready():
		select {
		case <-y.opened:
			y.poke()
		default:
			close(y.opened)
		}
	case e.Kind == parking.Copy:
		y.cache.Put(rec)
	}
}

// stray keeps evidence of a record in the retry partition that is no entry.
func (y *yard) stray(rec *kgo.Record, why error) {
	done := y.lot.Stray(rec.Offset)
	c, p := y.consumer, y.partition
	c.link.log.Error("retry topic holds a record that is none of ours", "code", diag.RuntimeRetryForeign,
		"topic", rec.Topic, "partition", rec.Partition, "offset", rec.Offset, "error", why)
	if !p.entry.DeadLetters() {
		c.halt(p, fmt.Errorf("%s/%d at offset %d: %w", rec.Topic, rec.Partition, rec.Offset, why))
		return
	}
	w := &work{rec: rec, partition: p, trouble: &trouble{verdict: why, reason: record.Foreign, life: y.life}}
	c.busy.Go(func() {
		for {
			err := c.bury(w)
			if err == nil {
				done()
				return
			}
			if !waitFor(p.ctx, w.hurdle()) {
				return
			}
		}
	})
}

// waitFor reports whether a time passed before ctx ended.
func waitFor(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// openRetries makes the clients that work the retry topics, and that ask what
// groups have committed.
func (l *link) openRetries() error {
	common, err := l.clientOptions()
	if err != nil {
		return err
	}
	common = append(common, kgo.MetadataMinAge(time.Second)) // the least that asks twice a second for a topic that is denied
	l.retries, err = retrylog.Open(retrylog.Config{Client: common, Trouble: l.retryTrouble, Denied: l.mayNotRead, BatchBytes: func(string) int32 { return maxBatchBytes }})
	return err
}

// mayNotRead reports whether a topic is denied at the moment.
func (l *link) mayNotRead(topic string) bool { return l.denials.lacks(toRead(topic)) != nil }

// retryTrouble tells of a retry partition that cannot be read.
func (l *link) retryTrouble(topic string, id int32, err error) {
	thing := "reading of " + topicPartition{topic, id}.String()
	if err == nil {
		l.tell(reaching, thing, "")
		return
	}
	if errors.Is(err, kgo.ErrClientClosed) {
		return // the service ends
	}
	if gap, ok := errors.AsType[*retrylog.GapError](err); ok {
		l.log.Error("retry topic has a gap", "code", diag.RuntimeRetryFailed, "error", err)
		if gap.Anew || gap.To < gap.From {
			l.reopenRetries(topicPartition{topic, id}, gap)
		}
		return
	}
	if l.refused(err, toRead(topic)) != nil {
		return // health knows of the right
	}
	l.tell(reaching, thing, err.Error())
	l.log.Error("retry topic cannot be read, trying again", "code", diag.RuntimeRetryFailed, "topic", topic, "partition", id, "error", err)
}

// all copies what is owned.
func (c *consumer) all() []*partition {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Collect(maps.Values(c.owned))
}

// reopenRetries opens the partition anew whose retry partition was cut: what it
// knows of what waits no longer holds.
func (l *link) reopenRetries(at topicPartition, gap *retrylog.GapError) {
	l.health.mu.Lock()
	members := l.health.members
	l.health.mu.Unlock()
	for _, c := range members {
		if c.link != l {
			continue
		}
		for _, p := range c.all() {
			if p.entry.retry == at.topic && p.id == at.id {
				c.recut(p, gap)
			}
		}
	}
}
