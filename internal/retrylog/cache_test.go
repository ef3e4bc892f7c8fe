package retrylog_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/twmb/franz-go/pkg/kgo"
	"pgregory.net/rapid"

	"github.com/slipway-go/slipway/internal/retrylog"
)

func sized(topic string, partition int32, offset int64, bytes int) *kgo.Record {
	return &kgo.Record{Topic: topic, Partition: partition, Offset: offset, Value: make([]byte, bytes)}
}

func TestTheCacheKeepsTheYoungestWithinItsBytes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		const limit = 10_000
		c := retrylog.NewCache(limit)
		type entry struct {
			key  string
			size int
		}
		var model []entry // oldest first
		drop := func(key string) {
			for i, e := range model {
				if e.key == key {
					model = append(model[:i], model[i+1:]...)
					return
				}
			}
		}
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			topic := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "topic")
			offset := rapid.Int64Range(0, 9).Draw(t, "offset")
			key := fmt.Sprint(topic, offset)
			switch rapid.IntRange(0, 9).Draw(t, "what") {
			case 0:
				c.Drop(topic, 0, offset)
				drop(key)
			case 1:
				c.DropPartition(topic, 0)
				for o := range 10 {
					drop(fmt.Sprint(topic, o))
				}
			default:
				bytes := rapid.IntRange(0, 11_000).Draw(t, "bytes")
				before := c.Bytes()
				c.Put(sized(topic, 0, offset, bytes))
				drop(key)
				total := 0
				for _, e := range model {
					total += e.size
				}
				size := c.Bytes() - total // exact unless something had to go
				if bytes+256 <= limit {
					size = bytes + 256
					for ; total+size > limit; model = model[1:] {
						total -= model[0].size
					}
					model = append(model, entry{key, size})
				} else if size != 0 {
					t.Fatalf("a record of %d bytes changed %d to %d", bytes, before, c.Bytes())
				}
			}
			if c.Bytes() > limit {
				t.Fatalf("Bytes() = %d, want at most %d", c.Bytes(), limit)
			}
			kept := map[string]bool{}
			for _, e := range model {
				kept[e.key] = true
			}
			for _, topic := range []string{"a", "b"} {
				for o := range int64(10) {
					if got := c.Get(topic, 0, o) != nil; got != kept[fmt.Sprint(topic, o)] {
						t.Fatalf("%s/%d is kept: %v, want %v", topic, o, got, !got)
					}
				}
			}
		}
	})
}

func TestTheCacheSharesNoMemoryWithTheBatch(t *testing.T) {
	t.Parallel()
	batch := []byte("keyvalueheader")
	rec := &kgo.Record{
		Topic: "a", Offset: 3, Key: batch[:3], Value: batch[3:8],
		Headers: []kgo.RecordHeader{{Key: "h", Value: batch[8:]}, {Key: "none"}},
	}
	c := retrylog.NewCache(1_000)
	c.Put(rec)
	clear(batch)
	want := &kgo.Record{
		Topic: "a", Offset: 3, Key: []byte("key"), Value: []byte("value"),
		Headers: []kgo.RecordHeader{{Key: "h", Value: []byte("header")}, {Key: "none"}},
	}
	if diff := cmp.Diff(want, c.Get("a", 0, 3), cmpopts.IgnoreUnexported(kgo.Record{}, kgo.RecordAttrs{})); diff != "" {
		t.Errorf("Get (-want +got):\n%s", diff)
	}
}

func TestAnAbsentValueStaysAbsent(t *testing.T) {
	t.Parallel()
	c := retrylog.NewCache(1_000)
	c.Put(&kgo.Record{Topic: "a", Key: []byte{}})
	got := c.Get("a", 0, 0)
	if got.Value != nil || got.Key == nil {
		t.Errorf("a tombstone with an empty key became %v", got)
	}
}
