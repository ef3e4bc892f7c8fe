package group

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/internal/lag"
)

// Lag looks at groups once, in the order of their names. One look is enough to
// see that nobody reads, or that an offset is not in the log; whether a reader
// is slow or stuck takes a [Monitor].
func (a *Admin) Lag(ctx context.Context, groups ...string) ([]Report, error) {
	return a.Monitor(nil).Look(ctx, groups...)
}

// Names are the groups of the cluster that may be seen, sorted.
func (a *Admin) Names(ctx context.Context) ([]string, error) {
	return a.cluster.GroupNames(ctx)
}

// A Monitor remembers what it saw, so that it can tell a slow reader from a
// stuck one. It is safe for concurrent use.
type Monitor struct {
	admin *Admin
	retry map[string]map[string]string

	mu      sync.Mutex
	windows map[key]*lag.Window
}

type key struct {
	group string
	kafka.Partition
}

// Monitor returns a monitor that has seen nothing. Retry names, for each group,
// the retry topics of its topics where they are known, as in [Seek].
func (a *Admin) Monitor(retry map[string]map[string]string) *Monitor {
	return &Monitor{admin: a, retry: retry, windows: map[key]*lag.Window{}}
}

// lookAtOnce is how many groups are looked at side by side.
const lookAtOnce = 8

// Look looks at groups once more. A group that cannot be looked at has a
// Problem in its report; the error is for what concerns all of them.
func (m *Monitor) Look(ctx context.Context, groups ...string) ([]Report, error) {
	reports := make([]Report, len(groups))
	var wg sync.WaitGroup
	free := make(chan struct{}, lookAtOnce)
	for i, id := range groups {
		wg.Go(func() {
			free <- struct{}{}
			defer func() { <-free }()
			reports[i] = m.look(ctx, id)
		})
	}
	wg.Wait()
	return reports, context.Cause(ctx)
}

func (m *Monitor) look(ctx context.Context, id string) Report {
	s, err := m.admin.read(ctx, id)
	if err != nil {
		return failed(id, err)
	}
	names := slices.Sorted(maps.Keys(s.topics))
	retry := valuesOf(retryTopics(names, m.retry[id]))
	r := Report{
		Group: id, Protocol: string(s.Protocol), State: s.State, Assignor: s.Assignor,
		Members: []Member{}, Partitions: []Partition{}, Topics: s.shares(names, retry),
	}
	for _, member := range s.Members {
		r.Members = append(r.Members, s.member(member))
	}
	var statuses []lag.Status
	for _, topic := range names {
		for _, at := range s.partitions(topic) {
			p := m.partition(s, at, slices.Contains(retry, topic))
			r.Partitions = append(r.Partitions, p)
			if p.Retry {
				r.Retry += p.Lag
				continue
			}
			r.Lag += p.Lag
			statuses = append(statuses, p.Status)
		}
	}
	r.Status = lag.Worst(statuses...)
	m.admin.stamp(ctx, s, &r)
	if err := m.admin.known(ctx, s); err != nil {
		r.Problem = &diag.Of(err)[0]
	}
	return r
}

func failed(id string, err error) Report {
	r := Report{Group: id, Status: lag.Unsure, Members: []Member{}, Topics: []Share{}, Partitions: []Partition{}}
	d := diag.New(diag.KafkaRefused, "look at group %s: %v", id, err)
	if known := diag.Of(err); len(known) > 0 {
		d = known[0]
	}
	r.Problem = &d
	return r
}

func (s *state) member(m kafka.Member) Member {
	n := 0
	for _, ids := range m.Assigned {
		n += len(ids)
	}
	return Member{ID: m.ID, Instance: m.Instance, Client: m.Client, Host: m.Host, Partitions: n}
}

// partition is one place, judged with what was seen of it before. In a retry
// topic nobody is a member, and waiting is no fault, so it is not judged.
func (m *Monitor) partition(s *state, at kafka.Partition, retry bool) Partition {
	b, pos := s.bounds[at], s.position(at)
	sample := lag.Sample{At: s.at, Committed: pos.Offset, Start: b.Start, End: b.End}
	p := Partition{
		Topic: at.Topic, Partition: at.ID, Committed: pos.Offset, Start: b.Start, End: b.End,
		Lag: sample.Records(), Retry: retry, Status: lag.OK,
	}
	if n, ok := s.shareLag[at]; ok { // less what is acknowledged ahead of the start
		p.Lag, sample.Committed = n, b.End-n
	}
	for _, holder := range s.Holder(at.Topic, at.ID) {
		p.Members = append(p.Members, s.member(holder))
	}
	p.Begins = begins(p)
	if !retry {
		sample.Vacant = len(p.Members) == 0
		p.Status = m.judge(key{s.Group, at}, sample)
	}
	return p
}

func (m *Monitor) judge(k key, sample lag.Sample) lag.Status {
	m.mu.Lock()
	defer m.mu.Unlock()
	w := m.windows[k]
	if w == nil {
		w = new(lag.Window)
		m.windows[k] = w
	}
	w.Add(sample)
	return w.Status()
}

// stamp fills in the seconds. What cannot be read leaves them out and a
// problem behind; the records of lag are told all the same.
func (a *Admin) stamp(ctx context.Context, s *state, r *Report) {
	unread := map[kafka.Partition]int64{}
	for _, p := range r.Partitions {
		if p.Lag > 0 && p.Start < p.End {
			unread[kafka.Partition{Topic: p.Topic, ID: p.Partition}] = min(max(p.Committed, p.Start), p.End-1)
		}
	}
	times, err := a.cluster.Timestamps(ctx, unread)
	for i := range r.Partitions {
		p := &r.Partitions[i]
		at := kafka.Partition{Topic: p.Topic, ID: p.Partition}
		switch of, ok := times[at]; {
		case ok:
			p.waited(s.at, of, s.bounds[at].Newest)
			if p.Retry && (r.RetrySeconds == nil || *p.Seconds > *r.RetrySeconds) {
				r.RetrySeconds = p.Seconds
			}
		case p.Lag == 0:
			p.Seconds, p.Behind = new(0.0), new(0.0)
		}
	}
	if err != nil && ctx.Err() == nil {
		d := diag.Warn(diag.GroupUntimed, "the lag of group %s is told in records only", r.Group).WithEvidence("%v", err)
		r.Problem = &d
	}
}
