package retrylog

import (
	"encoding/binary"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// What the attributes of a batch say.
const (
	transactionalBatch = 1 << 4
	controlBatch       = 1 << 5

	batchPrefix = 12 // its first offset and its length, which does not count them
)

// between goes through batches from an offset on, and returns where the first
// record may be, or where they end. It looks at their headers alone, so that a
// batch that unpacks to gigabytes costs nothing; only the one that the offset
// lies within is unpacked, which who stands there has done before.
func between(rp *kmsg.FetchResponseTopicPartition, topic string, from int64, isolation kgo.IsolationLevel) (to int64, met bool) {
	aborted := abortedOf(rp, isolation)
	for rest := rp.RecordBatches; len(rest) >= batchPrefix; {
		size := batchPrefix + int(binary.BigEndian.Uint32(rest[8:]))
		var b kmsg.RecordBatch
		if size > len(rest) {
			return from, false // cut off
		}
		if b.ReadFrom(rest[:size]) != nil || b.Magic != 2 {
			return from, true // of a format without these headers
		}
		bytes := rest[:size]
		rest = rest[size:]
		behind := b.FirstOffset + int64(b.LastOffsetDelta) + 1
		switch {
		case behind <= from, aborted.has(&b), b.NumRecords == 0:
		case b.FirstOffset >= from:
			return b.FirstOffset, true
		default:
			one := *rp
			one.RecordBatches = bytes
			got, _ := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{Offset: from, Topic: topic}, &one, kgo.DefaultDecompressor(), nil)
			if len(got.Records) > 0 {
				return got.Records[0].Offset, true
			}
			if got.Err != nil {
				return from, true
			}
		}
		from = max(from, behind)
	}
	return from, false
}

// aborts are the transactions in what was fetched that readers of committed
// records do not see: their first offsets, by producer.
type aborts map[int64][]int64

func abortedOf(rp *kmsg.FetchResponseTopicPartition, isolation kgo.IsolationLevel) aborts {
	a := make(aborts)
	if isolation == kgo.ReadCommitted() {
		for _, t := range rp.AbortedTransactions {
			a[t.ProducerID] = append(a[t.ProducerID], t.FirstOffset)
		}
	}
	for _, first := range a {
		slices.Sort(first)
	}
	return a
}

// has reports whether nobody is shown what is in a batch: it is of a transaction
// that was aborted, or a mark that ends one.
func (a aborts) has(b *kmsg.RecordBatch) bool {
	open := a[b.ProducerID]
	begun := len(open) > 0 && open[0] <= b.FirstOffset
	if b.Attributes&controlBatch != 0 {
		if begun {
			a[b.ProducerID] = open[1:]
		}
		return true
	}
	return begun && b.Attributes&transactionalBatch != 0
}
