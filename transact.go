package slipway

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/frontier"
)

const (
	// transactionTimeout is when the cluster ends a transaction by itself. A
	// transaction is open only while it is written, never while a handler runs,
	// so it is short: for as long it may hold up readers after a crash.
	transactionTimeout = 20 * time.Second

	// attemptTimeout is how long one try to write a transaction may take. It
	// stays below transactionTimeout, and with revokeBudget and lastSettle below
	// the client's rebalance timeout of a minute.
	attemptTimeout = 15 * time.Second
	lastSettle     = 20 * time.Second

	settleInterval = 50 * time.Millisecond  // between the beginnings of two transactions
	settlePause    = 100 * time.Millisecond // after a failure, doubled with each further one
	maxSettlePause = 5 * time.Second

	maxEffectBytes = 64 << 20 // of what waits for a transaction; above, fetching pauses
	alarmAfter     = 3        // failures in a row until health is red
)

// A session settles what one member of a group has finished: what handlers
// sent, and the offsets of the records they sent it for, in one transaction.
//
// Records are handled as everywhere else; a transaction begins only when
// something has been finished, takes all that is finished by then, and holds
// the frontiers with their maps of what is finished ahead. So a record that
// waits for its retry delays only its key, and no transaction is open while a
// handler runs. Transactions are written one after the other.
//
// Effects stay in their partition's ledger until a transaction with them is
// known to be committed. Where that cannot be told, the session takes its
// transactional id anew, which ends the transaction one way or the other, and
// then reads the group's offsets: they say which way.
type session struct {
	consumer *consumer
	id       string        // the transactional id
	call     chan struct{} // something has been sent

	mu   sync.Mutex // guards the ledgers of all partitions
	held int        // bytes in them

	// The rest is used by whoever holds consumer.committing.
	client   *kgo.Client // nil: to be made anew
	end      context.CancelFunc
	idle     producerID      // of transactions with offsets alone
	doubt    *settlement     // the transaction of which nobody knows how it ended
	failures int             // in a row
	taken    map[string]bool // transactional ids, at least once
	denied   time.Duration   // the rest that a right which lacks calls for; 0 for none
}

// A ledger holds what a partition's finished records have sent.
type ledger struct {
	effects []*effect // in the order of finishing
	closed  bool      // the partition was given up: its next owner may have begun
	until   time.Time // nothing of it is settled before, because a topic refused a record
	refused int       // how often in a row
}

// An effect is what a record that is finished has sent.
type effect struct {
	work    work
	records []*kgo.Record
	dead    bool // it is the record's dead letter
	alone   bool // it was refused for its size and is written in a batch of its own
	settled bool
}

// A settlement is the content of one transaction.
type settlement struct {
	moved   progress
	effects []*effect
	idle    bool // it was written under the session's second id
}

// transactional reports whether the service handles records in transactions.
func (a *App) transactional() bool {
	for _, p := range a.contract.Produces {
		if p.Via == contract.Transaction {
			return true
		}
	}
	return false
}

// newSession returns the session of a consumer, nil for a service without
// transactions.
func newSession(c *consumer, suffix string) *session {
	if !c.app.transactional() {
		return nil
	}
	c.meter.transactional.Store(true)
	s := &session{consumer: c, id: c.app.contract.TransactionalPrefix() + c.app.cfg.Instance, call: make(chan struct{}, 1), taken: make(map[string]bool)}
	if suffix != "" {
		s.id += "/" + suffix
	}
	return s
}

// finish notes that a record is done, with what it has sent. The frontier moves
// under the lock, so that no transaction holds the one without the other.
func (s *session) finish(w *work) fate {
	p := w.partition
	s.mu.Lock()
	defer s.mu.Unlock()
	p.frontier.Finish(w.seq)
	switch {
	case w.trouble == nil || len(w.sent) == 0:
		return fate{state: finished}
	case p.ledger.closed:
		settleSpans(w.sent, "given back")
		return fate{state: finished}
	}
	e := &effect{work: *w, records: w.sent, dead: w.decided()}
	p.ledger.effects = append(p.ledger.effects, e)
	if s.held += e.size(); s.held >= maxEffectBytes {
		p.pause(unsettled)
	}
	select {
	case s.call <- struct{}{}:
	default:
	}
	return fate{state: finished}
}

// every settles what is finished until ctx ends: what was sent at once, offsets
// alone now and then.
func (s *session) every(ctx context.Context) {
	tick := time.NewTicker(commitInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.call:
		case <-tick.C:
			s.consumer.watch(time.Now())
		}
		if !waitFor(ctx, s.settle(ctx)) {
			return
		}
	}
}

// settle makes one attempt and returns how long to rest.
func (s *session) settle(ctx context.Context) time.Duration {
	rest := settleInterval
	_ = s.consumer.serially(ctx, func() error {
		s.attempt(context.WithoutCancel(ctx), s.consumer.all)
		rest = s.pause()
		return nil
	})
	return rest
}

// pause is how long to rest after an attempt.
func (s *session) pause() time.Duration {
	if s.failures == 0 {
		return settleInterval
	}
	s.prod() // there is something left
	if s.denied > 0 {
		return s.denied
	}
	return min(settlePause<<min(s.failures-1, 10), maxSettlePause)
}

// prod has the session look for something to settle.
func (s *session) prod() {
	select {
	case s.call <- struct{}{}:
	default:
	}
}

// last settles what partitions have finished that are being given up, and
// closes their ledgers: what is not settled then is the next owner's.
func (s *session) last(of func() []*partition) {
	ctx, cancel := context.WithTimeout(context.Background(), lastSettle)
	defer cancel()
	var partitions []*partition
	err := s.consumer.serially(ctx, func() error {
		partitions = of()
		same := func() []*partition { return partitions }
		for !s.attempt(ctx, same) && waitFor(ctx, max(settlePause, s.denied)) {
		}
		return nil
	})
	if err != nil {
		partitions = of()
	}
	s.forget(partitions)
}

// forget drops what partitions have not settled: they are no longer this
// instance's.
func (s *session) forget(partitions []*partition) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range partitions {
		for _, e := range p.ledger.effects {
			s.held -= e.size()
			settleSpans(e.records, "given back")
		}
		p.ledger = ledger{closed: true}
		s.consumer.tell(p.unsettled(), "")
	}
}

// close ends the session's client.
func (s *session) close() {
	s.discard()
	s.consumer.tell(s.health(), "")
}

// attempt tries once to settle what partitions have finished, and reports
// whether nothing is left that could be settled now.
func (s *session) attempt(ctx context.Context, of func() []*partition) bool {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	// The generation is asked for before the partitions are: a commit of one
	// that goes meanwhile carries a generation that is over.
	m := s.membership()
	err := s.resolve(ctx, m)
	if err == nil {
		err = s.write(ctx, m, s.gather(of()))
	}
	s.tell(err)
	return err == nil
}

// gather collects what a transaction can hold now. What is finished ahead of
// the frontier and has no room in the commit's map waits: its effects must not
// be seen before its offset is.
func (s *session) gather(partitions []*partition) *settlement {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := &settlement{moved: make(progress)}
	for _, p := range partitions {
		if p.ledger.closed || time.Now().Before(p.ledger.until) {
			continue
		}
		p.progress(b.moved)
		m, moved := b.moved[p.topicPartition]
		if !moved {
			continue
		}
		ahead, _ := frontier.Decode(m.metadata, m.offset)
		for _, e := range p.ledger.effects {
			at := frontier.Position{Offset: e.work.rec.Offset, Epoch: e.work.rec.LeaderEpoch}
			if at.Offset < m.offset || ahead.Ahead.Contains(at) {
				b.effects = append(b.effects, e)
			}
		}
	}
	return b
}

// settled notes that a transaction was committed.
func (s *session) settled(b *settlement) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range b.effects {
		e.settled = true
		settleSpans(e.records, "committed")
	}
	for _, m := range b.moved {
		m.of.setCommitted(m.commit)
		s.prune(m.of)
	}
	s.consumer.meter.committed(nil)
	s.consumer.meter.settled.Add(1)
	s.allowed()
}

// prune takes out of a ledger what is settled. The lock is held.
func (s *session) prune(p *partition) {
	rest := p.ledger.effects[:0]
	for _, e := range p.ledger.effects {
		if !e.settled {
			rest = append(rest, e)
			continue
		}
		s.held -= e.size()
	}
	clear(p.ledger.effects[len(rest):])
	p.ledger.effects = rest
	if p.ledger.refused > 0 {
		p.ledger.refused = 0
		s.consumer.tell(p.unsettled(), "")
	}
	if s.held < maxEffectBytes/2 || len(rest) == 0 {
		p.resume(unsettled)
	}
}

// tell notes how an attempt went.
func (s *session) tell(err error) {
	if s.denied = 0; err == nil {
		if s.failures >= alarmAfter {
			s.consumer.tell(s.health(), "")
		}
		s.failures = 0
		return
	}
	s.failures++
	s.consumer.meter.committed(err)
	if s.tellDenied(err) {
		return
	}
	code := diag.TransactionFailed
	if errors.Is(err, kerr.ProducerFenced) || errors.Is(err, kerr.InvalidProducerEpoch) {
		code = diag.TransactionFenced
	}
	s.consumer.link.log.Warn("transaction failed, trying again", "code", code, "group", s.consumer.group, "transactional_id", s.id, "failures", s.failures, "error", err)
	if s.failures == alarmAfter {
		s.consumer.tell(s.health(), err.Error())
	}
}

func (s *session) health() string { return "transactions of group " + s.consumer.group }

// unsettled is what health calls a partition whose effects a topic refuses.
func (tp topicPartition) unsettled() string { return "effects of " + tp.String() }

func (e *effect) size() int {
	n := 0
	for _, rec := range e.records {
		n += size(rec)
	}
	return n
}
