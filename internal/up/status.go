package up

import (
	"context"
	"slices"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/kafka"
)

const (
	statusInterval   = time.Second
	registryInterval = 5 * time.Second
)

// A watch tells once a second how far every group is, and when the broker or
// the registry goes away and comes back.
type watch struct {
	groups   []groupWant
	look     func(ctx context.Context, ids ...string) ([]kafka.Group, error)
	ends     func(ctx context.Context, topics ...string) (map[string]int64, error)
	registry func(ctx context.Context) error
	observe  func(Event)

	before   map[string]int64 // records, by group
	dead     map[string]int64 // dead letters, by topic, as last seen
	measured time.Time
	lagged   bool
	away     map[string]bool
	asked    time.Time // when the registry was asked last
}

// run watches until the context ends.
func (w *watch) run(ctx context.Context) {
	w.before, w.away = map[string]int64{}, map[string]bool{}
	w.measured, w.asked = time.Now(), time.Now()
	tick := time.NewTicker(statusInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			w.step(ctx)
		}
	}
}

func (w *watch) step(ctx context.Context) {
	groups, err := bounded(ctx, func(ctx context.Context) ([]kafka.Group, error) { return w.look(ctx, ids(w.groups)...) })
	if ctx.Err() != nil {
		return
	}
	w.answered("broker", err)
	if err == nil {
		// After the groups: what is behind a group has left its dead letter.
		dead, err := bounded(ctx, func(ctx context.Context) (map[string]int64, error) { return w.ends(ctx, deadTopics(w.groups)...) })
		if err == nil {
			w.dead = dead
		}
		w.observe(w.status(groups))
	}
	if time.Since(w.asked) < registryInterval {
		return
	}
	w.asked = time.Now()
	_, err = bounded(ctx, func(ctx context.Context) (struct{}, error) { return struct{}{}, w.registry(ctx) })
	if ctx.Err() == nil {
		w.answered("registry", err)
	}
}

// bounded gives a question a few seconds: a status that is late is not worth
// waiting for.
func bounded[T any](ctx context.Context, ask func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*probeTimeout)
	defer cancel()
	return ask(ctx)
}

// answered tells of a change: of who no longer answers, and who does again.
func (w *watch) answered(what string, err error) {
	switch was := w.away[what]; {
	case err != nil && !was:
		w.observe(Away{Diagnostic: diag.Warn(diag.UpAway, "the %s does not answer; services wait for it", what).WithEvidence("%v", err)})
	case err == nil && was:
		w.observe(Back{What: what})
	}
	w.away[what] = err != nil
}

func (w *watch) status(groups []kafka.Group) Status {
	now := time.Now()
	seconds := max(now.Sub(w.measured).Seconds(), 0.001)
	w.measured = now
	var s Status
	lagging := false
	for i, g := range groups {
		records, lag := finished(g, w.groups[i].topics), lagOf(g, w.groups[i].topics)
		moved := max(records-w.before[g.ID], 0)
		if g.Err == nil {
			w.before[g.ID] = records
		}
		lagging = lagging || lag > 0
		s.Flowing = s.Flowing || moved > 0 || lag > 0
		s.Groups = append(s.Groups, Group{
			ID: g.ID, Service: w.groups[i].service, Records: w.before[g.ID], Rate: int64(float64(moved)/seconds + 0.5), Lag: lag,
			DeadLetters: deadLetters(w.groups[i], w.dead),
		})
	}
	// The last record is worth a line too: the one that says that no lag is left.
	s.Flowing = s.Flowing || w.lagged
	w.lagged = lagging
	return s
}

// finished is how many records of the topics are behind a group. The cluster is
// as old as the run, so offsets count from zero. What the group keeps in its
// retry topics are copies and marks, and no records of their own.
func finished(g kafka.Group, topics []string) int64 {
	var n int64
	for _, t := range g.Topics {
		if slices.Contains(topics, t.Topic) {
			n += t.Committed
		}
	}
	return n
}

// lagOf is how many records of the topics lie before a group. What is in its
// retry topics waits on purpose.
func lagOf(g kafka.Group, topics []string) int64 {
	var n int64
	for _, t := range g.Topics {
		if slices.Contains(topics, t.Topic) {
			n += t.Lag
		}
	}
	return n
}

// deadTopics are the topics of all groups' dead letters.
func deadTopics(groups []groupWant) []string {
	var all []string
	for _, g := range groups {
		all = append(all, g.dead...)
	}
	return all
}

// deadLetters is how many a group has, given the ends of the topics.
func deadLetters(g groupWant, ends map[string]int64) int64 {
	var n int64
	for _, topic := range g.dead {
		n += ends[topic]
	}
	return n
}

// deadLetters counts them when the services have stopped, by service. A
// cluster that does not answer is not waited for.
func (r *run) deadLetters(ctx context.Context, c *cluster) map[string]int64 {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), probeTimeout)
	defer cancel()
	ends, err := c.kafka.EndOffsets(ctx, deadTopics(r.groups)...)
	if err != nil {
		return nil
	}
	all := map[string]int64{}
	for _, g := range r.groups {
		if n := deadLetters(g, ends); n > 0 {
			all[g.service] += n
		}
	}
	return all
}
