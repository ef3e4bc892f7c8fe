package slipway

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

// ErrNoTransaction reports that a value for a topic with via: transaction was
// not sent from within a handler: with the handler's own context or one made of
// it, before the handler returned, and in a handler of batches with [For].
var ErrNoTransaction = errors.New("no transaction: send from within a handler, with its context")

// For says which message of a batch a value is sent for, where the contract
// says via: transaction. The value is written when that message is finished,
// with its offset. A handler of single messages needs no For.
func For[T any](m *Message[T]) SendOption {
	return sendOption(func(o *sendOptions) { o.sends = m.sends })
}

// sends are the values that an attempt has sent and that nobody sees before
// the attempt has succeeded.
type sends struct {
	mu      sync.Mutex
	records []*kgo.Record
	closed  bool
}

// sendsKey finds an attempt's sends in its context.
type sendsKey struct{}

// newSends returns where attempts of a consumer send to; nil without
// transactions.
func (c *consumer) newSends() *sends {
	if c.session == nil {
		return nil
	}
	return new(sends)
}

// add reports whether the attempt still runs.
func (s *sends) add(rec *kgo.Record) bool {
	if s == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.records = append(s.records, rec)
	return true
}

// take ends the attempt and returns what it has sent.
func (s *sends) take() []*kgo.Record {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return s.records
}

// keep notes what an attempt has sent for a record: nothing if it failed.
func (w *work) keep(s *sends, err error) {
	sent := s.take()
	if err != nil {
		settleSpans(sent, "dropped")
	}
	switch {
	case err == nil && len(sent) > 0:
		w.troubled().sent = sent
	case w.trouble != nil:
		w.sent = nil
	}
}

// sendLater gives a record to the attempt that ctx, or the message named by
// [For], belongs to.
func (p *producer) sendLater(ctx context.Context, s *parted, of *sends) (Receipt, error) {
	rec := &s.rec
	hold(rec, s.span)
	if of == nil {
		of, _ = ctx.Value(sendsKey{}).(*sends)
	}
	rec.Timestamp = time.Now()
	if !of.add(rec) {
		endSend(s.span, nil, ErrNoTransaction)
		return Receipt{}, fmt.Errorf("send to %s: %w", p.topic, ErrNoTransaction)
	}
	return Receipt{Topic: rec.Topic, Partition: -1, Offset: -1}, nil
}

// untransactable names the policies of an entry that cannot be kept where
// records are handled in transactions.
func (a *App) untransactable(name string, c *contract.Consume) diag.List {
	var faults diag.List
	if !a.transactional() {
		return nil
	}
	path := "consumes/" + name
	refuse := func(asked bool, at, what, instead string) {
		if asked {
			faults.Add(diag.New(diag.TransactionPolicy, "%s: %s, and the service produces via: transaction", path, what).
				At(a.contract.Position(path+at)).WithFix("%s", instead))
		}
	}
	refuse(c.Retry.Then == contract.Park, "/retry/then", "then: park needs a retry topic", "use then: dead-letter or then: stop")
	longest := longestWait(c.Retry)
	refuse(longest > c.Retry.InPlace, "/retry", fmt.Sprintf("a retry waits %v, longer than inPlace (%v), which needs a retry topic", longest, c.Retry.InPlace),
		fmt.Sprintf("write inPlace: %v (at most 5m), or shorter delays: a wait holds up nothing but its key", longest))
	refuse(c.Isolation == contract.Uncommitted, "/isolation", "isolation: uncommitted reads what may be aborted", "use isolation: committed")
	return faults
}

// untriggered finds a service whose transactions nothing would begin: they hold
// what handlers send, with the offsets of the records they send it for.
func (a *App) untriggered() diag.List {
	for _, c := range a.contract.Consumes {
		if c.Grouped() {
			return nil
		}
	}
	var faults diag.List
	for _, topic := range slices.Sorted(maps.Keys(a.contract.Produces)) {
		if a.contract.Produces[topic].Via == contract.Transaction {
			faults.Add(diag.New(diag.TransactionUntriggered, "produces/%s: via: transaction, and the service handles nothing", topic).
				At(a.contract.Position("produces/" + topic)))
		}
	}
	return faults
}

// longestWait is the longest of a record's waits.
func longestWait(r contract.Retry) time.Duration {
	longest := time.Duration(0)
	for failed := 1; failed < r.Attempts(); failed++ {
		longest = max(longest, r.Wait(failed, func() float64 { return 1 }))
	}
	return longest
}

// safeTransactionVersion is the level of the feature transaction.version from
// which on every transaction has an epoch of its own (KIP-890).
const safeTransactionVersion = 2

// checkTransactions asks the cluster how good its transactions are, and refuses
// those that the contract does not allow.
func (l *link) checkTransactions(ctx context.Context) error {
	if !slices.ContainsFunc(l.produces(), func(name string) bool { return l.contract.Produces[name].Via == contract.Transaction }) {
		return nil
	}
	level, err := l.transactionVersion(ctx)
	if err != nil {
		return l.diagnose(err)
	}
	l.safeTransactions = level >= safeTransactionVersion
	if l.safeTransactions {
		return nil
	}
	var faults diag.List
	for _, name := range l.produces() {
		p := l.contract.Produces[name]
		if p.Via == contract.Transaction && p.OldBrokers != contract.AllowOld {
			faults.Add(diag.New(diag.TransactionOldBrokers, "produces/%s is via: transaction, and the cluster's transaction.version is %d, below %d", name, level, safeTransactionVersion).
				At(l.contract.Position("produces/" + name)))
		}
	}
	return faults.Err()
}

// transactionVersion asks for the finalised level of the feature; 0 where it is
// not known.
func (l *link) transactionVersion(ctx context.Context) (int16, error) {
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	req := kmsg.NewPtrApiVersionsRequest()
	req.ClientSoftwareName, req.ClientSoftwareVersion = "slipway-go", "v1"
	resp, err := req.RequestWith(ctx, l.client)
	if err != nil {
		return 0, err
	}
	for _, f := range resp.FinalizedFeatures {
		if f.Name == "transaction.version" {
			return f.MaxVersionLevel, nil
		}
	}
	return 0, kerr.ErrorForCode(resp.ErrorCode)
}
