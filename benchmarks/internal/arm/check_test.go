package arm

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/benchmarks/internal/broker"
)

func record(offset int64, key uint32) Record {
	return Record{Offset: offset, Value: binary.BigEndian.AppendUint32(nil, key)}
}

// A check that cannot fail would make every client look right.
func TestTheCheckNoticesWhatAClientMustNotDo(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		run                func(c *check)
		repeats, disorders int64
	}{
		"nothing": {run: func(c *check) {
			for offset := range int64(4) {
				c.enter(record(offset, uint32(offset%2)))
				c.leave(record(offset, uint32(offset%2)))
			}
		}},
		"a record twice": {run: func(c *check) {
			for range 2 {
				c.enter(record(1, 0))
				c.leave(record(1, 0))
			}
		}, repeats: 1, disorders: 1},
		"a key overtaken": {run: func(c *check) {
			for _, offset := range []int64{2, 1} {
				c.enter(record(offset, 0))
				c.leave(record(offset, 0))
			}
		}, disorders: 1},
		"a key twice at a time": {run: func(c *check) {
			c.enter(record(1, 0))
			c.enter(record(2, 0))
			c.leave(record(1, 0))
			c.leave(record(2, 0))
		}, disorders: 1},
		"other keys at a time": {run: func(c *check) {
			c.enter(record(2, 0))
			c.enter(record(1, 1))
			c.leave(record(2, 0))
			c.leave(record(1, 1))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCheck(Spec{Ends: []int64{4}, Keys: 2}, true)
			tt.run(c)
			if r, d := c.repeats(), c.disorders.Load(); r != tt.repeats || d != tt.disorders {
				t.Errorf("%d repeats, %d disorders, want %d, %d", r, d, tt.repeats, tt.disorders)
			}
		})
	}
}

func TestABacklogIsReadWhenEveryRecordButThePoisonedIsHandled(t *testing.T) {
	t.Parallel()
	c := newCheck(Spec{Ends: []int64{2, 1}, Zero: []int64{1, 0}, Keys: 2, Poison: true}, false)
	for i, r := range []Record{record(1, 1), {Partition: 1, Offset: 0, Value: make([]byte, 4)}} {
		select {
		case <-c.all:
			t.Fatalf("read to its end after %d of 2 records", i)
		default:
		}
		c.enter(r)
		c.leave(r)
	}
	<-c.all
	if got := c.handled(); got != 2 {
		t.Errorf("handled() = %d, want 2", got)
	}
}

func TestATrackerCommitsTheLowestUnfinishedOffset(t *testing.T) {
	t.Parallel()
	tr := newTracker(nil, "t")
	var records []*kgo.Record
	for offset := range int64(4) {
		records = append(records, &kgo.Record{Partition: 3, Offset: offset + 10})
	}
	tr.begin(records)
	for _, step := range []struct {
		finish int
		want   int64
	}{{1, 10}, {0, 12}, {3, 12}, {2, 14}} {
		tr.finish(records[step.finish : step.finish+1])
		if got := tr.offsets()["t"][3].Offset; got != step.want {
			t.Errorf("after finishing offset %d: commits %d, want %d", records[step.finish].Offset, got, step.want)
		}
	}
}

func TestAPauseIsTheLongestTimeBetweenTwoRecordsAfterTheEvent(t *testing.T) {
	t.Parallel()
	began := time.Unix(100, 0)
	at := func(ms int) time.Time { return began.Add(time.Duration(ms) * time.Millisecond) }
	l := &handledLog{}
	for p := range broker.Partitions {
		l.events[p] = []handledEvent{{"a", at(-500)}, {"a", at(-10)}, {"a", at(20)}, {"a", at(40)}}
	}
	l.events[2] = []handledEvent{{"a", at(-10)}, {"b", at(700)}, {"b", at(720)}}
	r := Result{}
	l.pauses(r, "join", began, at(1_000))
	if r["join_moved"] != 710 || r["join_kept"] != 30 || r["join_count"] != 1 {
		t.Errorf("moved %v ms, kept %v ms, %v partitions moved, want 710, 30, 1", r["join_moved"], r["join_kept"], r["join_count"])
	}
}

// What the check itself costs every arm with an empty handler.
func BenchmarkCheck(b *testing.B) {
	const records = 1 << 20
	c := newCheck(Spec{Ends: []int64{records}, Keys: 1}, false)
	r := record(0, 0)
	for b.Loop() {
		r.Offset = (r.Offset + 1) % records
		c.enter(r)
		c.leave(r)
	}
}
