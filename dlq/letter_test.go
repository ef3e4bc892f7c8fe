package dlq_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/dlq"
)

var (
	written = time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	born    = time.Date(2026, 11, 20, 9, 58, 0, 0, time.UTC)
)

// letter is a record of a dead-letter topic with headers, given as name and
// value in turn.
func letter(headers ...string) *kgo.Record {
	r := &kgo.Record{
		Topic: "svc-s-prod.orders.created.v1.dlq", Partition: 2, Offset: 7, Timestamp: written,
		Key: []byte("o-1"), Value: []byte(`{"total": 3}`),
	}
	for i := 0; i < len(headers); i += 2 {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: headers[i], Value: []byte(headers[i+1])})
	}
	return r
}

func be32(n int32) string { return string(binary.BigEndian.AppendUint32(nil, uint32(n))) }
func be64(n int64) string { return string(binary.BigEndian.AppendUint64(nil, uint64(n))) }

func TestEveryDialectIsRead(t *testing.T) {
	t.Parallel()
	origin := func(topic string, partition int32, offset int64, group string) dlq.Origin {
		return dlq.Origin{Topic: topic, Partition: partition, Offset: offset, Group: group, Epoch: dlq.Unknown}
	}
	millis := fmt.Sprint(born.UnixMilli())
	for name, tt := range map[string]struct {
		headers []string
		want    dlq.Letter
	}{
		"slipway": {[]string{
			"ce_id", "e-1", "__dlq.errors.topic", "orders.created.v1", "__dlq.errors.partition", "3", "__dlq.errors.offset", "41",
			"__dlq.errors.group", "svc-s-prod", "__dlq.errors.delivery.count", "4", "__dlq.errors.message", "panic: nil map",
			"slipway-reason", "exhausted", "slipway-timestamp", "2026-11-20T09:58:00Z", "slipway-stack", "goroutine 1",
			"slipway-redrives", "2",
		}, dlq.Letter{
			Dialect: dlq.Slipway, Reason: dlq.Exhausted, Error: "panic: nil map", Stack: "goroutine 1", Attempts: 4, Redrives: 2,
			Origin:  dlq.Origin{Topic: "orders.created.v1", Partition: 3, Offset: 41, Group: "svc-s-prod", Time: born, Epoch: dlq.Unknown},
			Headers: []dlq.Header{{Key: "ce_id", Value: "e-1"}},
		}},
		"kip-1191": {[]string{
			"__dlq.errors.topic", "t", "__dlq.errors.partition", "0", "__dlq.errors.offset", "0", "__dlq.errors.group", "g",
			"__dlq.errors.delivery.count", "5", "__dlq.errors.message", "Offset rejected by client.",
		}, dlq.Letter{Dialect: dlq.ShareGroup, Error: "Offset rejected by client.", Attempts: 5, Origin: origin("t", 0, 0, "g")}},
		"spring": {[]string{
			"kafka_dlt-original-topic", "t", "kafka_dlt-original-partition", be32(6), "kafka_dlt-original-offset", be64(1 << 40),
			"kafka_dlt-original-timestamp", be64(born.UnixMilli()), "kafka_dlt-original-timestamp-type", "CreateTime",
			"kafka_dlt-original-consumer-group", "g", "kafka_dlt-exception-fqcn", "org.springframework.kafka.listener.ListenerExecutionFailedException",
			"kafka_dlt-exception-cause-fqcn", "java.lang.IllegalStateException", "kafka_dlt-exception-message", "Listener failed",
			"kafka_dlt-exception-stacktrace", "at a\n\tat b", "kafka_deliveryAttempt", be32(3), "own", "x",
		}, dlq.Letter{
			Dialect: dlq.Spring, Class: "java.lang.IllegalStateException", Error: "Listener failed", Stack: "at a\n\tat b", Attempts: 3,
			Origin:  dlq.Origin{Topic: "t", Partition: 6, Offset: 1 << 40, Group: "g", Time: born, Epoch: dlq.Unknown},
			Headers: []dlq.Header{{Key: "own", Value: "x"}},
		}},
		"spring's retry topics": {[]string{
			"kafka_original-topic", "t", "kafka_original-partition", be32(0), "kafka_original-offset", be64(3), "kafka_original-timestamp", be64(born.UnixMilli()),
			"kafka_exception-fqcn", "E", "kafka_exception-message", "m", "retry_topic-attempts", be32(4), "retry_topic-original-timestamp", be64(born.UnixMilli()),
		}, dlq.Letter{
			Dialect: dlq.Spring, Class: "E", Error: "m", Attempts: 4, First: born,
			Origin: dlq.Origin{Topic: "t", Partition: 0, Offset: 3, Time: born, Epoch: dlq.Unknown},
		}},
		"spring, numbers as text": {[]string{
			"kafka_dlt-original-topic", "t", "kafka_dlt-original-partition", "1234", "kafka_dlt-original-offset", "12345678", "kafka_dlt-original-timestamp", millis,
		}, dlq.Letter{Dialect: dlq.Spring, Origin: dlq.Origin{Topic: "t", Partition: 1234, Offset: 12345678, Time: born, Epoch: dlq.Unknown}}},
		"smallrye": {[]string{
			"dead-letter-exception-class-name", "java.lang.RuntimeException", "dead-letter-reason", "went wrong",
			"dead-letter-cause-class-name", "java.io.IOException", "dead-letter-cause", "disk full",
			"dead-letter-topic", "movies", "dead-letter-partition", "1", "dead-letter-offset", "9",
		}, dlq.Letter{Dialect: dlq.SmallRye, Class: "java.io.IOException", Error: "went wrong: disk full", Origin: origin("movies", 1, 9, "")}},
		"karafka": {[]string{
			"source_topic", "t", "source_partition", "1", "source_offset", "12", "source_consumer_group", "g", "source_attempts", "3", "source_trace_id", "abc",
		}, dlq.Letter{Dialect: dlq.Karafka, Attempts: 3, Origin: origin("t", 1, 12, "g")}},
		"karafka 2.4": {[]string{
			"original_topic", "t", "original_partition", "1", "original_offset", "12", "original_consumer_group", "g", "original_attempts", "3", "original_key", "k",
		}, dlq.Letter{Dialect: dlq.Karafka, Attempts: 3, Origin: origin("t", 1, 12, "g")}},
		"watermill": {[]string{
			"reason_poisoned", "dial tcp: refused", "topic_poisoned", "t", "handler_poisoned", "h", "subscriber_poisoned", "kafka.Subscriber",
		}, dlq.Letter{Dialect: dlq.Watermill, Class: "h", Error: "dial tcp: refused", Origin: origin("t", dlq.Unknown, dlq.Unknown, "")}},
		"connect": {[]string{
			"__connect.errors.topic", "t", "__connect.errors.partition", "5", "__connect.errors.offset", "77", "__connect.errors.connector.name", "sink",
			"__connect.errors.task.id", "0", "__connect.errors.stage", "VALUE_CONVERTER", "__connect.errors.class.name", "JsonConverter",
			"__connect.errors.exception.class.name", "DataException", "__connect.errors.exception.message", "bad json", "__connect.errors.exception.stacktrace", "at x",
		}, dlq.Letter{Dialect: dlq.Connect, Class: "DataException", Error: "bad json", Stack: "at x", Origin: origin("t", 5, 77, "sink")}},
		"streams": {[]string{
			"__streams.errors.topic", "t", "__streams.errors.partition", "2", "__streams.errors.offset", "3",
			"__streams.errors.exception", "E", "__streams.errors.message", "m", "__streams.errors.stacktrace", "s",
		}, dlq.Letter{Dialect: dlq.KafkaStreams, Class: "E", Error: "m", Stack: "s", Origin: origin("t", 2, 3, "")}},
		"none": {[]string{"a", "b"}, dlq.Letter{Origin: origin("", dlq.Unknown, dlq.Unknown, ""), Headers: []dlq.Header{{Key: "a", Value: "b"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := dlq.Read(letter(tt.headers...))
			want := tt.want
			want.Ref, want.Time, want.Last = dlq.Ref{Topic: "svc-s-prod.orders.created.v1.dlq", Partition: 2, Offset: 7}, written, written
			want.Key, want.ValueSize = []byte("o-1"), 12
			if diff := cmp.Diff(&want, got, cmpopts.IgnoreFields(dlq.Letter{}, "Record")); diff != "" {
				t.Errorf("letter (-want +got):\n%s", diff)
			}
		})
	}
}

// A record that passed another tool before it died here says of this death what
// we wrote; what the other tool wrote belongs to the record.
func TestEvidenceOfAnEarlierDeathIsTheRecordsOwn(t *testing.T) {
	t.Parallel()
	got := dlq.Read(letter("kafka_dlt-original-topic", "other", "dead-letter-partition", "1",
		"__dlq.errors.topic", "t", "__dlq.errors.partition", "0", "__dlq.errors.offset", "1", "slipway-reason", "rejected"))
	if got.Dialect != dlq.Slipway || got.Origin.Topic != "t" || got.Reason != dlq.Rejected {
		t.Errorf("letter = %+v, want what slipway wrote", got)
	}
	want := []dlq.Header{{Key: "kafka_dlt-original-topic", Value: "other"}, {Key: "dead-letter-partition", Value: "1"}}
	if diff := cmp.Diff(want, got.Headers); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
}

func TestHostileEvidenceIsClampedAndTold(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		headers []string
		fault   string // empty for none
	}{
		"negative partition":   {[]string{"__dlq.errors.partition", "-1"}, `__dlq.errors.partition is "-1", which is no partition`},
		"partition of 2^31":    {[]string{"__dlq.errors.partition", "2147483648"}, "no partition"},
		"offset of 2^63":       {[]string{"__dlq.errors.offset", "9223372036854775808"}, "no offset"},
		"not a number":         {[]string{"__dlq.errors.delivery.count", "NaN"}, "no count"},
		"negative count":       {[]string{"slipway-redrives", "-1"}, "no count"},
		"count of 2^63-1":      {[]string{"slipway-redrives", fmt.Sprint(int64(math.MaxInt64))}, ""},
		"negative, as binary":  {[]string{"kafka_dlt-original-partition", be32(-1)}, "no partition"},
		"year 99999":           {[]string{"slipway-timestamp", "99999-01-01T00:00:00Z"}, "no time"},
		"time before 1970":     {[]string{"slipway-timestamp", "1969-12-31T23:59:59Z"}, "no time"},
		"time of 2^63":         {[]string{"kafka_dlt-original-timestamp", be64(math.MaxInt64)}, "no time"},
		"control characters":   {[]string{"__dlq.errors.partition", "\x1b[2J\r\n\x00"}, `"0x1b5b324a0d0a00"`},
		"invalid UTF-8":        {[]string{"__dlq.errors.offset", "\xff\xfe"}, `"0xfffe"`},
		"a life that is no id": {[]string{"slipway-life", "a b"}, "no topic id"},
		"twice, the last wins": {[]string{"__dlq.errors.partition", "-1", "__dlq.errors.partition", "1"}, ""},
		"a text of 1 MiB":      {[]string{"__dlq.errors.message", strings.Repeat("\u00e4", 1<<19), "slipway-stack", strings.Repeat("x", 1<<20)}, ""},
		"10,000 headers":       {manyHeaders(10_000), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := dlq.Read(letter(tt.headers...))
			if tt.fault == "" && len(l.Faults) > 0 || tt.fault != "" && (len(l.Faults) != 1 || !strings.Contains(l.Faults[0], tt.fault)) {
				t.Errorf("faults = %q, want %q", l.Faults, tt.fault)
			}
			requireSane(t, l)
		})
	}
}

func manyHeaders(n int) []string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("slipway-%d", i), "x", fmt.Sprintf("own-%d", i), "x")
	}
	return all
}

// requireSane fails if a letter has anything that a view or a filter could
// stumble on.
func requireSane(t *testing.T, l *dlq.Letter) {
	t.Helper()
	for _, text := range append([]string{l.Origin.Topic, l.Origin.Group, l.Reason, l.Class, l.Error, l.Stack, l.KeyText()}, l.Faults...) {
		if !utf8.ValidString(text) || len(text) > 16<<10 {
			t.Errorf("text of %d bytes: %.80q", len(text), text)
		}
	}
	if l.Attempts < 0 || l.Attempts > dlq.MaxCount || l.Redrives < 0 || l.Redrives > dlq.MaxCount {
		t.Errorf("attempts %d, redrives %d", l.Attempts, l.Redrives)
	}
	if l.Origin.Partition < dlq.Unknown || l.Origin.Offset < dlq.Unknown || l.Origin.Epoch < dlq.Unknown {
		t.Errorf("origin = %+v", l.Origin)
	}
	if len(l.Headers) > dlq.MaxHeaders {
		t.Errorf("%d headers", len(l.Headers))
	}
	for _, at := range []time.Time{l.Time, l.First, l.Last, l.Origin.Time} {
		if _, err := at.MarshalJSON(); err != nil {
			t.Errorf("time cannot be written: %v", err)
		}
	}
}

func FuzzNothingInAHeaderIsBelievedBlindly(f *testing.F) {
	for _, name := range []string{"__dlq.errors.partition", "slipway-life", "slipway-timestamp", "kafka_dlt-original-offset", "retry_topic-attempts", "source_offset", "reason_poisoned"} {
		f.Add(name, []byte("12345678"), int64(0))
		f.Add(name, []byte{0, 0, 0, 1}, int64(math.MaxInt64))
	}
	f.Fuzz(func(t *testing.T, name string, value []byte, millis int64) {
		r := letter(name, string(value))
		r.Timestamp = time.UnixMilli(millis)
		requireSane(t, dlq.Read(r))
	})
}

func BenchmarkReadOfTenThousandHeaders(b *testing.B) {
	r := letter(manyHeaders(5_000)...)
	for b.Loop() {
		dlq.Read(r)
	}
}

func TestALettersPlaceIsReadBack(t *testing.T) {
	t.Parallel()
	want := dlq.Ref{Topic: "svc-s-prod.orders.created.v1.dlq", Partition: 2, Offset: 1 << 40}
	if got, err := dlq.ParseRef(want.String()); err != nil || got != want {
		t.Errorf("ParseRef(%q) = %v, %v", want, got, err)
	}
	for _, text := range []string{"", "t", "t/1", "/1/2", "t/-1/2", "t/1/-2", "t/2147483648/0", "t/1/2/3", "t/a/b", "t/+1/2x"} {
		if _, err := dlq.ParseRef(text); err == nil || diag.Of(err)[0].Code != diag.DLQReference {
			t.Errorf("ParseRef(%q) = %v, want %s", text, err, diag.DLQReference)
		}
	}
}
