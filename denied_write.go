package slipway

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// write writes a record and waits for its acknowledgement, no longer than ctx.
// It asks nobody while the right to the topic lacks.
func (l *link) write(ctx context.Context, client *kgo.Client, id *primer, rec *kgo.Record) (*kgo.Record, error) {
	r := toWrite(rec.Topic)
	if lacks := l.denials.lacks(r); lacks != nil {
		return nil, lacks
	}
	err := id.prime(ctx, client)
	if err == nil {
		rec, err = produce(ctx, client, rec)
	}
	if err != nil {
		return nil, l.named(err, r)
	}
	l.denials.succeeded(l, r)
	return rec, nil
}

const primeTimeout = 10 * time.Second

// A primer gets a client its producer id before the client needs it. A client
// that is refused an id by itself keeps the refusal for good; the primer asks
// first, so that a refusal is only one.
type primer struct {
	done atomic.Bool

	mu     sync.Mutex
	asking *asking // nil while nobody asks
}

// An asking is a request that several may wait for.
type asking struct {
	over chan struct{}
	err  error
}

// prime returns the refusal of an id. Any other trouble is left to the client,
// which goes on trying.
func (p *primer) prime(ctx context.Context, client *kgo.Client) error {
	if p.done.Load() {
		return nil
	}
	p.mu.Lock()
	ask := p.asking
	if ask == nil {
		ask = &asking{over: make(chan struct{})}
		p.asking = ask
		go p.ask(context.WithoutCancel(ctx), client, ask) // others may wait for it longer
	}
	p.mu.Unlock()
	select {
	case <-ask.over:
		return ask.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (p *primer) ask(ctx context.Context, client *kgo.Client, to *asking) {
	ctx, cancel := context.WithTimeout(ctx, primeTimeout)
	defer cancel()
	resp, err := kmsg.NewPtrInitProducerIDRequest().RequestWith(ctx, client)
	if err == nil {
		err = kerr.ErrorForCode(resp.ErrorCode)
	}
	switch {
	case refusedKind(err) != "":
		to.err = err
	case err == nil:
		_, _, err = client.ProducerID(ctx)
		p.done.Store(err == nil)
	}
	p.mu.Lock()
	p.asking = nil
	p.mu.Unlock()
	close(to.over)
}
