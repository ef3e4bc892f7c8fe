package contract

import (
	"time"

	"github.com/slipway-go/slipway/diag"
)

// A Compression is the codec that a producer packs its batches with. Every
// consumer of Kafka reads all of them.
type Compression string

// The codecs. Snappy is the default: for JSON and for binary values alike it
// costs little and saves much. A batch that does not shrink is sent as it is.
const (
	Snappy       Compression = "snappy"
	LZ4          Compression = "lz4"
	Zstd         Compression = "zstd"
	Gzip         Compression = "gzip"
	Uncompressed Compression = "none"
)

// A Buffer bounds what a producer of one topic holds and the cluster has not
// acknowledged yet: whichever bound is reached first.
type Buffer struct {
	Bytes   Bytes // keys, values and headers, before compression
	Records int
}

// settle makes room for two of the largest values where the contract says
// nothing of the buffer.
func (p *Produce) settle() { p.Buffer.Bytes = max(p.Buffer.Bytes, 2*(p.Max+recordOverhead)) }

// How long one attempt at a produce request may take: the broker's time to have
// it replicated, and the network's time beside it. They are the same for every
// topic, since topics share requests.
const (
	RequestTimeout  = 10 * time.Second
	RequestOverhead = 10 * time.Second
)

// recordOverhead is the room that a record needs beside its value: key, headers
// and framing, with something to spare.
const recordOverhead = 4 << 10

// producing judges the times and bounds of a producer against each other. What
// is zero was refused by itself already.
func (f *faults) producing(p *Produce, element string) {
	if need := p.Linger + RequestTimeout + RequestOverhead; p.Via == Direct && p.Timeout != 0 && p.Timeout < need {
		f.add(diag.ProducerTimeout, element+"/timeout", "write timeout: "+FormatDuration(need)+" or more; a call that cannot wait so long gives Send a context that ends earlier",
			"timeout %s is below linger (%s) + one request (%s for the broker, %s for the network)",
			FormatDuration(p.Timeout), FormatDuration(p.Linger), FormatDuration(RequestTimeout), FormatDuration(RequestOverhead))
	}
	if need := p.Max + recordOverhead; p.Buffer.Bytes != 0 && p.Buffer.Bytes < need {
		f.add(diag.ProducerBuffer, element+"/buffer", "make the buffer larger, or max smaller",
			"buffer %v cannot hold one value of %v with its key and headers", p.Buffer.Bytes, p.Max)
	}
	if p.Via == Transaction {
		for _, key := range []string{"timeout", "linger", "buffer", "compression"} {
			if f.service.source.written(element, key) {
				f.warn(diag.ContractUseless, element+"/"+key, "remove it, or write via: direct", "%s has no effect with via: transaction, whose values go with the transaction", key)
			}
		}
	}
}
