package frontier_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/slipway-go/slipway/internal/frontier"
)

// A model is a frontier as a list, without any cleverness.
type model struct {
	records []record // in offset order
	end     frontier.Position
	begun   bool
}

type record struct {
	seq  uint64
	at   frontier.Position
	done bool
}

func (m *model) begin(first uint64, batch []frontier.Position) {
	for i, at := range batch {
		for n := len(m.records); n > 0 && m.records[n-1].at.Offset >= at.Offset; n-- {
			m.records = m.records[:n-1]
		}
		m.records = append(m.records, record{seq: first + uint64(i), at: at})
		m.end = frontier.Position{Offset: at.Offset + 1, Epoch: at.Epoch}
		m.begun = true
	}
}

// open returns the records from the lowest unfinished one on.
func (m *model) open() []record {
	for i, r := range m.records {
		if !r.done {
			return m.records[i:]
		}
	}
	return nil
}

func (m *model) position() frontier.Position {
	if open := m.open(); len(open) > 0 {
		return open[0].at
	}
	return m.end
}

func (m *model) check(t *rapid.T, f *frontier.Frontier) {
	open := m.open()
	if got := f.Open(); got != len(open) {
		t.Fatalf("Open() = %d, want %d", got, len(open))
	}
	at, ok := f.Position()
	if want := m.position(); ok != m.begun || ok && at != want {
		t.Fatalf("Position() = %v, %v, want %v, %v", at, ok, want, m.begun)
	}
	head, since, ok := f.Head()
	if ok != (len(open) > 0) || ok == since.IsZero() || ok && head != at {
		t.Fatalf("Head() = %v, %v, %v with %d open at %v", head, since, ok, len(open), at)
	}
	same, ahead, ok := f.Ahead()
	if same != at || ok != m.begun || ok && ahead.At != at.Offset {
		t.Fatalf("Ahead() = %v, %v, %v, want those of %v", same, ahead, ok, at)
	}
	spans := 0
	for i, r := range open {
		if ahead.Contains(r.at) != r.done {
			t.Fatalf("record %v: in Ahead is %v, finished is %v (%v)", r.at, !r.done, r.done, ahead)
		}
		if r.done && !open[i-1].done {
			spans++
		}
	}
	if len(ahead.Spans) != spans {
		t.Fatalf("Ahead() has %d spans, want %d: %v", len(ahead.Spans), spans, ahead)
	}
}

// batches draws positions that ascend, with gaps and new epochs now and then,
// from somewhere behind the last one, or (a rewind) before it.
func batches(t *rapid.T, from frontier.Position) []frontier.Position {
	at := from
	if rapid.IntRange(0, 9).Draw(t, "rewind") == 0 {
		at.Offset = max(0, at.Offset-rapid.Int64Range(1, 4000).Draw(t, "back"))
		at.Epoch++
	}
	batch := make([]frontier.Position, rapid.IntRange(0, 1500).Draw(t, "batch"))
	gap := rapid.SampledFrom([]int64{0, 0, 1, 3}).Draw(t, "gap")
	every := rapid.IntRange(1, 50).Draw(t, "every")
	for i := range batch {
		if i%every == 0 {
			at.Offset += gap
		}
		batch[i] = at
		at.Offset++
	}
	return batch
}

func TestFrontierIsTheLowestUnfinishedOffset(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f, m := frontier.New(), &model{}
		t.Repeat(map[string]func(*rapid.T){
			"": func(t *rapid.T) { m.check(t, f) },
			"begin": func(t *rapid.T) {
				batch := batches(t, m.end)
				back := m.begun && len(batch) > 0 && batch[0].Offset < m.end.Offset
				first, rewind := f.Begin(batch)
				if (rewind != nil) != back {
					t.Fatalf("Begin() tells of a rewind: %v, want %v", rewind, back)
				}
				m.begin(first, batch)
			},
			"finish": func(t *rapid.T) {
				if len(m.records) == 0 {
					t.Skip()
				}
				i := rapid.IntRange(0, len(m.records)-1).Draw(t, "from")
				step := rapid.IntRange(1, 5).Draw(t, "step")
				for n := rapid.IntRange(1, 700).Draw(t, "count"); n > 0 && i < len(m.records); n, i = n-1, i+step {
					f.Finish(m.records[i].seq)
					f.Finish(m.records[i].seq) // twice changes nothing
					m.records[i].done = true
				}
			},
		})
	})
}
