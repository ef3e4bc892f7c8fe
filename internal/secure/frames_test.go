package secure_test

import (
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/slipway-go/slipway/internal/secure"
)

// produce is a produce request, without its length.
func produce(t testing.TB, version, acks int16) []byte {
	t.Helper()
	req := kmsg.NewPtrProduceRequest()
	req.Version, req.Acks = version, acks
	id := "svc-orders-dev.0"
	if version%2 == 0 {
		req.TransactionID = &id
	}
	topic := kmsg.NewProduceRequestTopic()
	topic.Topic = "orders.v1"
	partition := kmsg.NewProduceRequestTopicPartition()
	partition.Records = []byte("records")
	topic.Partitions = append(topic.Partitions, partition)
	req.Topics = append(req.Topics, topic)
	return kmsg.NewRequestFormatter(kmsg.FormatterClientID("svc-orders-dev")).AppendRequest(nil, req, 7)[4:]
}

func TestARequestThatNobodyAnswersIsKnown(t *testing.T) {
	t.Parallel()
	for version := int16(3); version <= kmsg.NewPtrProduceRequest().MaxVersion(); version++ {
		for _, acks := range []int16{-1, 0, 1} {
			request := frame(produce(t, version, acks))
			if got := secure.Unacknowledged(request); got != (acks == 0) {
				t.Errorf("version %d, acks %d: %v", version, acks, got)
			}
			for n := range request[:min(len(request), 60)] {
				if secure.Unacknowledged(request[:n]) && acks != 0 {
					t.Errorf("version %d, acks %d, the first %d bytes: nobody answers", version, acks, n)
				}
			}
		}
	}
	fetch := kmsg.NewPtrFetchRequest()
	if secure.Unacknowledged(kmsg.NewRequestFormatter().AppendRequest(nil, fetch, 7)) {
		t.Error("a fetch request is answered")
	}
}

// However a stream is cut into pieces, it holds the same frames.
func FuzzFrames(f *testing.F) {
	f.Add(slices.Concat(frame([]byte("one")), frame(nil), frame([]byte("three"))), uint8(3))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 1, 2}, uint8(1))
	f.Add([]byte{0, 0, 0}, uint8(2))
	f.Fuzz(func(t *testing.T, stream []byte, size uint8) {
		begun, ended, between := secure.Frames(stream)
		pieces := slices.Collect(slices.Chunk(stream, max(1, int(size))))
		if b, e, q := secure.Frames(pieces...); b != begun || e != ended || q != between {
			t.Errorf("in pieces of %d: %d begun, %d ended, between %v; in one %d, %d, %v", size, b, e, q, begun, ended, between)
		}
		if ended > begun || begun > ended+1 {
			t.Errorf("%d begun, %d ended", begun, ended)
		}
		if between && begun != ended {
			t.Errorf("%d begun, %d ended, and nothing is open", begun, ended)
		}
		secure.Unacknowledged(stream)
	})
}
