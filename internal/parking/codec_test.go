package parking_test

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
	"pgregory.net/rapid"

	"github.com/slipway-go/slipway/internal/parking"
)

// wireEntry draws what an entry may say.
func wireEntry(t *rapid.T) parking.Entry {
	e := parking.Entry{
		Kind:  parking.Kind(rapid.IntRange(1, 5).Draw(t, "kind")),
		Fence: rapid.Uint64().Draw(t, "fence"),
		Ticket: parking.Ticket{
			Life:   rapid.String().Draw(t, "life"),
			Epoch:  rapid.Int32Min(-1).Draw(t, "epoch"),
			Offset: rapid.Int64Min(0).Draw(t, "offset"),
		},
		Key:      wireBytes(t, "entry key"),
		Attempts: rapid.IntRange(0, 1_000_000).Draw(t, "attempts"),
		First:    wireTime(t, "first", 0, 253_402_300_799),
		Due:      wireTime(t, "due", 0, 253_402_300_799),
		Parked:   rapid.Bool().Draw(t, "parked"),
		Since:    rapid.Int64Min(-1).Draw(t, "since"),
		Held:     rapid.Bool().Draw(t, "held"),
		Time:     wireTime(t, "time", math.MinInt64/1000, math.MaxInt64/1000),
		Redrives: rapid.IntRange(0, 1_000_000).Draw(t, "redrives"),
	}
	if e.Kind == parking.Command {
		e.Op = parking.Op(rapid.IntRange(1, 4).Draw(t, "op"))
	}
	return e
}

// wireBytes draws nil, empty or some bytes, and often the same few.
func wireBytes(t *rapid.T, label string) []byte {
	return rapid.OneOf(rapid.SampledFrom([][]byte{nil, {}, []byte("k1")}), rapid.SliceOf(rapid.Byte())).Draw(t, label)
}

func wireTime(t *rapid.T, label string, first, last int64) time.Time {
	if rapid.Bool().Draw(t, "no "+label) {
		return time.Time{}
	}
	return time.Unix(rapid.Int64Range(first, last).Draw(t, label), rapid.Int64Range(0, 999_999_999).Draw(t, label+" ns"))
}

// sourceRecord draws a record as the source topic may hold it, with headers
// that are called like ours, and even hold what ours hold.
func sourceRecord(t *rapid.T) *kgo.Record {
	forged := parking.Encode(parking.Entry{Kind: parking.Mark, Fence: math.MaxUint64}, nil).Headers[0].Value
	header := rapid.Custom(func(t *rapid.T) kgo.RecordHeader {
		name := rapid.OneOf(rapid.String(),
			rapid.SampledFrom([]string{"slipway-retry", "slipway-kind", "slipway-attempts", "slipway-due", "ce_id"}))
		value := rapid.OneOf(rapid.SampledFrom([][]byte{nil, {}, forged}), rapid.SliceOf(rapid.Byte()))
		return kgo.RecordHeader{Key: name.Draw(t, "name"), Value: value.Draw(t, "value")}
	})
	r := &kgo.Record{Key: wireBytes(t, "key"), Value: wireBytes(t, "value"), Headers: rapid.SliceOfN(header, 0, 6).Draw(t, "headers")}
	if len(r.Headers) == 0 {
		r.Headers = nil // as kgo has it
	}
	return r
}

// clonedRecord returns a record that shares nothing.
func clonedRecord(r *kgo.Record) *kgo.Record {
	c := *r
	c.Key, c.Value, c.Headers = bytes.Clone(r.Key), bytes.Clone(r.Value), slices.Clone(r.Headers)
	for i := range c.Headers {
		c.Headers[i].Value = bytes.Clone(c.Headers[i].Value)
	}
	return &c
}

func diffRecords(want, got *kgo.Record) string {
	return cmp.Diff(want, got, cmp.Comparer(func(a, b kgo.RecordAttrs) bool { return a == b }))
}

func TestCodecReturnsWhatWasEncoded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := wireEntry(t)
		var payload *kgo.Record
		if rapid.Bool().Draw(t, "with a record") {
			payload = sourceRecord(t)
		}
		got, err := parking.Decode(clonedRecord(parking.Encode(want, payload)))
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Fatalf("Decode() = %v, (-want +got):\n%s", err, diff)
		}
	})
}

// However often a record goes round it is the same, and its copy no larger.
func TestCodecRestoresTheSourceRecordRoundAfterRound(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		e, payload := wireEntry(t), sourceRecord(t)
		before, want := clonedRecord(payload), clonedRecord(payload)
		want.Topic, want.Partition, want.Timestamp = "orders", 3, e.Time
		want.Offset, want.LeaderEpoch = e.Ticket.Offset, e.Ticket.Epoch
		first := parking.Encode(e, payload)
		rec := clonedRecord(first)
		for range 3 {
			decoded, err := parking.Decode(rec)
			if err != nil {
				t.Fatal(err)
			}
			got := parking.Original(rec, decoded, "orders", 3)
			if diff := diffRecords(want, got); diff != "" {
				t.Fatalf("Original() (-want +got):\n%s", diff)
			}
			rec = parking.Encode(decoded, got)
			if diff := diffRecords(first, rec); diff != "" {
				t.Fatalf("the next copy (-first +next):\n%s", diff)
			}
		}
		if diff := diffRecords(before, payload); diff != "" {
			t.Fatalf("the payload was changed (-before +after):\n%s", diff)
		}
	})
}

func TestCodecShowsPeopleWhatARecordIs(t *testing.T) {
	t.Parallel()
	due := time.Date(2026, 3, 1, 12, 0, 0, 250_900_000, time.FixedZone("", 3600))
	copied := &kgo.Record{Key: []byte("k"), Value: []byte("v"), Headers: []kgo.RecordHeader{{Key: "a", Value: []byte("1")}}}
	for name, tt := range map[string]struct {
		entry   parking.Entry
		payload *kgo.Record
		want    string // key, value and the headers but slipway-retry
	}{
		"copy":          {parking.Entry{Kind: parking.Copy, Attempts: 3, Due: due}, copied, `"k" "v" a=1 slipway-kind=copy slipway-attempts=3 slipway-due=2026-03-01T11:00:00.250Z`},
		"follower":      {parking.Entry{Kind: parking.Copy}, copied, `"k" "v" a=1 slipway-kind=copy`},
		"mark":          {parking.Entry{Kind: parking.Mark, Key: []byte("k")}, nil, `nil nil slipway-kind=mark`},
		"fence":         {parking.Entry{Kind: parking.Fence, Fence: 7}, nil, `nil nil slipway-kind=fence`},
		"hold":          {parking.Entry{Kind: parking.Hold, Held: true}, nil, `nil nil slipway-kind=hold`},
		"release":       {parking.Entry{Kind: parking.Command, Op: parking.Release}, nil, `nil nil slipway-kind=release`},
		"skip":          {parking.Entry{Kind: parking.Command, Op: parking.Skip}, nil, `nil nil slipway-kind=skip`},
		"park":          {parking.Entry{Kind: parking.Command, Op: parking.Park}, nil, `nil nil slipway-kind=park`},
		"inject":        {parking.Entry{Kind: parking.Command, Op: parking.Inject}, copied, `"k" "v" a=1 slipway-kind=inject`},
		"tombstone":     {parking.Entry{Kind: parking.Copy}, &kgo.Record{Key: []byte{}}, `"" nil slipway-kind=copy`},
		"a late year":   {parking.Entry{Kind: parking.Copy, Due: time.Date(20_000, 1, 1, 0, 0, 0, 0, time.UTC)}, copied, `"k" "v" a=1 slipway-kind=copy slipway-due=9999-12-31T23:59:59.999Z`},
		"too many":      {parking.Entry{Kind: parking.Copy, Attempts: math.MaxInt}, copied, `"k" "v" a=1 slipway-kind=copy slipway-attempts=1000000`},
		"an early year": {parking.Entry{Kind: parking.Copy, Due: time.Date(1969, 1, 1, 0, 0, 0, 0, time.UTC)}, copied, `"k" "v" a=1 slipway-kind=copy slipway-due=1970-01-01T00:00:00.000Z`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rec := parking.Encode(tt.entry, tt.payload)
			if got := readableRecord(rec); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if _, err := parking.Decode(rec); err != nil {
				t.Error(err)
			}
		})
	}
}

func readableRecord(r *kgo.Record) string {
	text := func(b []byte) string {
		if b == nil {
			return "nil"
		}
		return strconv.Quote(string(b))
	}
	words := []string{text(r.Key), text(r.Value)}
	for _, h := range r.Headers {
		if h.Key != "slipway-retry" {
			words = append(words, h.Key+"="+string(h.Value))
		}
	}
	return strings.Join(words, " ")
}

// Numbers that nobody can mean are put in bounds instead of making a record
// that cannot be read back.
func TestCodecReadsWhateverItWrote(t *testing.T) {
	t.Parallel()
	far := time.Unix(math.MaxInt64/2, 5)
	got, err := parking.Decode(parking.Encode(parking.Entry{
		Kind: parking.Copy, Ticket: parking.Ticket{Epoch: math.MinInt32}, Attempts: -4, Redrives: math.MaxInt,
		Since: math.MinInt64, Due: far, Time: far,
	}, nil))
	want := parking.Entry{
		Kind: parking.Copy, Ticket: parking.Ticket{Epoch: -1}, Redrives: 1_000_000, Since: -1,
		Due: time.Unix(253_402_300_799, 999_999_999), Time: time.Unix(math.MaxInt64/1000, 999_999_999),
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("Decode() = %v, (-want +got):\n%s", err, diff)
	}
}

func TestCodecPanicsOnWhatIsNoEntry(t *testing.T) {
	t.Parallel()
	for name, e := range map[string]parking.Entry{
		"no kind":         {},
		"unknown kind":    {Kind: parking.Command + 1},
		"no operation":    {Kind: parking.Command},
		"op unknown":      {Kind: parking.Command, Op: parking.Inject + 1},
		"op of a copy":    {Kind: parking.Copy, Op: parking.Skip},
		"negative offset": {Kind: parking.Copy, Ticket: parking.Ticket{Offset: -1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				if got := fmt.Sprint(recover()); !strings.HasPrefix(got, "parking: entry cannot be encoded") {
					t.Errorf("panic is %q", got)
				}
			}()
			parking.Encode(e, nil)
		})
	}
}

// A hook of the client may add headers behind ours.
func TestCodecLeavesOutWhatWasAddedOnTheWay(t *testing.T) {
	t.Parallel()
	rec := parking.Encode(parking.Entry{Kind: parking.Copy}, &kgo.Record{Headers: []kgo.RecordHeader{{Key: "a"}}})
	rec.Headers = append(rec.Headers, kgo.RecordHeader{Key: "traceparent", Value: []byte("00-1")})
	e, err := parking.Decode(rec)
	if err != nil {
		t.Fatal(err)
	}
	got := parking.Original(rec, e, "t", 0).Headers
	if diff := cmp.Diff([]kgo.RecordHeader{{Key: "a"}}, got); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
	_ = append(got, kgo.RecordHeader{Key: "mine"})
	if again, err := parking.Decode(rec); err != nil || !cmp.Equal(again, e) {
		t.Errorf("appending to the original's headers damaged the copy: %v, %v", again, err)
	}
}

// What lies behind a slice of headers may be somebody else's.
func TestCodecWritesNothingBehindThePayloadsHeaders(t *testing.T) {
	t.Parallel()
	all := []kgo.RecordHeader{{Key: "a"}, {Key: "another's"}}
	parking.Encode(parking.Entry{Kind: parking.Copy}, &kgo.Record{Headers: all[:1]})
	if all[1].Key != "another's" {
		t.Errorf("the header behind the payload's became %s", all[1].Key)
	}
}
