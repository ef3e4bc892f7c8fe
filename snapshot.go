package slipway

import (
	"fmt"
	"time"

	"github.com/slipway-go/slipway/internal/lag"
)

// lagEvery is how often a partition's progress is noted. A window of ten of
// them decides whether it moves.
const lagEvery = 30 * time.Second

// watch notes how far partitions have come and whether they are stuck. It runs
// with every commit.
func (c *consumer) watch(now time.Time) {
	for _, p := range c.all() {
		if !p.ready.Load() {
			continue
		}
		p.note(now)
		c.judgeHead(p, now)
		if p.yard != nil {
			p.yard.lookAhead(now)
		}
	}
}

// note adds a sample to the partition's window when it is time for one.
func (p *partition) note(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Sub(p.noted) < lagEvery {
		return
	}
	p.noted = now
	p.window.Add(p.sample(now))
}

// sample is the partition's progress. The lock is held.
func (p *partition) sample(now time.Time) lag.Sample {
	at, ok := p.frontier.Position()
	if !ok {
		at.Offset = p.committed.offset
	}
	return lag.Sample{At: now, Committed: at.Offset, Start: p.low.Load(), End: p.high.Load()}
}

// judgeHead tells health of a partition whose first unfinished record is in hand
// for too long. What waits on purpose is not stuck: a breaker, an operator, a
// retry that is not due.
func (c *consumer) judgeHead(p *partition, now time.Time) {
	bound := p.entry.Stuck
	if bound <= 0 {
		return
	}
	at, since, ok := p.frontier.Head()
	stuck := ok && now.Sub(since) > bound && p.paused()&(held|stopped) == 0 && !p.entry.waits() && !c.lease.over.Load()
	if stuck != p.stuck {
		p.stuck = stuck
		problem := ""
		if stuck {
			problem = fmt.Sprintf("record at offset %d is in hand since %s", at.Offset, since.UTC().Format(time.RFC3339))
			c.link.log.Error("partition is stuck", "group", c.group, "topic", p.topic, "partition", p.id, "offset", at.Offset, "since", since)
		}
		c.tell(p.stuckness(), problem)
	}
}

func (tp topicPartition) stuckness() string { return "progress of " + tp.String() }

// snapshot is the consumer's state for whoever collects metrics.
func (c *consumer) snapshot() groupSnapshot {
	s := groupSnapshot{group: c.group, of: c.link.names()}
	now := time.Now()
	entries := make(map[*entry]*entrySnapshot)
	for _, e := range c.entries {
		stats := e.lanes.Stats()
		entries[e] = &entrySnapshot{
			topic: e.Topic, running: stats.Running, lanes: stats.Lanes, breaker: e.gate.Breaker().State(),
		}
		entries[e].deadLetters, entries[e].oldestDeadAge = e.letters.get(now)
	}
	for _, p := range c.all() {
		e := entries[p.entry]
		records, bytes := p.open.get()
		e.records += records
		e.bytes += int64(bytes)
		if p.ready.Load() {
			p.backlog(e, now)
			s.partitions = append(s.partitions, p.snapshot(now))
		}
	}
	for _, e := range entries {
		s.entries = append(s.entries, *e)
	}
	return s
}

// backlog adds what waits in the retry topic.
func (p *partition) backlog(e *entrySnapshot, now time.Time) {
	if p.yard == nil {
		return
	}
	st := p.yard.lot.Stats()
	e.parked.add(st.Parked, st.ParkedSince, now)
	e.waiting.add(st.Keys-st.Parked, st.WaitingSince, now)
	e.waiting.records += st.Tickets
}

// add adds the keys of a partition.
func (b *backlog) add(keys int, since, now time.Time) {
	if keys == 0 {
		return
	}
	age := unknownAge
	if !since.IsZero() {
		age = max(0, now.Sub(since))
	}
	if b.keys > 0 {
		age = max(age, b.age)
	}
	b.keys, b.age = b.keys+keys, age
}

// unknownAge is that of keys of which nobody knows since when they wait.
const unknownAge = time.Duration(-1)

func (p *partition) snapshot(now time.Time) partitionSnapshot {
	_, since, open := p.frontier.Head()
	p.mu.Lock()
	defer p.mu.Unlock()
	sample := p.sample(now)
	s := partitionSnapshot{
		topic: p.entry.Topic, id: p.id, lag: sample.Records(), behind: -1, status: p.window.Status(), paused: p.why != 0,
		startOffset: p.startOffset, startSource: p.startSource,
	}
	if seconds, ok := p.window.Seconds(); ok || seconds > 0 {
		s.behind = time.Duration(seconds * float64(time.Second))
	}
	if open {
		s.headAge = now.Sub(since)
	}
	return s
}
