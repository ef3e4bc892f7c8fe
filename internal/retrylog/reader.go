package retrylog

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	pollRecords  = 1_000
	boundsWait   = 5 * time.Second
	firstBackoff = 250 * time.Millisecond
	longBackoff  = 10 * time.Second
	probation    = 5 * time.Second // without an error, and trouble is over
	deniedPause  = time.Second     // between two looks whether a topic may be tried
)

// A reader polls for all followers. What changes them is done by its goroutine
// between two polls, so that a record never meets another follower than the one
// that it was fetched for.
type reader struct {
	log     *Log
	client  *kgo.Client
	trouble func(topic string, partition int32, err error)
	denied  func(topic string) bool
	asking  sync.WaitGroup
	ended   chan struct{}

	mu   sync.Mutex
	todo []func()
	wake context.CancelFunc // ends the poll that is under way

	// Only the goroutine uses what follows.
	followers map[place]*Follower
	ids       map[string][16]byte // of topics, as they were last
	failures  int                 // of polls, in a row
}

func newReader(l *Log, client *kgo.Client, trouble func(string, int32, error), denied func(string) bool) *reader {
	r := &reader{
		log: l, client: client, trouble: trouble, denied: denied, ended: make(chan struct{}),
		wake: func() {}, followers: make(map[place]*Follower), ids: make(map[string][16]byte),
	}
	go r.run()
	return r
}

// close waits until the goroutine has ended, whose context the log cancelled.
func (r *reader) close() {
	<-r.ended
	r.asking.Wait()
	r.client.Close()
}

// do has something done by the goroutine.
func (r *reader) do(what func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.todo = append(r.todo, what)
	r.wake()
}

func (r *reader) run() {
	defer close(r.ended)
	for r.log.ctx.Err() == nil {
		ctx, todo := r.arm()
		for _, what := range todo {
			what()
		}
		ctx, cancel := context.WithDeadline(ctx, r.turn(time.Now()))
		fetches := r.client.PollRecords(ctx, pollRecords)
		fetches.EachPartition(func(ftp kgo.FetchTopicPartition) { r.fetched(ctx, ftp) })
		cancel()
	}
}

// arm returns what is to be done, and a context that ends when there is more.
func (r *reader) arm() (context.Context, []func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wake() // the last poll is over
	ctx, cancel := context.WithCancel(r.log.ctx)
	r.wake = cancel
	todo := r.todo
	r.todo = nil
	if len(todo) > 0 {
		r.todo = make([]func(), 0, 1)
	}
	return ctx, todo
}

// turn does what is due and returns when there will be something.
func (r *reader) turn(now time.Time) time.Time {
	next := now.Add(time.Hour)
	for _, f := range r.followers {
		if f.due.IsZero() {
			continue
		}
		if now.Before(f.due) {
			if f.due.Before(next) {
				next = f.due
			}
			continue
		}
		f.due = time.Time{}
		switch f.state {
		case waiting:
			if r.denied(f.topic) {
				if f.due = now.Add(deniedPause); f.due.Before(next) {
					next = f.due
				}
				continue
			}
			r.ask(f)
		case reading:
			r.recovered(f)
		}
	}
	return next
}

// add begins to follow.
func (r *reader) add(f *Follower) {
	if f.stopped.Load() {
		return
	}
	if old := r.followers[f.place()]; old != nil {
		old.stopped.Store(true)
		r.remove(old)
	}
	r.followers[f.place()] = f
	r.ask(f)
}

func (r *reader) remove(f *Follower) {
	if r.followers[f.place()] != f {
		return
	}
	r.pause(f)
	delete(r.followers, f.place())
	if f.troubled {
		r.tell(f, nil) // it is nobody's trouble any more
	}
}

// pause takes a partition out of what is fetched.
func (r *reader) pause(f *Follower) {
	if f.state == reading {
		r.client.RemoveConsumePartitions(map[string][]int32{f.topic: {f.id}})
	}
	f.state = waiting
}

// ask asks for the bounds of the log, which tells at once of a topic that is
// missing and of offsets that are gone. Nothing else waits for the answer.
func (r *reader) ask(f *Follower) {
	f.state = asking
	age := metadataAge
	if f.failures > 0 {
		age = time.Nanosecond // the topic may be another by now
	}
	r.asking.Go(func() {
		ctx, cancel := context.WithTimeout(r.log.ctx, boundsWait)
		defer cancel()
		var t description
		bounds, err := r.log.Bounds(ctx, f.topic, f.id)
		if err == nil {
			t, err = r.log.describe(ctx, f.topic, age)
		}
		r.do(func() {
			r.know(f.topic, t.TopicID, err)
			r.start(f, bounds[f.id], t.TopicID, err)
		})
	})
}

// know has the client let go of a topic that was deleted and made anew: it
// holds on to the id of the old one, and a broker need not say that it has no
// such topic.
func (r *reader) know(topic string, id [16]byte, err error) {
	if err != nil {
		return
	}
	if old, ok := r.ids[topic]; ok && old != id {
		r.failAll(topic, kerr.UnknownTopicID)
		r.client.PurgeTopicsFromConsuming(topic)
	}
	r.ids[topic] = id
}

// start fetches from where the follower is, if the log has that.
func (r *reader) start(f *Follower, b Bounds, of [16]byte, err error) {
	if r.followers[f.place()] != f {
		return // stopped meanwhile
	}
	if err != nil {
		r.fail(f, err)
		return
	}
	anew := f.of != [16]byte{} && f.of != of
	f.of = of
	switch {
	case f.next < 0:
		f.next, f.epoch = b.Start, -1
	case anew: // what was read is void, however far it went
		r.skip(f, b.Start, -1, true)
	case f.next < b.Start || f.next > b.End:
		r.skip(f, b.Start, -1, false)
	}
	f.state = reading
	f.due = time.Time{}
	if f.failures > 0 {
		f.due = time.Now().Add(probation)
	}
	from := kgo.NewOffset().At(f.next).WithEpoch(f.epoch)
	r.client.AddConsumePartitions(map[string]map[int32]kgo.Offset{f.topic: {f.id: from}})
}

// skip moves a follower and tells of it.
func (r *reader) skip(f *Follower, to int64, epoch int32, anew bool) {
	gap := &GapError{Topic: f.topic, Partition: f.id, From: f.next, To: to, Anew: anew}
	f.next, f.epoch = to, epoch
	r.trouble(f.topic, f.id, gap)
}

// fetched hands over what a poll brought for a partition.
func (r *reader) fetched(ctx context.Context, ftp kgo.FetchTopicPartition) {
	if ftp.Err != nil {
		r.failed(ctx, ftp.Topic, ftp.Partition, ftp.Err)
		return
	}
	r.failures = 0
	f := r.followers[place{ftp.Topic, ftp.Partition}]
	if f == nil || len(ftp.Records) == 0 {
		return
	}
	r.recovered(f)
	f.take(ftp.Records)
}

// failed finds out whom an error concerns: a partition, all of a topic, or all.
func (r *reader) failed(ctx context.Context, topic string, partition int32, err error) {
	switch {
	case topic == "" && ctx.Err() != nil: // just woken
	case topic == "":
		r.failures++
		r.trouble("", -1, err)
		rest, cancel := context.WithTimeout(ctx, backoff(r.failures))
		defer cancel()
		<-rest.Done()
	case partition < 0:
		r.failAll(topic, err)
	case errors.Is(err, kerr.UnknownTopicID) || errors.Is(err, kerr.InconsistentTopicID):
		// Deleted, perhaps made anew. The client holds on to the old one until told.
		r.failAll(topic, err)
		r.client.PurgeTopicsFromConsuming(topic)
	default:
		if f := r.followers[place{topic, partition}]; f != nil && f.state == reading {
			r.fail(f, err)
		}
	}
	if errors.Is(err, kerr.TopicAuthorizationFailed) && !r.reads(topic) {
		r.client.PurgeTopicsFromConsuming(topic) // the client would go on asking for it
	}
}

// reads reports whether any partition of a topic is fetched.
func (r *reader) reads(topic string) bool {
	for _, f := range r.followers {
		if f.topic == topic && f.state == reading {
			return true
		}
	}
	return false
}

func (r *reader) failAll(topic string, err error) {
	for _, f := range r.followers {
		if f.topic == topic && f.state == reading {
			r.fail(f, err)
		}
	}
}

// fail takes a partition out until its time has come. What is known to be gone
// is passed over, and tried again at once.
func (r *reader) fail(f *Follower, err error) {
	r.pause(f)
	f.failures++
	wait := backoff(f.failures)
	if lost, ok := errors.AsType[*kgo.ErrDataLoss](err); ok {
		r.skip(f, lost.ResetTo, lost.ResetToEpoch, false)
		wait = 0
	} else if bomb, ok := errors.AsType[*kgo.ErrDecompressTooLarge](err); ok {
		r.tell(f, err)
		r.skip(f, bomb.NextOffset, bomb.Epoch, false)
		wait = 0
	} else if errors.Is(err, kerr.OffsetOutOfRange) && f.failures == 1 {
		wait = 0 // the bounds will tell
	} else {
		r.tell(f, err)
	}
	f.due = time.Now().Add(wait)
}

func (r *reader) tell(f *Follower, err error) {
	f.troubled = err != nil
	r.trouble(f.topic, f.id, err)
}

// recovered tells that trouble is over.
func (r *reader) recovered(f *Follower) {
	if f.failures > 0 {
		f.failures = 0
		f.due = time.Time{}
	}
	if f.troubled {
		r.tell(f, nil)
	}
}

func backoff(failures int) time.Duration {
	return min(firstBackoff<<min(failures-1, 10), longBackoff)
}
