package slipway

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/diag"
)

const (
	probeEvery   = 10 * time.Second
	probeTimeout = 2 * time.Second

	// probePatience is how many probes in a row fail before that is more than a
	// warning: when a broker dies it takes its partitions' next leaders up to ten
	// seconds to be found.
	probePatience = 3
)

// A writingProbe writes a small record to the service's own probe topic now and
// then, where the contract asks for it (workload.probe: write): proof of what
// metadata cannot tell, that a write is acknowledged by all in-sync replicas.
// No business topic is ever written to.
//
// One record is under way at a time: an outage of hours leaves one.
type writingProbe struct {
	link  *link
	topic string

	mu      sync.Mutex
	pending bool // a record is with the client
	asked   bool // a verdict is known
	failed  int  // probes in a row
	err     error
	since   time.Time
}

var errUnprobed = errors.New("no acknowledgement within " + probeTimeout.String())

// probeTopic is the topic of the writing probe; "" for none.
func (a *App) probeTopic() string {
	if !a.contract.ProbesByWriting() {
		return ""
	}
	return a.contract.ProbeTopic()
}

func (a *App) newWritingProbe() *writingProbe {
	topic := a.probeTopic()
	if topic == "" {
		return nil
	}
	return &writingProbe{link: a.linkOf(""), topic: topic, since: time.Now()}
}

// run probes until ctx ends.
func (p *writingProbe) run(ctx context.Context) error {
	for p.once(ctx); waitFor(ctx, probeEvery*4/5+rand.N(probeEvery*2/5)); p.once(ctx) { //nolint:gosec // spreads a fleet, no secret
	}
	return nil
}

// once writes a record, unless one is under way or may not be written, and
// notes within the timeout how that went.
func (p *writingProbe) once(ctx context.Context) {
	l, r := p.link, toWrite(p.topic)
	if l.denials.lacks(r) != nil {
		return // the right is a check of its own
	}
	deadline, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	if err := l.denials.sends.prime(deadline, l.client); err != nil {
		p.verdict(l.named(err, r))
		return
	}
	if !p.begin() {
		p.verdict(errUnprobed)
		return
	}
	done := make(chan error, 1)
	rec := &kgo.Record{Topic: p.topic, Key: []byte(l.cfg.Instance), Value: []byte("probe")}
	l.client.Produce(context.WithoutCancel(ctx), rec, func(_ *kgo.Record, err error) {
		p.end()
		done <- err
	})
	select {
	case err := <-done:
		if err == nil {
			l.denials.succeeded(l, r)
		}
		p.verdict(l.named(err, r))
	case <-deadline.Done():
		p.verdict(errUnprobed)
	}
}

// begin reports whether no record is under way, and notes that one is.
func (p *writingProbe) begin() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	was := p.pending
	p.pending = true
	return !was
}

func (p *writingProbe) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pending = false
}

func (p *writingProbe) verdict(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.asked || (err == nil) != (p.err == nil) {
		p.since = time.Now()
	}
	p.asked, p.err, p.failed = true, err, p.failed+1
	if err == nil {
		p.failed = 0
	}
}

func (p *writingProbe) judge() finding {
	const name = "writing probe"
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.err != nil && p.failed < probePatience:
		return warning(name, diag.HealthProbeFailed, "%s: %v", p.topic, p.err)
	case p.err != nil:
		f := failure(reaching, name, diag.HealthProbeFailed, "%s: %v", p.topic, p.err)
		f.Since = p.since
		return f
	case !p.asked:
		return failure(reaching, name, "", "%s: not written yet", p.topic)
	}
	return okay(name, "")
}
