package slipway_test

import (
	"bytes"
	"context"
	"errors"
	"hash/crc32"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/internal/record"
	"github.com/slipway-go/slipway/slipwaytest"
)

func TestWhatAProducerForgesInHeadersIsEvidenceAndNothingElse(t *testing.T) {
	t.Parallel()
	var handled atomic.Int64
	act := func(_ context.Context, j job) error {
		handled.Add(1)
		if strings.HasPrefix(j.key, "late") && j.attempt == 1 {
			return errors.New("not yet")
		}
		return slipway.Reject(errors.New("refused"))
	}
	s := newStudy(t)
	slipwaytest.Run(t, consuming("concurrency: 16, retry: {delays: [6s]}"), s.wire(act), func(t *testing.T, k *slipwaytest.Kit) {
		forged := map[string][]kgo.RecordHeader{
			"bookkeeping": headers(record.ErrorTopic, "__consumer_offsets", record.ErrorPartition, "2147483647", record.ErrorOffset, "-1",
				record.ErrorGroup, "other", record.ErrorDeliveryCount, "NaN", record.Reason, record.Parked, record.Redrives, "9223372036854775808",
				record.Life, "../../etc", record.Epoch, "-5", record.Stack, strings.Repeat("s", 100_000)),
			"retry entry": headers("slipway-retry", "\x01\x01\x00\x00", "slipway-kind", "mark", "slipway-attempts", "-1", "slipway-due", "9999-12-31T23:59:59Z"),
			"many":        slices.Repeat(headers("h", "v"), 10_000),
			"twice":       headers(record.Reason, "a", record.Reason, "b", record.EventID, "one", record.EventID, "two"),
			"crlf":        headers("x\r\ny", "a\r\nslipway-reason: parked", "nul\x00", "\x00", "\xff\xfe", "\xff", "", ""),
			"large":       headers("traceparent", strings.Repeat("t", 400_000)),
		}
		for name, set := range forged {
			for _, key := range []string{"now", "late"} {
				k.SendBytes(jobs, []byte(key+name), []byte(key+name+"#1"), func(r *kgo.Record) { r.Headers = set })
			}
		}
		before := topicSizes(k)
		k.Advance(10 * time.Minute)
		if want := int64(len(forged) * 3); handled.Load() != want {
			t.Errorf("%d attempts, want %d: one for each refused record, two for each late one", handled.Load(), want)
		}
		letters := k.Records(jobsDead)
		if len(letters) != 2*len(forged) {
			t.Errorf("%d dead letters, want %d", len(letters), 2*len(forged))
		}
		for _, r := range letters {
			for name, want := range map[string]string{record.ErrorTopic: jobs, record.ErrorGroup: jobsGroup, record.Reason: record.Rejected} {
				if got, _ := record.Get(r.Headers, name); got != want || count(r.Headers, name) != 1 {
					t.Errorf("%s: header %s is %q in %d places, want %q once", r.Value, name, got, count(r.Headers, name), want)
				}
			}
			if stack, _ := record.Get(r.Headers, record.Stack); len(stack) > 4<<10 {
				t.Errorf("%s: a forged stack of %d bytes is passed on as ours", r.Value, len(stack))
			}
		}
		after := topicSizes(k)
		for topic, n := range after {
			if n != before[topic] && topic != jobsDead && topic != jobsRetry && !strings.HasPrefix(topic, "__") {
				t.Errorf("topic %s has %d records more", topic, n-before[topic])
			}
		}
		if lag := k.Lag(worker); lag != 0 {
			t.Errorf("lag = %d, want 0", lag)
		}
		if err := k.Ready(worker); err != nil {
			t.Errorf("Ready() = %v", err)
		}
	})
}

func headers(pairs ...string) []kgo.RecordHeader {
	var hs []kgo.RecordHeader
	for pair := range slices.Chunk(pairs, 2) {
		hs = append(hs, kgo.RecordHeader{Key: pair[0], Value: []byte(pair[1])})
	}
	return hs
}

func count(hs []kgo.RecordHeader, name string) int {
	n := 0
	for _, h := range hs {
		if h.Key == name {
			n++
		}
	}
	return n
}

// topicSizes is how many records the topics hold that the test knows.
func topicSizes(k *slipwaytest.Kit) map[string]int64 {
	sizes := make(map[string]int64)
	for _, topic := range []string{jobs, jobsDead, jobsRetry} {
		for _, p := range k.Kafka().PartitionInfos(topic) {
			sizes[topic] += p.HighWatermark
		}
	}
	return sizes
}

func TestARecordAboveALimitEndsWhereTheContractSays(t *testing.T) {
	t.Parallel()
	s := newStudy(t)
	do := func(_ context.Context, j job) error {
		if strings.HasPrefix(j.key, "late") && j.attempt == 1 {
			return errors.New("not yet") // its copy is larger than the record
		}
		return slipway.Reject(errors.New("refused"))
	}
	slipwaytest.Run(t, consuming("concurrency: 16, retry: {delays: [6s]}"), s.wire(do), func(t *testing.T, k *slipwaytest.Kit) {
		for _, key := range []string{"late", "now"} {
			value := append([]byte(key+"#1"), make([]byte, 990_000)...)
			k.SendBytes(jobs, []byte(key), value, slipwaytest.Header("pad", strings.Repeat("x", 9_000)))
			k.SendBytes(jobs, []byte(key), []byte(key+"#2"))
		}
		k.Advance(2 * time.Minute)
		if got := len(k.Records(jobsDead)); got != 4 {
			t.Errorf("%d dead letters, want 4", got)
		}
		if lag := k.Lag(worker); lag != 0 {
			t.Errorf("lag = %d, want 0", lag)
		}
		if err := k.Ready(worker); err != nil {
			t.Errorf("Ready() = %v", err)
		}
	})
}

// A batch of a few kilobytes that unpacks to far more than the client takes. Not
// by zstd, whose decoder the garbage collector closes: that cannot happen to a
// channel of a synctest bubble.
func TestADecompressionBombLeavesEvidenceAndThePartitionGoesOn(t *testing.T) {
	t.Parallel()
	for name, codec := range map[string]kgo.CompressionCodec{
		"gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if testing.Short() && name != "snappy" {
				t.Skip("one codec will do")
			}
			s := newStudy(t)
			done := func(context.Context, job) error { return nil }
			slipwaytest.Run(t, consuming("retry: {delays: [6s]}"), s.wire(done), func(t *testing.T, k *slipwaytest.Kit) {
				s.send(k, numbered(30)...)
				k.Advance(time.Second)
				packed := bomb(t, k, codec)
				s.fault("bomb")
				s.send(k, numbered(30)...)
				s.await(k, 60, 5*time.Minute)
				letters := k.Records(jobsDead)
				if len(letters) != 1 {
					t.Fatalf("%d dead letters, want one as evidence of a batch of %d bytes", len(letters), packed)
				}
				if topic, _ := record.Get(letters[0].Headers, record.ErrorTopic); topic != jobs {
					t.Errorf("the evidence says topic %q", topic)
				}
				if lag := k.Lag(worker); lag != 0 {
					t.Errorf("lag = %d, want 0", lag)
				}
				calls := s.calls()
				if len(calls) != 60 {
					t.Errorf("%d records were handled, want 60", len(calls))
				}
			})
		})
	}
}

// bomb writes one batch whose records are 80 MiB of nothing, as it is, and
// returns how large it is on the wire.
func bomb(t *testing.T, k *slipwaytest.Kit, codec kgo.CompressionCodec) int {
	t.Helper()
	compressor, err := kgo.DefaultCompressor(codec)
	if err != nil {
		t.Fatal(err)
	}
	inner := kmsg.Record{Value: make([]byte, 80<<20)}
	inner.Length = int32(len(inner.AppendTo(nil))) // with a length of one byte
	inner.Length--
	raw := inner.AppendTo(nil)
	packed, how := compressor.Compress(new(bytes.Buffer), raw)
	batch := kmsg.RecordBatch{
		PartitionLeaderEpoch: -1, Magic: 2, Attributes: int16(how), NumRecords: 1, ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1,
		FirstTimestamp: time.Now().UnixMilli(), MaxTimestamp: time.Now().UnixMilli(), Records: packed,
	}
	body := batch.AppendTo(nil)
	batch.Length = int32(len(body) - 12)
	body = batch.AppendTo(nil)
	batch.CRC = int32(crc32.Checksum(body[21:], crc32.MakeTable(crc32.Castagnoli)))
	req := kmsg.NewPtrProduceRequest()
	req.Version, req.Acks, req.TimeoutMillis = 9, -1, 5_000
	rt := kmsg.NewProduceRequestTopic()
	rt.Topic, rt.TopicID = jobs, k.Kafka().TopicInfo(jobs).TopicID
	rp := kmsg.NewProduceRequestTopicPartition()
	rp.Partition, rp.Records = 0, batch.AppendTo(nil)
	rt.Partitions = append(rt.Partitions, rp)
	req.Topics = append(req.Topics, rt)
	client := k.Client()
	allow(t, client, 16<<20) // snappy packs no better than twenty to one
	resp, err := client.Broker(int(k.Kafka().LeaderFor(jobs, 0))).Request(t.Context(), req)
	if err != nil {
		t.Fatalf("write bomb: %v", err)
	}
	if err := kerr.ErrorForCode(resp.(*kmsg.ProduceResponse).Topics[0].Partitions[0].ErrorCode); err != nil {
		t.Fatalf("write bomb of %d bytes: %v", len(packed), err)
	}
	return len(packed)
}

// allow raises max.message.bytes of the topic.
func allow(t *testing.T, client *kgo.Client, bytes int) {
	t.Helper()
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	res := kmsg.NewIncrementalAlterConfigsRequestResource()
	res.ResourceType, res.ResourceName = kmsg.ConfigResourceTypeTopic, jobs
	cfg := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
	cfg.Name, cfg.Value = "max.message.bytes", new(strconv.Itoa(bytes))
	res.Configs = append(res.Configs, cfg)
	req.Resources = append(req.Resources, res)
	if resp, err := req.RequestWith(t.Context(), client); err != nil || resp.Resources[0].ErrorCode != 0 {
		t.Fatalf("raise max.message.bytes: %v %v", err, resp)
	}
}
