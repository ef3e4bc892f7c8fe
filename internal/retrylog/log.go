package retrylog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	linger        = 2 * time.Millisecond
	fetchWait     = 500 * time.Millisecond
	fetchBytes    = 8 << 20
	metadataPause = 250 * time.Millisecond // the least between two askings who leads what

	defaultBatchBytes   = 1_000_012 // a little less than brokers take by default
	defaultBuffered     = 10_000
	defaultBufferedSize = 64 << 20
)

// A Config says how to reach the cluster, and how much to hold in memory.
type Config struct {
	// Client are the options that all clients of the service share: brokers,
	// TLS, login, client id, logger. They must not allow topics to be created
	// automatically: a retry topic has as many partitions as its source.
	Client []kgo.Opt

	// Trouble is told when a partition cannot be read, each time that it was
	// tried, and with a nil error when it can be read again. A [GapError] tells
	// that offsets are gone and reading goes on. An empty topic means that it
	// concerns all. It is called by the goroutine that reads and must not block.
	Trouble func(topic string, partition int32, err error)

	// Denied reports whether there is no use in reading a topic, because the
	// cluster has just refused it. It is asked now and then until there is.
	//
	// Defaults to false for every topic.
	Denied func(topic string) bool

	// BatchBytes returns the largest batch that a topic takes
	// (max.message.bytes). A larger one is refused by the broker with all its
	// records.
	//
	// Defaults to 1,000,012 for every topic.
	BatchBytes func(topic string) int32

	// Buffered and BufferedBytes bound the appends that wait for their
	// acknowledgement. Beyond them Append waits.
	//
	// Default to 10,000 records and 64 MiB.
	Buffered      int
	BufferedBytes int
}

func (c Config) withDefaults() Config {
	if c.Trouble == nil {
		c.Trouble = func(string, int32, error) {}
	}
	if c.Denied == nil {
		c.Denied = func(string) bool { return false }
	}
	if c.BatchBytes == nil {
		c.BatchBytes = func(string) int32 { return defaultBatchBytes }
	}
	c.Buffered = cmp.Or(c.Buffered, defaultBuffered)
	c.BufferedBytes = cmp.Or(c.BufferedBytes, defaultBufferedSize)
	return c
}

// A Log is the retry topics of one service. It is safe for concurrent use.
// Close it.
type Log struct {
	client *kgo.Client // writes and asks; never in a fetch that waits
	room   *room
	reader *reader
	asking sync.WaitGroup

	ctx    context.Context
	cancel context.CancelFunc

	gate   sync.RWMutex // held while a record is handed to the client
	closed bool

	mu  sync.Mutex
	ids map[string][16]byte // of topics, as the cluster told last
}

// ErrClosed reports that the log was closed.
var ErrClosed = errors.New("retry log is closed")

// Open makes the clients. It does not ask the cluster for anything.
func Open(cfg Config) (*Log, error) {
	cfg = cfg.withDefaults()
	l := &Log{room: newRoom(cfg.Buffered, cfg.BufferedBytes), ids: make(map[string][16]byte)}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	var err error
	if l.client, err = kgo.NewClient(l.options(cfg,
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerBatchCompression(kgo.SnappyCompression(), kgo.NoCompression()),
		kgo.ProducerLinger(linger),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchMaxBytesFn(cfg.BatchBytes),
		kgo.MaxBufferedRecords(cfg.Buffered+1), // never reached: who would be let in is decided here
	)...); err != nil {
		l.cancel()
		return nil, fmt.Errorf("make writing client of retry topics: %w", err)
	}
	reading, err := kgo.NewClient(l.options(cfg,
		kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.FetchMaxWait(fetchWait),
		kgo.FetchMaxBytes(fetchBytes),
		kgo.MaxConcurrentFetches(2),
	)...)
	if err != nil {
		l.client.Close()
		l.cancel()
		return nil, fmt.Errorf("make reading client of retry topics: %w", err)
	}
	l.reader = newReader(l, reading, cfg.Trouble, cfg.Denied)
	return l, nil
}

func (l *Log) options(cfg Config, own ...kgo.Opt) []kgo.Opt {
	shared := append([]kgo.Opt{kgo.MetadataMinAge(metadataPause)}, cfg.Client...)
	return append(append(shared, own...), kgo.WithContext(l.ctx))
}

// Close ends reading and gives up the appends that are not acknowledged; they
// may still have been written. Once it has returned nothing is called back, so
// it must not be called by a callback.
func (l *Log) Close() {
	l.room.close()
	l.gate.Lock()
	twice := l.closed
	l.closed = true
	l.gate.Unlock()
	if twice {
		return
	}
	l.cancel()
	l.reader.close()
	l.client.Close()
	l.room.wait()
	l.asking.Wait()
}
