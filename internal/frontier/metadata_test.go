package frontier_test

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/slipway-go/slipway/internal/frontier"
)

// scattered returns a frontier with n records of which all but each nth, at
// random, are finished, and not the first.
func scattered(n, nth int) *frontier.Frontier {
	random := rand.New(rand.NewPCG(1, uint64(nth)))
	f := frontier.New()
	first, _ := f.Begin(run(1_000, n, 4))
	for i := 1; i < n; i++ {
		if random.IntN(nth) > 0 {
			f.Finish(first + uint64(i))
		}
	}
	return f
}

// ranges draws what may be finished ahead of an offset.
func ranges(t *rapid.T) frontier.Ranges {
	r := frontier.Ranges{At: rapid.Int64Range(0, math.MaxInt64/2).Draw(t, "at"), Epoch: rapid.Int32Min(-1).Draw(t, "epoch")}
	length := rapid.OneOf(rapid.Int64Range(1, 4), rapid.Int64Range(1, 1_000), rapid.Int64Range(1, 1_000_000))
	at := r.At
	for range rapid.IntRange(1, 200).Draw(t, "spans") {
		first := at + length.Draw(t, "pending")
		at = first + length.Draw(t, "finished")
		r.Spans = append(r.Spans, frontier.Span{First: first, End: at})
	}
	return r
}

func TestDecodeReturnsWhatWasEncoded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := frontier.Metadata{Fence: rapid.Uint64().Draw(t, "fence")}
		if rapid.Bool().Draw(t, "map") {
			want.Ahead = ranges(t)
		}
		text, dropped := want.Encode(math.MaxInt32)
		got, ok := frontier.Decode(text, want.Ahead.At)
		if diff := cmp.Diff(want, got); !ok || dropped != 0 || diff != "" {
			t.Fatalf("Decode(%q) = %v, %d dropped, (-want +got):\n%s", text, ok, dropped, diff)
		}
	})
}

func TestTheFarthestIsDroppedAndCounted(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := frontier.Metadata{Fence: rapid.Uint64().Draw(t, "fence"), Ahead: ranges(t)}
		limit := rapid.IntRange(23, 600).Draw(t, "limit")
		text, dropped := want.Encode(limit)
		if len(text) > limit {
			t.Fatalf("Encode(%d) has %d bytes", limit, len(text))
		}
		got, ok := frontier.Decode(text, want.Ahead.At)
		if !ok || got.Fence != want.Fence {
			t.Fatalf("Decode(%q) = %v, %v, want fence %d", text, got, ok, want.Fence)
		}
		if got.Ahead.Len()+dropped != want.Ahead.Len() {
			t.Fatalf("%d kept and %d dropped of %d", got.Ahead.Len(), dropped, want.Ahead.Len())
		}
		if diff := cmp.Diff(want.Ahead.Spans[:len(got.Ahead.Spans)], got.Ahead.Spans, cmp.Comparer(sameSpans)); diff != "" {
			t.Fatalf("not the nearest were kept:\n%s", diff)
		}
	})
}

func sameSpans(a, b []frontier.Span) bool { return fmt.Sprint(a) == fmt.Sprint(b) }

// What finished ahead in a frontier is what a restarted consumer skips, at every span.
func TestARestartSkipsExactlyWhatWasFinished(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 2, 10, 1_000, 100_000, 1_000_000} {
		for _, nth := range []int{1, 2, 50, 10_000} {
			t.Run(fmt.Sprintf("%d, all but each %dth", n, nth), func(t *testing.T) {
				t.Parallel()
				at, ahead, _ := scattered(n, nth).Ahead()
				text, _ := frontier.Metadata{Ahead: ahead}.Encode(math.MaxInt32)
				got, ok := frontier.Decode(text, at.Offset)
				if !ok {
					t.Fatalf("Decode does not know its own text")
				}
				random := rand.New(rand.NewPCG(1, uint64(nth)))
				for i := 1; i < n; i++ {
					want := random.IntN(nth) > 0
					if got := got.Ahead.Contains(frontier.Position{Offset: 1_000 + int64(i), Epoch: 4}); got != want {
						t.Fatalf("offset %d: Contains = %v, want %v", 1_000+i, got, want)
					}
				}
			})
		}
	}
}

// A consumer that restarts twice must not forget, the second time, what the
// first one had finished and it had not read again.
func TestWhatWasInheritedIsPassedOn(t *testing.T) {
	t.Parallel()
	inherited := frontier.Ranges{At: 100, Epoch: 4, Spans: []frontier.Span{{101, 110}, {120, 130}, {140, 150}}}
	for name, tt := range map[string]struct {
		read []frontier.Position // from 100 on; those that were inherited are finished
		and  []int               // finished too
		at   int64
		want []frontier.Span
	}{
		"nothing read":          {at: 100, want: inherited.Spans},
		"into a span":           {read: run(100, 5, 4), at: 100, want: inherited.Spans},
		"up to a span's end":    {read: run(100, 10, 4), at: 100, want: inherited.Spans},
		"between two":           {read: run(100, 15, 4), at: 100, want: inherited.Spans},
		"all of it":             {read: run(100, 60, 4), at: 100, want: inherited.Spans},
		"the frontier is over":  {read: run(100, 5, 4), and: []int{0}, at: 105, want: []frontier.Span{{106, 110}, {120, 130}, {140, 150}}},
		"more was finished":     {read: run(100, 25, 4), and: []int{11, 19}, at: 100, want: []frontier.Span{{101, 110}, {111, 112}, {119, 130}, {140, 150}}},
		"another epoch follows": {read: append(run(100, 25, 4), run(125, 1, 5)...), at: 100, want: []frontier.Span{{101, 110}, {120, 125}}},
		"it was read backwards": {read: append(run(100, 25, 4), run(115, 1, 4)...), at: 100, want: []frontier.Span{{101, 110}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := frontier.New()
			f.Inherit(inherited)
			if len(tt.read) > 0 {
				first, _ := f.Begin(tt.read)
				for i, at := range tt.read {
					if inherited.Contains(at) || slices.Contains(tt.and, i) {
						f.Finish(first + uint64(i))
					}
				}
			}
			_, got, ok := f.Ahead()
			want := frontier.Ranges{At: tt.at, Epoch: 4, Spans: tt.want}
			if diff := cmp.Diff(want, got); ok != (len(tt.read) > 0) || diff != "" {
				t.Errorf("Ahead() = %v (-want +got):\n%s", ok, diff)
			}
		})
	}
}

func TestGapsInTheLogCostNothing(t *testing.T) {
	t.Parallel()
	f := frontier.New()
	var batch []frontier.Position
	for offset := int64(10); offset < 10_000; offset += 1 + offset%7 {
		batch = append(batch, frontier.Position{Offset: offset, Epoch: 2})
	}
	first, _ := f.Begin(batch)
	for i := 1; i < len(batch); i++ {
		f.Finish(first + uint64(i))
	}
	_, got, _ := f.Ahead()
	want := frontier.Ranges{At: 10, Epoch: 2, Spans: []frontier.Span{{First: batch[1].Offset, End: batch[len(batch)-1].Offset + 1}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Ahead() (-want +got):\n%s", diff)
	}
}

// Records that were written after the log had been cut have a higher epoch.
func TestARecordThatTookAnothersOffsetIsNotSkipped(t *testing.T) {
	t.Parallel()
	f := frontier.New()
	first, _ := f.Begin(run(0, 10, 7))
	for i := uint64(1); i < 10; i++ {
		f.Finish(first + i)
	}
	_, ahead, _ := f.Ahead()
	for epoch, want := range map[int32]bool{-1: true, 6: true, 7: true, 8: false} {
		if got := ahead.Contains(frontier.Position{Offset: 5, Epoch: epoch}); got != want {
			t.Errorf("Contains(5 of epoch %d) = %v, want %v", epoch, got, want)
		}
	}
}

func TestAMovedOffsetLosesItsMapAndKeepsTheFence(t *testing.T) {
	t.Parallel()
	at, ahead, _ := scattered(100, 2).Ahead()
	text, _ := frontier.Metadata{Fence: 5, Ahead: ahead}.Encode(0)
	got, ok := frontier.Decode(text, at.Offset-1)
	if !ok || got.Fence != 5 || got.Ahead.Len() != 0 {
		t.Errorf("Decode for another offset = %v, %v, want the fence alone", got, ok)
	}
}

func TestForeignMetadataIsIgnored(t *testing.T) {
	t.Parallel()
	good, _ := frontier.Metadata{Fence: 3}.Encode(0)
	for name, text := range map[string]string{
		"nothing":           "",
		"kgo's member id":   "svc-inventory-prod.7c1-2f0e8a34-3a5f-4c7e-9e0e-1e8f6a1c9d11",
		"kafka streams":     "AQAAAZTQ6Nu1",
		"parallel consumer": "bAAACAAAAAAA=",
		"only the magic":    "SW1",
		"not base64":        "SW1*" + strings.Repeat("=", 20),
		"padded":            good + "==",
		"cut":               good[:len(good)-2],
		"lengthened":        good + "AAAA",
		"a later version":   "SW2" + good[3:],
		"unknown flag":      signed([]byte{2, 3}),
		"no fence":          signed([]byte{0}),
		"endless fence":     signed([]byte{0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1}),
		"a map unannounced": signed([]byte{0, 3, 1, 1, 0xff}),
		"a map promised":    signed([]byte{1, 3}),
		"an epoch too high": signed([]byte{1, 3, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0xff}),
		"half a run":        signed([]byte{1, 3, 0, 0, 0x80}),
		"no runs":           signed([]byte{1, 3, 0, 0}),
		"an offset beyond":  signed(append([]byte{1, 3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0}, 0xc0)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, ok := frontier.Decode(text, 0); ok {
				t.Errorf("Decode(%q) = %v, want it ignored", text, got)
			}
		})
	}
}

func TestOneWrongCharacterIsNoticed(t *testing.T) {
	t.Parallel()
	_, ahead, _ := scattered(200, 3).Ahead()
	want := frontier.Metadata{Fence: 77, Ahead: ahead}
	text, _ := want.Encode(0)
	for i := range text {
		for _, c := range "Ab-_9=\n" {
			damaged := text[:i] + string(c) + text[i+1:]
			if got, ok := frontier.Decode(damaged, ahead.At); ok && !cmp.Equal(got, want) {
				t.Fatalf("character %d became %q: Decode = %v", i, c, got)
			}
		}
	}
}

func TestAnOrdinaryMapIsShort(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		n, nth int
		want   int // bytes of text, at most
	}{
		"50,000 behind one":                       {50_000, 50_000, 40},
		"2,000 at random":                         {2_000, 2, 420},
		"10,000, one of a hundred unfinished":     {10_000, 100, 300},
		"100,000, one of five hundred unfinished": {100_000, 500, 700},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, ahead, _ := scattered(tt.n, tt.nth).Ahead()
			text, _ := frontier.Metadata{Fence: 12, Ahead: ahead}.Encode(math.MaxInt32)
			t.Logf("%d spans in %d bytes", len(ahead.Spans), len(text))
			if len(text) > tt.want {
				t.Errorf("the map takes %d bytes, want at most %d", len(text), tt.want)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	_, ahead, _ := scattered(300, 4).Ahead()
	for _, m := range []frontier.Metadata{{}, {Fence: math.MaxUint64}, {Fence: 9, Ahead: ahead}} {
		text, _ := m.Encode(0)
		raw, _ := base64.RawURLEncoding.DecodeString(text[3:])
		f.Add(text, raw[:len(raw)-4])
	}
	f.Add("AQAAAZTQ6Nu1", []byte{1, 3, 0, 0, 0x80})
	f.Fuzz(func(t *testing.T, text string, raw []byte) {
		frontier.Decode(text, 0)
		// With its checksum put right the bytes get past the first gate.
		at := committed(raw)
		got, ok := frontier.Decode(signed(raw), at)
		if !ok {
			return
		}
		if got.Ahead.Contains(frontier.Position{Offset: at}) {
			t.Errorf("the committed offset %d is finished: %v", at, got)
		}
		again, dropped := got.Encode(math.MaxInt32)
		same, ok := frontier.Decode(again, at)
		if diff := cmp.Diff(got, same); !ok || dropped != 0 || diff != "" {
			t.Errorf("Decode of what was decoded (-want +got):\n%s", diff)
		}
	})
}

// signed returns the text that has these bytes and a checksum to match.
func signed(raw []byte) string {
	sum := crc32.Checksum(raw, crc32.MakeTable(crc32.Castagnoli))
	return "SW1" + base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint32(slices.Clone(raw), sum))
}

// committed returns the offset that bytes say their map is for.
func committed(raw []byte) int64 {
	if len(raw) == 0 {
		return 0
	}
	_, n := binary.Uvarint(raw[1:])
	if n <= 0 {
		return 0
	}
	at, _ := binary.Uvarint(raw[1+n:])
	return int64(at)
}

func BenchmarkEncode(b *testing.B) {
	for name, nth := range map[string]int{"random": 2, "sparse": 100} {
		b.Run(name, func(b *testing.B) {
			_, ahead, _ := scattered(100_000, nth).Ahead()
			for b.Loop() {
				frontier.Metadata{Ahead: ahead}.Encode(math.MaxInt32)
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	_, ahead, _ := scattered(100_000, 100).Ahead()
	text, _ := frontier.Metadata{Ahead: ahead}.Encode(0)
	for b.Loop() {
		frontier.Decode(text, ahead.At)
	}
}
