package arm

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/slipway-go/slipway/benchmarks/internal/broker"
)

// createDerived creates the topics that slipway apply would derive from the
// contract of a spec with a retry policy.
func createDerived(ctx context.Context, s Spec) error {
	name := group(s.Run) + "." + s.Topic
	return broker.Create(ctx, s.Endpoint, name+".retry", name+".dlq")
}

// group is the consumer group of Slipway's arms.
func group(run string) string { return "svc-" + run + "-dev" }

// parked watches the memory of a service with a backlog that cannot be handled.
// Every key of the backlog fails, so all its records end up parked: the first
// of a key waits for its retry, an hour away, and the others queue behind it.
// Meanwhile records of other keys arrive at the spec's rate and must flow.
//
// Memory is looked at once the group has committed past the backlog, and then
// every minute until the window is over.
func parked(ctx context.Context, s Spec) (Result, error) {
	began := time.Now()
	var flowed, failures atomic.Int64
	handle := func(r Record) error {
		if r.Offset < s.Ends[r.Partition] {
			failures.Add(1)
			return errPoison
		}
		flowed.Add(1)
		return nil
	}
	r := Result{}
	err := runUntil(ctx, s, handle, func(ctx context.Context) error {
		if err := awaitCommitted(ctx, s); err != nil {
			return err
		}
		r["park_seconds"] = time.Since(began).Seconds()
		send, closeProducer, err := newSender(ctx, s)
		if err != nil {
			return err
		}
		defer closeProducer()
		sampled := make(chan error, 1)
		go func() { sampled <- sampleMemory(ctx, s.Window, r) }()
		total := int(float64(s.Rate) * s.Window.Seconds())
		sendAll(ctx, s, total, func(int) {}, func(key int, value []byte) { send(s.Keys+key, value) })
		if err := <-sampled; err != nil {
			return err
		}
		for end := time.Now().Add(20 * time.Second); flowed.Load() < int64(total) && time.Now().Before(end); {
			if err := pause(ctx, 10*time.Millisecond); err != nil {
				return err
			}
		}
		r["stuck"] = float64(int64(total) - flowed.Load())
		return nil
	})
	r["failures"], r["rss"] = float64(failures.Load()), peakMiB()
	return r, err
}

// sampleMemory notes resident and live memory every minute.
func sampleMemory(ctx context.Context, window time.Duration, r Result) error {
	note := func(minute int) {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		r[fmt.Sprintf("heap_%02d", minute)] = float64(m.HeapAlloc) / (1 << 20)
		r[fmt.Sprintf("rss_%02d", minute)] = residentMiB()
	}
	note(0)
	for minute := 1; time.Duration(minute)*time.Minute <= window; minute++ {
		if err := pause(ctx, time.Minute); err != nil {
			return err
		}
		note(minute)
	}
	return nil
}

// residentMiB is what is resident now.
func residentMiB() float64 {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	var size, resident float64
	if _, err := fmt.Sscan(string(b), &size, &resident); err != nil {
		return 0
	}
	return resident * float64(os.Getpagesize()) / (1 << 20)
}

// awaitCommitted returns when the group has committed the whole backlog.
func awaitCommitted(ctx context.Context, s Spec) error {
	opts, err := s.Endpoint.Options()
	if err != nil {
		return err
	}
	client, err := kgo.NewClient(opts...)
	if err != nil {
		return err
	}
	defer client.Close()
	for {
		left, err := behind(ctx, client, s)
		switch {
		case err == nil && left == 0:
			return nil
		case err != nil && !kerr.IsRetriable(err): // a new cluster's coordinator takes a moment
			return fmt.Errorf("fetch offsets of %s: %w", group(s.Run), err)
		}
		if err := pause(ctx, 500*time.Millisecond); err != nil {
			return fmt.Errorf("%d records of the backlog are not committed: %w", left, err)
		}
	}
}

// behind is how many records of the backlog the group has not committed.
func behind(ctx context.Context, client *kgo.Client, s Spec) (int64, error) {
	req := kmsg.NewPtrOffsetFetchRequest()
	req.Group = group(s.Run)
	of := kmsg.NewOffsetFetchRequestTopic()
	of.Topic = s.Topic
	in := kmsg.NewOffsetFetchRequestGroup()
	in.Group = req.Group
	inTopic := kmsg.NewOffsetFetchRequestGroupTopic()
	inTopic.Topic = s.Topic
	for p := range s.Ends {
		of.Partitions = append(of.Partitions, int32(p))
		inTopic.Partitions = append(inTopic.Partitions, int32(p))
	}
	req.Topics = append(req.Topics, of)
	in.Topics = append(in.Topics, inTopic)
	req.Groups = append(req.Groups, in)
	resp, err := req.RequestWith(ctx, client)
	if err != nil {
		return 0, err
	}
	left := s.records()
	for _, g := range resp.Groups {
		if err := kerr.ErrorForCode(g.ErrorCode); err != nil {
			return 0, err
		}
		for _, t := range g.Topics {
			for _, p := range t.Partitions {
				left -= min(max(p.Offset, 0), s.Ends[p.Partition])
			}
		}
	}
	return left, nil
}
