package slipway

import (
	"math/bits"

	"github.com/twmb/franz-go/pkg/kgo"
)

// What Kafka's record batch (version 2) adds to its records, with the array
// around it, and what a record adds to its key and value at most, length,
// timestamp, offset and header count.
const (
	batchOverhead  = 65
	recordFraming  = 5 + 1 + 10 + 5 + 5
	headerOverhead = 10
)

// recordSize is how much room a record takes in a batch of its own at most.
func recordSize(rec *kgo.Record) int {
	n := recordFraming + len(rec.Key) + varint(len(rec.Key)) + len(rec.Value) + varint(len(rec.Value))
	for _, h := range rec.Headers {
		n += headerOverhead + len(h.Key) + len(h.Value)
	}
	return n
}

// varint is how many bytes Kafka takes to write a length.
func varint(n int) int { return (bits.Len(uint(n)<<1|1) + 6) / 7 }
