//go:build kafka && cgo

package interop_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/internal/dev"
)

const (
	foreignKeys    = 12
	foreignTimes   = 5 // records of each key, for each compression
	foreignDeletes = 4
)

func foreignTopic(client string) string { return "foreign." + client + ".v1" }

// foreignRecords are what a client writes with a compression. Amounts of a key
// rise with every one.
func foreignRecords(t *testing.T, s confluent, name, codec string, round int) []raw {
	t.Helper()
	topic := foreignTopic(name)
	var all []raw
	for n := range foreignTimes {
		for k := range foreignKeys {
			o := order{orderKey(k), int64(round*foreignTimes + n)}
			all = append(all, raw{topic: topic, key: []byte(o.OrderID), value: s.encode(t, topic, o), order: &o, headers: foreignHeaders(codec, o)})
		}
	}
	return all
}

func foreignHeaders(codec string, o order) []header {
	return []header{
		{"ce_id", fmt.Appendf(nil, "%s-%d", o.OrderID, o.Amount)},
		{"codec", []byte(codec)},
		{"bytes", []byte("\x00\xff")},
		{"bytes", []byte("again")},
	}
}

// An inbox is what handlers were given.
type inbox struct {
	mu    sync.Mutex
	rows  []row
	codec map[string]int              // records by what compressed them
	order map[string]map[string]int64 // amounts last seen, by partition and key
	wrong []string
}

func (b *inbox) take(_ context.Context, m *slipway.Message[order]) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	value := nothing
	if !m.Tombstone {
		value = valueText(m.Value)
		lane := fmt.Sprintf("%s %q", m.Topic, m.Key)
		last, seen := b.order[m.Topic][lane]
		if seen && m.Value.Amount <= last {
			b.wrong = append(b.wrong, fmt.Sprintf("%s: amount %d came after %d", lane, m.Value.Amount, last))
		}
		if b.order[m.Topic] == nil {
			b.order[m.Topic] = make(map[string]int64)
		}
		b.order[m.Topic][lane] = m.Value.Amount
	}
	if want := m.Header("codec"); want != "" {
		got := codecs[m.Attrs.CompressionType()]
		if got != want {
			b.wrong = append(b.wrong, fmt.Sprintf("%s offset %d: compressed by %s, want %s", m.Topic, m.Offset, got, want))
		}
		b.codec[got]++
	}
	b.rows = append(b.rows, row{m.Topic, text(m.Key), value, headerText(kgoHeaders(m.Headers))})
	return nil
}

func (b *inbox) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.rows)
}

// writeForeign has a client write everything it can, and returns what of it is
// to be handled. What is aborted comes before what is not.
func writeForeign(t *testing.T, c *dev.Cluster, s confluent, client client) []row {
	t.Helper()
	var batches []batch
	for round, codec := range codecs {
		batches = append(batches, batch{codec, plain, foreignRecords(t, s, client.name, codec, round)})
	}
	if client.transactional {
		for i, end := range []ending{abort, commit} {
			batches = append(batches, batch{"none", end, foreignRecords(t, s, client.name, "none", len(codecs)+i)})
		}
	}
	deletes := batch{codec: "none", end: plain}
	for k := range foreignDeletes {
		deletes.records = append(deletes.records, raw{topic: foreignTopic(client.name), key: []byte(orderKey(k))})
	}
	batches = append(batches, deletes)
	client.write(t, c, batches)
	var want []row
	for _, b := range batches {
		if b.end != abort {
			want = append(want, placeless(b.records)...)
		}
	}
	return want
}

// placeless are rows of records that have no place yet.
func placeless(records []raw) []row {
	var all []row
	for _, r := range records {
		value := nothing
		if r.order != nil {
			value = valueText(*r.order)
		}
		all = append(all, row{r.topic, text(r.key), value, headerText(r.headers)})
	}
	return all
}

func TestSlipwayHandlesWhatOtherClientsWrite(t *testing.T) {
	c := onKafka(t)
	s := newConfluent(t, c)
	var want []row
	written := make(map[string]int)
	var mu sync.Mutex
	t.Run("write", func(t *testing.T) {
		for _, client := range clients {
			t.Run(client.name, func(t *testing.T) {
				t.Parallel()
				rows := writeForeign(t, c, s, client)
				mu.Lock()
				defer mu.Unlock()
				written[client.name] = len(rows)
				want = append(want, rows...)
			})
		}
	})
	b := &inbox{codec: make(map[string]int), order: make(map[string]map[string]int64)}
	stop := start(t, c, "reader", func(app *slipway.App) {
		for _, client := range clients {
			slipway.Handle(app, foreignTopic(client.name), b.take)
		}
	})
	await(t, fmt.Sprintf("%d records to be handled", len(want)), func() bool { return b.count() >= len(want) })
	stop()
	if diff := cmp.Diff(sorted(want), sorted(b.rows)); diff != "" {
		t.Errorf("handled (-written +handled):\n%.4000s", diff)
	}
	if len(b.wrong) > 0 {
		t.Error(errors.New(strings.Join(b.wrong, "\n")))
	}
	if t.Failed() {
		return
	}
	t.Logf("Slipway handled %d records, written by %v, each as it was written; compressed %v", len(b.rows), written, b.codec)
}
