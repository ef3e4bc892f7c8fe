package arm

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/benchmarks/internal/broker"
)

const (
	rebalanceRate = 600 // records a second, of all partitions
	steadyTime    = 4 * time.Second
	leaveTime     = 10 * time.Second // in which the pauses of leaving are looked for
	joinTimeout   = 30 * time.Second
)

// rebalance measures how long partitions stand still while a second member
// joins and leaves. A pause is the longest time between two records of a
// partition after the event; moved partitions had another member after it.
func rebalance(ctx context.Context, s Spec) (Result, error) {
	if err := broker.Create(ctx, s.Endpoint, s.Topic); err != nil {
		return nil, err
	}
	run, ok := members[s.Client]
	if !ok {
		return nil, fmt.Errorf("no member of client %q", s.Client)
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	log := &handledLog{seen: make(map[uint64]int)}
	member := func(name string) (leave func()) {
		ctx, cancel := context.WithCancel(ctx)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			job := s.job(func(r Record) error {
				time.Sleep(s.Work)
				log.add(name, r)
				return nil
			})
			if err := run(ctx, job, name); ctx.Err() == nil {
				stop(fmt.Errorf("member %s ended by itself: %w", name, err))
			}
		}()
		return func() { cancel(); <-ended }
	}
	sending := make(chan error, 1)
	go func() { sending <- sendSteadily(ctx, s) }()

	leaveA := member("a")
	defer leaveA()
	if err := log.awaitMember(ctx, "a", broker.Partitions); err != nil {
		return nil, err
	}
	joined := time.Now()
	leaveB := member("b")
	if err := log.awaitMember(ctx, "b", 1); err != nil {
		leaveB()
		return nil, err
	}
	left := time.Now()
	go leaveB()
	if err := pause(ctx, leaveTime); err != nil {
		return nil, err
	}
	stop(errDone)
	if err := <-sending; err != nil && !errors.Is(err, errDone) {
		return nil, err
	}
	r := Result{"rss": peakMiB(), "repeats": float64(log.repeats)}
	log.pauses(r, "join", joined, left)
	log.pauses(r, "leave", left, left.Add(leaveTime))
	return r, nil
}

var errDone = errors.New("done")

// members run one member of a group, each until its context ends.
var members = map[string]func(ctx context.Context, j Job, name string) error{
	"slipway": slipwayMember,
	"franz":   franzMember,
}

// sendSteadily writes to every partition in turn until ctx ends.
func sendSteadily(ctx context.Context, s Spec) error {
	opts, err := s.Endpoint.Options()
	if err != nil {
		return err
	}
	client, err := kgo.NewClient(append(opts, kgo.ProducerLinger(0), kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
	if err != nil {
		return err
	}
	defer client.Close()
	tick := time.NewTicker(time.Second * broker.Partitions / rebalanceRate)
	defer tick.Stop()
	for n := uint32(0); ; n++ {
		for p := range int32(broker.Partitions) {
			value := binary.BigEndian.AppendUint32(nil, n)
			client.Produce(ctx, &kgo.Record{Topic: s.Topic, Partition: p, Key: broker.Key(int(n) % s.Keys), Value: value}, nil)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
