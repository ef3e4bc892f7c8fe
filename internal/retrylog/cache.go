package retrylog

import (
	"slices"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
)

// A Cache keeps records by their offset, up to a number of bytes; beyond it the
// records that were put first go. It is safe for concurrent use.
type Cache struct {
	max int

	mu     sync.Mutex
	bytes  int
	places map[place]map[int64]*cached
	oldest *cached
	newest *cached
}

type place struct {
	topic     string
	partition int32
}

type cached struct {
	rec          *kgo.Record
	size         int
	older, newer *cached
}

// NewCache returns a cache that holds at most that many bytes.
func NewCache(bytes int) *Cache {
	return &Cache{max: bytes, places: make(map[place]map[int64]*cached)}
}

// Put keeps a copy of a record: one that was fetched shares its memory with all
// others of its batch, and would keep them too. A record larger than the cache
// is not kept.
func (c *Cache) Put(rec *kgo.Record) {
	size := sizeOf(rec)
	c.mu.Lock()
	defer c.mu.Unlock()
	at := place{rec.Topic, rec.Partition}
	c.remove(c.places[at][rec.Offset])
	if size > c.max {
		return
	}
	for c.bytes+size > c.max {
		c.remove(c.oldest)
	}
	if c.places[at] == nil {
		c.places[at] = make(map[int64]*cached)
	}
	e := &cached{rec: compact(rec), size: size, older: c.newest}
	if c.newest != nil {
		c.newest.newer = e
	} else {
		c.oldest = e
	}
	c.newest = e
	c.places[at][rec.Offset] = e
	c.bytes += size
}

// Get returns a record, or nil. It must not be changed.
func (c *Cache) Get(topic string, partition int32, offset int64) *kgo.Record {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.places[place{topic, partition}][offset]; e != nil {
		return e.rec
	}
	return nil
}

// Drop forgets a record.
func (c *Cache) Drop(topic string, partition int32, offset int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(c.places[place{topic, partition}][offset])
}

// DropPartition forgets all records of a partition.
func (c *Cache) DropPartition(topic string, partition int32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.places[place{topic, partition}] {
		c.remove(e)
	}
}

// Bytes returns how much is kept.
func (c *Cache) Bytes() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bytes
}

// remove takes out an entry, if it is one. The lock is held.
func (c *Cache) remove(e *cached) {
	if e == nil {
		return
	}
	if e.older != nil {
		e.older.newer = e.newer
	} else {
		c.oldest = e.newer
	}
	if e.newer != nil {
		e.newer.older = e.older
	} else {
		c.newest = e.older
	}
	at := place{e.rec.Topic, e.rec.Partition}
	delete(c.places[at], e.rec.Offset)
	if len(c.places[at]) == 0 {
		delete(c.places, at)
	}
	c.bytes -= e.size
}

// compact returns a record with memory of its own, in one piece.
func compact(rec *kgo.Record) *kgo.Record {
	n := len(rec.Key) + len(rec.Value)
	for _, h := range rec.Headers {
		n += len(h.Value)
	}
	own := *rec
	buf := make([]byte, 0, n)
	keep := func(b []byte) []byte {
		if b == nil {
			return nil // an absent key is not an empty one
		}
		from := len(buf)
		buf = append(buf, b...)
		return slices.Clip(buf[from:])
	}
	own.Key, own.Value = keep(rec.Key), keep(rec.Value)
	own.Headers = slices.Clone(rec.Headers)
	for i := range own.Headers {
		own.Headers[i].Value = keep(rec.Headers[i].Value)
	}
	own.Context = nil
	return &own
}
