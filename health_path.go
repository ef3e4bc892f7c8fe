package slipway

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/slipway-go/slipway/contract"
)

const (
	// lookPathEvery is how often the service asks the cluster how its topics stand,
	// give or take a fifth, so that a fleet does not ask as one.
	lookPathEvery = 10 * time.Second

	// lookTimeout is how long the cluster may take to answer. It bounds how long
	// an outage goes unnoticed: lookPathEvery and this.
	lookTimeout = 5 * time.Second

	// lookAgain is how long after an answer that is in doubt the question is
	// asked again: one broker may know later than another.
	lookAgain = 2 * time.Second

	// afterglow is how long after an outage what it has brought about may take
	// to pass: retries wait for up to 30 seconds.
	afterglow = time.Minute
)

// The path is what the cluster last said of the topics that the service uses:
// the way that its records take. One goroutine asks, in one request for all
// topics, and with rights that the service has anyway; who judges reads.
type path struct {
	hurry chan struct{} // asks for a look at once

	mu       sync.Mutex
	asked    time.Time // when the last look began that has ended
	answered time.Time // when the cluster answered last
	err      error     // of the last look
	outage   time.Time // when the cluster, or a partition, was away last
	topics   map[string]topicState
}

// A topicState is how a topic stood when somebody looked.
type topicState struct {
	use        use
	missing    int // looks in a row that did not find it
	since      time.Time
	err        error
	leaderless []int32
	short      []int32 // too few in-sync replicas to be written
	inSync     int     // of the first that is short
	replicas   int
	tight      bool // the next replica that goes away stops all writing
}

// A use is what a service does with a topic.
type use struct {
	entry         string // of the contract
	reads, writes bool
	rights        []right
}

// watchPath looks at the cluster now and then until ctx ends.
func (l *link) watchPath(ctx context.Context) error {
	uses := l.uses()
	if len(uses) == 0 {
		return nil
	}
	for {
		again := l.lookAtPath(ctx, uses)
		l.judge(time.Now())                                   // so that it is known since when something is wrong
		wait := lookPathEvery*4/5 + rand.N(lookPathEvery*2/5) //nolint:gosec // spreads a fleet, no secret
		if again {
			wait = lookAgain
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		case <-l.path.hurry:
			if !waitFor(ctx, time.Second) { // whoever hurries does not set the pace
				return nil
			}
		}
	}
}

// uses are the topics that the service needs.
func (l *link) uses() map[string]use {
	uses := make(map[string]use)
	add := func(topic, entry string, rights ...right) {
		u := uses[topic]
		u.entry, u.rights = entry, append(u.rights, rights...)
		for _, r := range rights {
			u.reads, u.writes = u.reads || r == toRead(topic), u.writes || r == toWrite(topic)
		}
		uses[topic] = u
	}
	for _, name := range l.consumes() {
		for _, r := range l.needs(l.contract.Consumes[name]) {
			if r.kind == ofTopic {
				add(r.name, "consumes/"+name, r)
			}
		}
	}
	for _, p := range l.producers {
		if p.link != l {
			continue
		}
		var rights []right
		if !l.relayedElsewhere(l.contract.Produces[p.topic]) {
			rights = append(rights, toWrite(p.physical))
		}
		add(p.physical, "produces/"+p.topic, rights...)
	}
	if topic := l.probeTopic(); topic != "" && l.has("") {
		add(topic, "workload/probe", toWrite(topic))
	}
	return uses
}

// relayedElsewhere reports whether not the service writes the topic but a
// connector that reads its outbox.
func (a *App) relayedElsewhere(p *contract.Produce) bool {
	return p.Via == contract.Outbox && a.contract.RelaysByDebezium()
}

// lookAtPath asks once, and reports whether to ask again soon.
func (l *link) lookAtPath(ctx context.Context, uses map[string]use) (again bool) {
	began := time.Now()
	asking, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	req := kmsg.NewPtrMetadataRequest()
	req.IncludeTopicAuthorizedOperations = true
	for _, topic := range slices.Sorted(maps.Keys(uses)) {
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = new(topic)
		req.Topics = append(req.Topics, t)
	}
	resp, err := req.RequestWith(asking, l.client)
	if ctx.Err() != nil {
		return false
	}
	if err == nil {
		l.suspectRights(resp, uses)
		l.lookAtReplicas(resp)
	}
	return l.path.looked(began, time.Now(), resp, err, uses, l.env.CreateTopics)
}

// suspectRights has rights looked at that the cluster does not name.
func (l *link) suspectRights(resp *kmsg.MetadataResponse, uses map[string]use) {
	allowed := allowedBy(resp)
	for _, u := range uses {
		for _, r := range u.rights {
			if has, known := allowed.include(r); known && !has && l.denials.lacks(r) == nil {
				l.denials.suspect(r)
			}
		}
	}
}

// looked notes an answer, and reports whether it is in doubt.
func (p *path) looked(began, now time.Time, resp *kmsg.MetadataResponse, err error, uses map[string]use, lazily bool) (doubt bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked, p.err = began, err
	if err != nil {
		p.outage = now
		return false
	}
	p.answered = now
	before := p.topics
	p.topics = make(map[string]topicState, len(uses))
	for _, t := range resp.Topics {
		name := nameOf(t.Topic)
		s := topicState{use: uses[name], since: now}
		was := before[name]
		switch err := kerr.ErrorForCode(t.ErrorCode); {
		case errors.Is(err, kerr.UnknownTopicOrPartition) && !lazily:
			s.missing, doubt = was.missing+1, doubt || was.missing == 0
		case errors.Is(err, kerr.UnknownTopicOrPartition), errors.Is(err, kerr.TopicAuthorizationFailed): // rights are another check
		case err != nil && !kerr.IsRetriable(err):
			s.err = err
		default:
			s.partitions(t.Partitions)
		}
		if s.bad() && was.bad() {
			s.since = was.since
		}
		if s.away() {
			p.outage = now
		}
		p.topics[name] = s
	}
	return doubt
}

// partitions notes how the topic's partitions stand. min.insync.replicas is a
// configuration that a service may not read: see [pipe.looked].
func (s *topicState) partitions(all []kmsg.MetadataResponseTopicPartition) {
	for _, p := range all {
		least := max(1, len(p.Replicas)-1)
		switch {
		case p.Leader < 0:
			s.leaderless = append(s.leaderless, p.Partition)
		case len(p.ISR) < least:
			if len(s.short) == 0 {
				s.inSync, s.replicas = len(p.ISR), len(p.Replicas)
			}
			s.short = append(s.short, p.Partition)
		case len(p.ISR) == least && len(p.Replicas) > len(p.ISR):
			s.tight = true
		}
	}
	slices.Sort(s.leaderless)
	slices.Sort(s.short)
}

// away reports whether brokers are away that the topic cannot do without.
func (s topicState) away() bool {
	return len(s.leaderless) > 0 || s.use.writes && len(s.short) > 0
}

func (s topicState) bad() bool {
	return s.missing > 0 || s.err != nil || s.away() || s.use.writes && s.tight
}

// A view is what the path knows, for whoever judges.
type view struct {
	asked, answered, outage time.Time
	err                     error
	topics                  map[string]topicState
}

func (p *path) view() view {
	p.mu.Lock()
	defer p.mu.Unlock()
	return view{p.asked, p.answered, p.outage, p.err, p.topics}
}

// excuses reports whether a problem that came up at a time, with something that
// needs the cluster, is put down to the cluster: it is away, or was a moment
// ago, or nobody has looked yet, which is then done.
func (p *path) excuses(v view, since, now time.Time) bool {
	if v.asked.Before(since) {
		select {
		case p.hurry <- struct{}{}:
		default: // somebody hurries already, or nobody looks
		}
		return true
	}
	return !v.outage.IsZero() && now.Sub(v.outage) < afterglow
}
