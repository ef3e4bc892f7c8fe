package arm

import (
	"context"
	"fmt"
	"os"
	"sync"

	slipway "github.com/slipway-go/slipway"
)

// producing is a contract as a user writes it. Compression and linger are those
// of the other arms.
const producing = `apiVersion: slipway.dev/v1
kind: Service
metadata: {name: %[1]s, owner: team-bench}
identity: {auth: scram-sha-512}
adopt: {principal: admin}
topics:
  %[2]s: {partitions: 6}
produces:
  %[2]s: {compression: none, linger: 5ms, buffer: {records: %[3]d}}
`

func slipwayAsync(ctx context.Context, s Spec, acked func(error)) (*producer, error) {
	app, err := newApp(s.Endpoint, s.Run, fmt.Sprintf(producing, s.Run, s.Topic, franzBuffer))
	if err != nil {
		return nil, err
	}
	writer := slipway.NewProducer[[]byte](app, s.Topic)
	ready, ended := make(chan struct{}), make(chan error, 1)
	app.OnStart("be ready", func(context.Context) error { close(ready); return nil })
	ctx, stop := context.WithCancel(ctx)
	go func() { ended <- app.Run(ctx) }()
	select {
	case <-ready:
	case err := <-ended:
		stop()
		return nil, fmt.Errorf("the service ended: %w", err)
	}
	var open sync.WaitGroup
	done := func(_ slipway.Receipt, err error) {
		acked(err)
		open.Done()
	}
	return &producer{
		send: func(key, value []byte) {
			open.Add(1)
			if key == nil {
				writer.SendAsync(ctx, &value, done)
				return
			}
			writer.SendAsync(ctx, &value, done, slipway.WithKey(key))
		},
		flush: func() error { open.Wait(); return nil },
		close: func() {
			stop()
			if err := <-ended; err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
		},
	}, nil
}
