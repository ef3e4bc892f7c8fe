package parking_test

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/internal/parking"
)

// waitingCopy is a record as services have them, and the entry of its third attempt.
func waitingCopy() (parking.Entry, *kgo.Record) {
	r := &kgo.Record{Key: []byte("order-00001234"), Value: make([]byte, 512)}
	for _, name := range []string{"ce_id", "ce_source", "ce_specversion", "ce_time", "ce_type", "traceparent"} {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: name, Value: []byte("0f8fad5b-d9cb-469f-a165-70867728950e")})
	}
	return parking.Entry{
		Kind: parking.Copy, Fence: 12, Key: r.Key, Attempts: 2, Since: -1,
		Ticket: parking.Ticket{Life: "7d444840-9dc0-11d1-b245-5ffdce74fad2", Epoch: 4, Offset: 12_345_678},
		Due:    time.Unix(1_770_000_000, 250_000_000), Time: time.Unix(1_769_999_990, 123_000_000),
	}, r
}

func TestCodecAddsLittle(t *testing.T) {
	t.Parallel()
	e, r := waitingCopy()
	value := len(parking.Encode(e, r).Headers[len(r.Headers)].Value)
	t.Logf("slipway-retry has %d bytes", value)
	if value > 80 {
		t.Errorf("slipway-retry has %d bytes, want at most 80", value)
	}
}

func BenchmarkEncode(b *testing.B) {
	b.ReportAllocs()
	e, r := waitingCopy()
	for b.Loop() {
		parking.Encode(e, r)
	}
}

func BenchmarkDecode(b *testing.B) {
	b.ReportAllocs()
	rec := parking.Encode(waitingCopy())
	for b.Loop() {
		if _, err := parking.Decode(rec); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOriginal(b *testing.B) {
	b.ReportAllocs()
	e, r := waitingCopy()
	rec := parking.Encode(e, r)
	for b.Loop() {
		parking.Original(rec, e, "orders", 3)
	}
}
