package parking_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/internal/parking"
)

// Where the parts of plainValue's value are.
const (
	atKind     = 1
	atOp       = 2
	atFlags    = 3
	atFence    = 4
	atLife     = 5
	atEpoch    = 6
	atOffset   = 7
	atAttempts = 8
	atRedrives = 9
	atSince    = 10
)

// plainValue is a mark of which all numbers take one byte, without its checksum.
var plainValue = []byte{1, byte(parking.Mark), 0, 0, 0, 0, 0, 0, 0, 0, 0}

// plainWith returns plainValue with one byte replaced, and more after it.
func plainWith(at int, replacement ...byte) []byte {
	return slices.Concat(plainValue[:at], replacement, plainValue[at+1:])
}

// plainFlagged returns plainValue with flags, and what they announce.
func plainFlagged(flags byte, tail ...byte) []byte { return append(plainWith(atFlags, flags), tail...) }

// summed returns a record whose entry has these bytes and a checksum to match.
func summed(raw []byte) *kgo.Record {
	sum := crc32.Checksum(raw, crc32.MakeTable(crc32.Castagnoli))
	return entered(binary.BigEndian.AppendUint32(slices.Clone(raw), sum))
}

func entered(value []byte) *kgo.Record {
	return &kgo.Record{Headers: []kgo.RecordHeader{{Key: "slipway-retry", Value: value}}}
}

func asUvarint(n uint64) []byte { return binary.AppendUvarint(nil, n) }

func TestCodecSaysWhatIsWrongWithAnEntry(t *testing.T) {
	t.Parallel()
	endless := bytes.Repeat([]byte{0x80}, 11)
	good := summed(plainValue).Headers[0].Value
	for name, tt := range map[string]struct {
		rec  *kgo.Record
		want string
	}{
		"empty":                  {entered(nil), "it is empty"},
		"a later version":        {summed(plainWith(0, 2)), "version 2 is unknown, want 1"},
		"only a version":         {entered([]byte{1}), "it ends after 1 bytes"},
		"cut":                    {entered(good[:len(good)-1]), "checksum is "},
		"lengthened":             {entered(append(slices.Clone(good), 0)), "checksum is "},
		"bytes behind":           {summed(append(slices.Clone(plainValue), 0, 0)), "2 bytes follow its end"},
		"no kind":                {summed(plainWith(atKind, 0)), "kind 0 is unknown"},
		"a later kind":           {summed(plainWith(atKind, 6)), "kind 6 is unknown"},
		"a mark's operation":     {summed(plainWith(atOp, 1)), "a mark has operation 1, want none"},
		"a command without op":   {summed(plainWith(atKind, 5)), "operation 0 is unknown"},
		"a later operation":      {summed(plainWith(atKind, 5, 5)[:len(plainValue)]), "operation 5 is unknown"},
		"a later flag":           {summed(plainWith(atFlags, 0x80)), "flags 0x80 are unknown"},
		"an endless fence":       {summed(plainWith(atFence, endless...)), "fence is above 18446744073709551615"},
		"nothing behind flags":   {summed(plainValue[:atFence]), "it ends within fence"},
		"half a number":          {summed(append(slices.Clone(plainValue[:atSince]), 0x80)), "it ends within since+1"},
		"a life beyond the end":  {summed(plainWith(atLife, 6)), "life has 6 bytes, and 5 are left"},
		"a life of all memory":   {summed(plainWith(atLife, asUvarint(math.MaxUint64)...)), "life has 18446744073709551615 bytes, and 5 are left"},
		"an epoch too high":      {summed(plainWith(atEpoch, asUvarint(math.MaxInt32+2)...)), "epoch+1 is above 2147483648"},
		"a negative offset":      {summed(plainWith(atOffset, asUvarint(math.MaxInt64+1)...)), "offset is above 9223372036854775807"},
		"absurd attempts":        {summed(plainWith(atAttempts, asUvarint(1_000_001)...)), "attempts is above 1000000"},
		"negative attempts":      {summed(plainWith(atAttempts, asUvarint(math.MaxUint64)...)), "attempts is above 1000000"},
		"absurd redrives":        {summed(plainWith(atRedrives, asUvarint(1_000_001)...)), "redrives is above 1000000"},
		"since too high":         {summed(plainWith(atSince, asUvarint(math.MaxInt64+2)...)), "since+1 is above 9223372036854775808"},
		"a key not there":        {summed(plainFlagged(0x10)), "it ends within key"},
		"a key beyond the end":   {summed(plainFlagged(0x10, 3, 'a', 'b')), "key has 3 bytes, and 2 are left"},
		"two keys":               {summed(plainFlagged(0x30, 1, 'a')), "its key is the record's and another one"},
		"a key the record lacks": {summed(plainFlagged(0x20)), "its key is the record's, which has none"},
		"due in year 10000":      {summed(plainFlagged(1, append(asUvarint(253_402_300_800), 0)...)), "due is above 253402300799"},
		"due half a second":      {summed(plainFlagged(1, 5)), "it ends within nanoseconds"},
		"too many nanoseconds":   {summed(plainFlagged(1, append([]byte{5}, asUvarint(1_000_000_000)...)...)), "nanoseconds is above 999999999"},
		"no time":                {summed(plainFlagged(2)), "it ends within time"},
		"before all time":        {summed(plainFlagged(2, append(binary.AppendVarint(nil, math.MinInt64), 0)...)), "time is beyond 9223372036854775 seconds"},
		"after all time":         {summed(plainFlagged(2, append(binary.AppendVarint(nil, math.MaxInt64), 0)...)), "time is beyond 9223372036854775 seconds"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := parking.Decode(tt.rec)
			if err == nil || !strings.HasPrefix(err.Error(), "decode header slipway-retry: "+tt.want) {
				t.Errorf("Decode() = %v, want %q", err, tt.want)
			}
			if errors.Is(err, parking.ErrNotEntry) {
				t.Error("a damaged entry passes for a record of another writer")
			}
			if diff := cmp.Diff(parking.Entry{}, got); diff != "" {
				t.Errorf("something was returned beside the error:\n%s", diff)
			}
		})
	}
	if _, err := parking.Decode(summed(plainValue)); err != nil {
		t.Errorf("what the faults were put into is itself at fault: %v", err)
	}
}

func TestCodecTellsForeignRecordsFromDamagedOnes(t *testing.T) {
	t.Parallel()
	for name, headers := range map[string][]kgo.RecordHeader{
		"no headers":    nil,
		"other headers": {{Key: "slipway-kind", Value: []byte("copy")}, {Key: "Slipway-Retry"}, {Key: "ce_id"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if e, err := parking.Decode(&kgo.Record{Key: []byte("k"), Headers: headers}); !errors.Is(err, parking.ErrNotEntry) {
				t.Errorf("Decode() = %v, %v, want ErrNotEntry", e, err)
			}
		})
	}
}

func TestCodecNoticesEveryChangedBitAndEveryCut(t *testing.T) {
	t.Parallel()
	value := parking.Encode(parking.Entry{
		Kind: parking.Command, Op: parking.Inject, Fence: 300, Key: []byte("key"), Attempts: 2, Redrives: 1, Since: 9,
		Ticket: parking.Ticket{Life: "redrive/4", Epoch: 3, Offset: 1 << 40},
		Due:    time.Unix(1_700_000_000, 1), Time: time.Unix(1_600_000_000, 5_000_000), Parked: true, Held: true,
	}, nil).Headers[0].Value
	for i := range 8 * len(value) {
		damaged := bytes.Clone(value)
		damaged[i/8] ^= 1 << (i % 8)
		if e, err := parking.Decode(entered(damaged)); err == nil {
			t.Errorf("bit %d changed: Decode() = %v", i, e)
		}
	}
	for i := range value {
		if e, err := parking.Decode(entered(value[:i])); err == nil {
			t.Errorf("cut to %d bytes: Decode() = %v", i, e)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, e := range []parking.Entry{
		{Kind: parking.Copy, Key: []byte("k"), Attempts: 1, Due: time.Unix(5, 0), Ticket: parking.Ticket{Life: "life", Offset: 7}},
		{Kind: parking.Mark, Key: []byte{}, Since: -1, Time: time.Unix(-1, 0)},
		{Kind: parking.Command, Op: parking.Inject, Fence: math.MaxUint64, Held: true, Parked: true},
	} {
		value := parking.Encode(e, &kgo.Record{Key: []byte("k")}).Headers[0].Value
		f.Add(value[:len(value)-4], []byte("k"))
	}
	f.Add(plainWith(atLife, asUvarint(math.MaxUint64)...), []byte(nil))
	f.Fuzz(func(t *testing.T, raw, key []byte) {
		damaged := entered(raw)
		damaged.Key = key
		_, _ = parking.Decode(damaged)
		// With its checksum put right the bytes get past the first gate.
		rec := summed(raw)
		rec.Key = key
		got, err := parking.Decode(rec)
		if err != nil {
			return
		}
		if got.Attempts < 0 || got.Redrives < 0 || got.Ticket.Offset < 0 || got.Ticket.Epoch < -1 || got.Since < -1 {
			t.Errorf("a number is out of bounds: %+v", got)
		}
		if kept := len(got.Ticket.Life) + len(got.Key); kept > len(raw)+len(key) {
			t.Errorf("%d bytes out of %d", kept, len(raw)+len(key))
		}
		again, err := parking.Decode(parking.Encode(got, parking.Original(rec, got, "t", 0)))
		if diff := cmp.Diff(got, again); err != nil || diff != "" {
			t.Errorf("Decode of what was decoded = %v, (-want +got):\n%s", err, diff)
		}
	})
}
