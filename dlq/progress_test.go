package dlq_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/slipway-go/slipway/dlq"
)

func TestWhatWasSentIsRememberedExactlyWhileThereIsRoom(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var p dlq.Progress
		want := map[int64]bool{}
		for _, o := range rapid.SliceOfN(rapid.Int64Range(0, 300), 0, 200).Draw(t, "sent") {
			p.Sent.Add(o)
			want[o] = true
		}
		p.State = dlq.State(rapid.IntRange(0, 2).Draw(t, "state"))
		p.End = rapid.Int64Range(0, 1<<62).Draw(t, "end")
		p.Redrive, p.Selection, p.Began = [16]byte{1, 2}, [8]byte{3}, 1_700_000_000_000
		text, forgotten := p.Encode()
		got, ok := dlq.DecodeProgress(text)
		if !ok || forgotten != 0 || got.State != p.State || got.End != p.End || got.Redrive != p.Redrive || got.Selection != p.Selection || got.Began != p.Began {
			t.Fatalf("DecodeProgress(%q) = %+v, %v; forgotten %d", text, got, ok, forgotten)
		}
		if got.Sent.Len() != int64(len(want)) {
			t.Fatalf("%d offsets, want %d", got.Sent.Len(), len(want))
		}
		start := rapid.Int64Range(0, 301).Draw(t, "start")
		got.Sent.Trim(start)
		for o := range int64(302) {
			if got.Sent.Has(o) != (want[o] && o >= start) {
				t.Fatalf("Has(%d) = %v after Trim(%d), sent %v", o, got.Sent.Has(o), start, want[o])
			}
		}
	})
}

func TestWithoutRoomTheOldestAreForgotten(t *testing.T) {
	t.Parallel()
	var p dlq.Progress
	for o := range int64(10_000) {
		p.Sent.Add(3 * o)
	}
	text, forgotten := p.Encode()
	if len(text) > 3<<10 || forgotten == 0 {
		t.Fatalf("%d bytes, %d forgotten", len(text), forgotten)
	}
	got, ok := dlq.DecodeProgress(text)
	if !ok || got.Sent.Len() != 10_000-forgotten || !got.Sent.Has(3*9999) || got.Sent.Has(0) {
		t.Errorf("%d remembered, want %d with the newest", got.Sent.Len(), 10_000-forgotten)
	}
	if got.Sent.Len() < 1000 {
		t.Errorf("%d remembered in %d bytes", got.Sent.Len(), len(text))
	}
}

func FuzzWhatOthersCommittedIsNoProgress(f *testing.F) {
	text, _ := dlq.Progress{State: dlq.Running, End: 9, Redrive: [16]byte{1}}.Encode()
	for _, s := range []string{"", "SR1", "SW1AAAA", text, text[:len(text)-1], strings.Replace(text, "A", "B", 1)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, ok := dlq.DecodeProgress(s)
		if !ok {
			return
		}
		again, forgotten := p.Encode()
		if q, ok := dlq.DecodeProgress(again); !ok || forgotten == 0 && q.Sent.Len() != p.Sent.Len() {
			t.Errorf("%q is read as %+v and then as %+v", s, p, q)
		}
	})
}
