package slipway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"net"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/internal/secure"
)

// A writer is a client that produces.
type writer struct {
	client *kgo.Client
	id     *primer
}

// A batching is what a client does alike for all its topics. Topics that want
// it otherwise get a client of their own, with connections and a producer id of
// its own: the usual service has one.
type batching struct {
	compression contract.Compression
	linger      time.Duration
}

var usual = batching{compression: contract.Snappy}

func batchingOf(p *contract.Produce) batching {
	return batching{cmp.Or(p.Compression, contract.Snappy), p.Linger}
}

// codecs are the compressions by name. What does not shrink is sent as it is.
var codecs = map[contract.Compression]kgo.CompressionCodec{
	contract.Snappy: kgo.SnappyCompression(), contract.LZ4: kgo.Lz4Compression(), contract.Zstd: kgo.ZstdCompression(),
	contract.Gzip: kgo.GzipCompression(), contract.Uncompressed: kgo.NoCompression(),
}

// writing are the options of a client that produces. Bounds and timeouts are
// those of the pipes, see [pipe].
func (l *link) writing(b batching) []kgo.Opt {
	return []kgo.Opt{
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerBatchCompression(codecs[b.compression], kgo.NoCompression()),
		kgo.ProducerLinger(b.linger),
		kgo.ProduceRequestTimeout(contract.RequestTimeout),
		kgo.RequestTimeoutOverhead(contract.RequestOverhead),
		kgo.RecordPartitioner(l.partitioners()),
		kgo.ProducerBatchMaxBytesFn(l.batchBytes),
		kgo.MaxBufferedRecords(math.MaxInt32),
	}
}

// openPipes makes the ways to all topics that the contract produces directly or
// through an outbox.
func (a *App) openPipes() error {
	a.pipes = make(map[string]*pipe)
	for _, name := range slices.Sorted(maps.Keys(a.contract.Produces)) {
		p := a.contract.Produces[name]
		if p.Via == contract.Transaction {
			continue
		}
		l := a.linkOf(p.Cluster)
		w, err := l.writerOf(batchingOf(p))
		if err != nil {
			return err
		}
		q := &pipe{
			app: a, link: l, topic: name, physical: l.physical(name), writer: w,
			room: p.Buffer, timeout: p.Timeout, largest: int(l.batchBytes(l.physical(name))), sends: l.sends(l.physical(name)),
		}
		a.pipes[q.physical] = q
		if q.fallback, err = a.fallbackOf(q, p); err != nil {
			return err
		}
		if p.Via == contract.Direct {
			if q.timetable, err = a.newTimetable(q, p); err != nil {
				return err
			}
		}
		q.counts.make(q)
	}
	a.meter.produced.pipes.Store(&a.pipes)
	return nil
}

// writerOf returns the client for a way of batching.
func (l *link) writerOf(b batching) (*writer, error) {
	if w := l.writers[b]; w != nil {
		return w, nil
	}
	common, err := l.commonOptions()
	if err != nil {
		return nil, err
	}
	client, err := kgo.NewClient(append(common, l.writing(b)...)...)
	if err != nil {
		return nil, fmt.Errorf("make client: %w", err)
	}
	l.writers[b] = &writer{client, new(primer)}
	return l.writers[b], nil
}

// closePipes ends the ways to all topics. What is still on its way is told to be
// uncertain, when the links end.
func (a *App) closePipes() error {
	var errs []error
	for _, q := range a.pipes {
		errs = append(errs, q.close())
	}
	return errors.Join(errs...)
}

// dialing gives every failure to connect the form in which the client knows it
// for one and goes on trying. Others, such as a certificate that is not trusted
// yet, it takes for the end of all records that wait.
func dialing(dial secure.DialFunc) secure.DialFunc {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err == nil {
			return conn, nil
		}
		if _, ok := errors.AsType[*net.OpError](err); !ok {
			err = &net.OpError{Op: "dial", Net: network, Err: err}
		}
		return nil, err
	}
}
