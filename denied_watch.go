package slipway

import (
	"context"
	"errors"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const rightsTimeout = 5 * time.Second

// openRights begins to watch the rights that lack.
func (l *link) openRights() {
	l.denials.call = make(chan struct{}, 1)
	ctx, end := context.WithCancel(context.Background())
	l.denials.end = end
	l.denials.watching.Go(func() { l.watchRights(ctx) })
}

func (l *link) closeRights() {
	l.denials.end()
	l.denials.watching.Wait()
}

// watchRights looks now and then, while a right to a topic lacks, whether it is
// there. Groups and transactional ids are tried by those who use them, which
// tells as soon.
func (l *link) watchRights(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.denials.call:
		}
		for waitFor(ctx, watchRights) && l.lookAtRights(ctx) {
		}
	}
}

// lookAtRights asks once, and reports whether there is reason to look again.
func (l *link) lookAtRights(ctx context.Context) bool {
	lacking, suspects := l.denials.watched()
	if len(lacking)+len(suspects) == 0 {
		return false
	}
	topics := make(map[string]bool)
	for _, r := range slices.Concat(lacking, suspects) {
		topics[r.name] = true
	}
	allowed, err := l.operations(ctx, slices.Sorted(maps.Keys(topics)))
	if err != nil {
		return ctx.Err() == nil
	}
	for _, r := range suspects {
		if has, known := allowed.include(r); known && !has {
			_ = l.denials.note(l, r, kerr.TopicAuthorizationFailed)
		}
	}
	l.denials.cleared(suspects)
	for _, r := range lacking {
		if has, known := allowed.include(r); has || !known { // who does not know tries
			l.denials.there(l, r)
		}
	}
	return true
}

// watched are the rights to topics that lack, and those that may.
func (d *denials) watched() (lacking, suspects []right) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for r, of := range d.of {
		if of.err != nil && r.kind == ofTopic {
			lacking = append(lacking, r)
		}
	}
	return lacking, slices.Collect(maps.Keys(d.suspects))
}

// cleared takes rights off the suspects.
func (d *denials) cleared(rights []right) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, r := range rights {
		delete(d.suspects, r)
	}
}

// operations are what the service may do with topics, as bits. A topic that
// cannot be told of is not in it.
type operations map[string]int32

var operationBits = map[string]int32{"READ": 1 << kmsg.ACLOperationRead, "WRITE": 1 << kmsg.ACLOperationWrite}

func (o operations) include(r right) (has, known bool) {
	bits, known := o[r.name]
	return bits&operationBits[r.operation] != 0, known
}

// operations asks what the service may do with topics. Whoever may do anything
// with one is told; the others get none.
func (l *link) operations(ctx context.Context, topics []string) (operations, error) {
	ctx, cancel := context.WithTimeout(ctx, rightsTimeout)
	defer cancel()
	req := kmsg.NewPtrMetadataRequest()
	req.IncludeTopicAuthorizedOperations = true
	for _, name := range topics {
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = &name
		req.Topics = append(req.Topics, t)
	}
	resp, err := req.RequestWith(ctx, l.client)
	if err != nil {
		return nil, err
	}
	return allowedBy(resp), nil
}

// allowedBy is what an answer says that the service may do.
func allowedBy(resp *kmsg.MetadataResponse) operations {
	got := make(operations)
	for _, t := range resp.Topics {
		err := kerr.ErrorForCode(t.ErrorCode)
		switch {
		case t.Topic == nil:
		case errors.Is(err, kerr.TopicAuthorizationFailed):
			got[*t.Topic] = 0
		case err == nil && t.AuthorizedOperations != math.MinInt32:
			got[*t.Topic] = t.AuthorizedOperations
		}
	}
	return got
}
