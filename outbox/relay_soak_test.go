//go:build postgres

package outbox_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/internal/postgres/pgtest"
	"github.com/slipway-go/slipway/outbox"
)

// soak skips what takes long or needs a quiet machine.
func soak(t *testing.T) {
	t.Helper()
	if os.Getenv("SLIPWAY_SOAK") != "1" {
		t.Skip("SLIPWAY_SOAK is not 1")
	}
}

// A broker is a publisher that writes to brokers in this process by a real
// client, as an app does.
type broker struct {
	client *kgo.Client
	mu     sync.Mutex
	got    int
	took   []time.Duration
	next   map[string]int
	again  int
	wrong  []string
	done   chan struct{}
	until  int
}

func newBroker(t *testing.T, until int) *broker {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(6, "orders"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.ProducerBatchCompression(kgo.SnappyCompression()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return &broker{client: client, next: map[string]int{}, done: make(chan struct{}), until: until}
}

// Publish also checks the order of acknowledgements of each key.
func (b *broker) Publish(ctx context.Context, rec *kgo.Record, done func(error)) {
	b.client.Produce(ctx, rec, func(rec *kgo.Record, err error) {
		if err == nil {
			b.note(rec)
		}
		done(err)
	})
}

func (b *broker) note(rec *kgo.Record) {
	b.mu.Lock()
	defer b.mu.Unlock()
	key := string(rec.Key)
	n, _ := strconv.Atoi(string(rec.Value[:10]))
	switch {
	case n == b.next[key]+1:
		b.next[key] = n
	case n <= b.next[key]:
		b.again++
	default:
		b.wrong = append(b.wrong, fmt.Sprintf("key %s: %d follows %d", key, n, b.next[key]))
	}
	if len(rec.Headers) > 0 {
		at, _ := strconv.ParseInt(string(rec.Headers[0].Value), 10, 64)
		b.took = append(b.took, time.Since(time.Unix(0, at)))
	}
	if b.got++; b.got == b.until {
		close(b.done)
	}
}

func (b *broker) report(t *testing.T) {
	t.Helper()
	if len(b.wrong) > 0 || b.again > 0 {
		t.Errorf("%d records came twice and %d out of order: %v", b.again, len(b.wrong), b.wrong[:min(3, len(b.wrong))])
	}
}

// fill puts rows of so many keys into the table at one go, as Send numbers them.
func fill(t *testing.T, db *sql.DB, rows, keys int) {
	t.Helper()
	turns, in := make([]int64, keys), make([]int64, keys)
	for k := range keys {
		turns[k] = outbox.TurnOf("orders", []byte(strconv.Itoa(k)))
		in[k] = int64(uint64(turns[k]) % outbox.Shards)
	}
	_, err := db.ExecContext(t.Context(), `INSERT INTO slipway_outbox (shard, turn, id, aggregatetype, aggregateid, type, payload, headers, created)
		SELECT ($3::bigint[])[1 + n % $2], ($4::bigint[])[1 + n % $2], n::text, 'orders', (n % $2)::text::bytea, 't', (lpad((1 + n / $2)::text, 10, '0') || repeat('x', 190))::bytea, NULL, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
		FROM generate_series(0, $1::int - 1) AS g (n) ORDER BY g.n`, rows, keys, list(in), list(turns))
	if err != nil {
		t.Fatal(err)
	}
}

func list(of []int64) string {
	b := []byte("{")
	for i, n := range of {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, n, 10)
	}
	return string(append(b, '}'))
}

func TestRelayThroughput(t *testing.T) {
	soak(t)
	const rows, keys = 400_000, 5_000
	db := openPostgres(t, pgtest.New(t))
	migrated(t, db)
	fill(t, db, rows, keys)
	b := newBroker(t, rows)
	began := time.Now()
	start(t, db, b, outbox.Config{})
	<-b.done
	took := time.Since(began)
	b.report(t)
	t.Logf("%d rows of %d keys in %v: %.0f rows/s", rows, keys, took, rows/took.Seconds())
	empty(t, db)
}

func TestRelayLatency(t *testing.T) {
	soak(t)
	const rate, seconds, keys = 1000, 20, 500
	db := openPostgres(t, pgtest.New(t))
	migrated(t, db)
	db.SetMaxIdleConns(16)
	b := newBroker(t, rate*seconds)
	start(t, db, b, outbox.Config{})
	var all sync.WaitGroup
	writers := 4
	var fail sync.Once
	for w := range writers {
		all.Go(func() {
			tick := time.NewTicker(time.Second * time.Duration(writers) / rate)
			defer tick.Stop()
			for i := range rate * seconds / writers {
				<-tick.C
				key := w + writers*(i%(keys/writers))
				if err := sendStamped(t.Context(), db, key, 1+i/(keys/writers)); err != nil {
					fail.Do(func() { t.Error(err) })
					return
				}
			}
		})
	}
	began := time.Now()
	all.Wait()
	<-b.done
	b.report(t)
	slices.Sort(b.took)
	at := func(q float64) time.Duration {
		return b.took[int(float64(len(b.took)-1)*q)].Round(10 * time.Microsecond)
	}
	t.Logf("%.0f commits/s: from the beginning of the commit to the acknowledgement p50 %v, p90 %v, p99 %v, p99.9 %v, max %v",
		rate*seconds/time.Since(began).Seconds(), at(.5), at(.9), at(.99), at(.999), at(1))
}

func sendStamped(ctx context.Context, db *sql.DB, key, n int) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	err = outbox.SendRecord(ctx, tx, &kgo.Record{
		Topic: "orders", Key: []byte(strconv.Itoa(key)), Value: fmt.Appendf(nil, "%010d%190d", n, 0),
		Headers: []kgo.RecordHeader{{Key: "at", Value: strconv.AppendInt(nil, time.Now().UnixNano(), 10)}},
	})
	if err != nil {
		return err
	}
	return tx.Commit()
}

// Many writers, commits in any order, and a transaction that stays open for half
// a minute: its row comes after its commit, and no other waits for it.
func TestLateCommitsAmongManyWriters(t *testing.T) {
	soak(t)
	db := openPostgres(t, pgtest.New(t))
	hasty(t, db)
	db.SetMaxOpenConns(80)
	db.SetMaxIdleConns(80)
	migrated(t, db)
	writeMany(t, db, 64, 400, func() {
		tx, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := outbox.SendRecord(t.Context(), tx, &kgo.Record{Topic: "late", Key: []byte("late"), Value: []byte("1")}); err != nil {
			t.Fatal(err)
		}
		<-time.After(30 * time.Second)
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
	}, 1)
}

// The last rows of a long backlog are published as quickly as the first, beside
// an old transaction that keeps every dead row in the table.
func TestDeadRowsDoNotAddUp(t *testing.T) {
	soak(t)
	const rows = 1_000_000
	db := openPostgres(t, pgtest.New(t))
	hasty(t, db)
	migrated(t, db)
	fill(t, db, rows, 5_000)
	old, err := db.BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer old.Rollback()
	if _, err := old.ExecContext(t.Context(), `SELECT 1 FROM slipway_outbox LIMIT 1`); err != nil {
		t.Fatal(err)
	}
	b := newBroker(t, rows)
	began := time.Now()
	start(t, db, b, outbox.Config{})
	var parts []time.Duration // each for a tenth of the rows
	for n := 1; n <= 10; n++ {
		part := time.Now()
		eventually(t, "another tenth", func() bool { return b.have() >= n*rows/10 })
		parts = append(parts, time.Since(part).Round(time.Millisecond))
	}
	b.report(t)
	t.Logf("%d rows beside an old transaction in %v, each tenth in %v", rows, time.Since(began), parts)
	empty(t, db)
}

func (b *broker) have() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.got
}
