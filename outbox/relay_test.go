package outbox_test

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/outbox"
)

// relaySuite is what the relay promises on every database.
var relaySuite = map[string]func(*testing.T, *sql.DB){
	"what is committed is published and what is not is not": committedIsPublished,
	"a late commit is seen and holds nobody up":             lateCommitIsSeen,
	"many writers leave each key in order":                  manyWriters,
	"a record comes out as it went in":                      recordsStayWhole,
	"a row stays until its record is acknowledged":          rowsStayUntilAcked,
	"a refused row holds its key back and no other":         refusedHoldsKey,
	"a cluster that does not answer is an unhealthy outbox": silenceIsUnhealthy,
	"a row is not published before it is due":               dueRowsWait,
	"a relay that was stopped repeats and loses nothing":    zombieRepeatsOnly,
	"instances share the shards and take over":              instancesShare,
	"a relay that ends waits for what is under way":         endWaits,
	"large rows do not fill the memory":                     largeRowsPass,
	"tables are made once by many":                          migrateTwice,
}

func TestRelayOnSQLite(t *testing.T) {
	t.Parallel()
	for name, test := range relaySuite {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := openSQLite(t)
			migrated(t, db)
			test(t, db)
		})
	}
}

func migrated(t testing.TB, db *sql.DB) {
	t.Helper()
	if err := outbox.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
}

func committedIsPublished(t *testing.T, db *sql.DB) {
	topic := newSink()
	start(t, db, topic, quick)
	for n := 1; n <= 20; n++ {
		tx, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := outbox.SendRecord(t.Context(), tx, &kgo.Record{Topic: "orders", Key: []byte("k"), Value: []byte("never")}); err != nil {
			t.Fatal(err)
		}
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
		put(t, db, "k", strconv.Itoa(n))
	}
	topic.await(t, 20)
	empty(t, db)
	if again := topic.inOrder(t); again != 0 {
		t.Errorf("%d records came twice, want none", again)
	}
}

func lateCommitIsSeen(t *testing.T, db *sql.DB) {
	if d, _ := outbox.DialectOf(t.Context(), db); d == outbox.SQLite {
		t.Skip("writers of SQLite take turns: none commits later than one after it")
	}
	topic := newSink()
	start(t, db, topic, quick)
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := outbox.SendRecord(t.Context(), tx, &kgo.Record{Topic: "orders", Key: []byte("late"), Value: []byte("1")}); err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= 2000; n++ {
		put(t, db, strconv.Itoa(n%50), strconv.Itoa((n-1)/50+1))
	}
	topic.await(t, 2000)
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	topic.await(t, 2001)
	empty(t, db)
	topic.inOrder(t)
}

// manyWriters counts each key up in the service's own table, and sends the
// number in the same transaction: whatever order transactions commit in, the
// numbers say it.
func manyWriters(t *testing.T, db *sql.DB) {
	writers, each := 16, 60
	if testing.Short() {
		writers, each = 8, 15
	}
	writeMany(t, db, writers, each, func() {}, 0)
}

func writeMany(t *testing.T, db *sql.DB, writers, each int, during func(), more int) {
	if _, err := db.ExecContext(t.Context(), `CREATE TABLE counter (key integer PRIMARY KEY, n integer NOT NULL)`); err != nil {
		t.Fatal(err)
	}
	const keys = 40
	for key := range keys {
		if _, err := db.ExecContext(t.Context(), `INSERT INTO counter VALUES ($1, 0)`, key); err != nil {
			t.Fatal(err)
		}
	}
	topic := newSink()
	start(t, db, topic, quick)
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			random := rand.New(rand.NewPCG(uint64(w), 7))
			for range each {
				if err := count(t.Context(), db, random, keys); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	during()
	all.Wait()
	topic.await(t, writers*each+more)
	empty(t, db)
	if again := topic.inOrder(t); again != 0 {
		t.Errorf("%d records came twice, want none", again)
	}
	if n := len(topic.values()); n != writers*each+more {
		t.Errorf("%d records are published, want %d", n, writers*each+more)
	}
}

// count counts one or two keys up. A deadlock is tried again.
func count(ctx context.Context, db *sql.DB, random *rand.Rand, keys int) error {
	for {
		err := countOnce(ctx, db, random, keys)
		if err == nil || !strings.Contains(err.Error(), "40P01") {
			return err
		}
	}
}

func countOnce(ctx context.Context, db *sql.DB, random *rand.Rand, keys int) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	key := random.IntN(keys)
	var n int
	if err := tx.QueryRowContext(ctx, `UPDATE counter SET n = n + 1 WHERE key = $1 RETURNING n`, key).Scan(&n); err != nil {
		return err
	}
	rec := &kgo.Record{Topic: "orders", Key: []byte(strconv.Itoa(key)), Value: []byte(strconv.Itoa(n))}
	if err := outbox.SendRecord(ctx, tx, rec); err != nil {
		return err
	}
	if random.IntN(4) == 0 { // stay open for a while
		<-time.After(time.Duration(random.IntN(2000)) * time.Microsecond)
	}
	return tx.Commit()
}

func recordsStayWhole(t *testing.T, db *sql.DB) {
	topic := newSink()
	start(t, db, topic, quick)
	want := []*kgo.Record{
		{Topic: "a", Key: nil, Value: []byte("v")},
		{Topic: "b", Key: []byte{}, Value: []byte{}},
		{Topic: "c", Key: []byte{0, 255, '\''}, Value: nil},
		{Topic: "d", Key: []byte("k"), Value: []byte{0}, Headers: []kgo.RecordHeader{
			{Key: "ce_id", Value: []byte("7")}, {Key: "", Value: nil}, {Key: "x", Value: []byte{}}, {Key: "ce_type", Value: []byte("t")}, {Key: "x", Value: []byte{1}},
		}},
	}
	for i, rec := range want {
		tx, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := outbox.SendRecord(t.Context(), tx, rec); err != nil {
			t.Fatal(err)
		}
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
		topic.await(t, i+1)
	}
	for i, rec := range topic.records {
		if got, want := fmt.Sprintf("%q %#v %#v %#v", rec.Topic, rec.Key, rec.Value, rec.Headers), fmt.Sprintf("%q %#v %#v %#v", want[i].Topic, want[i].Key, want[i].Value, want[i].Headers); got != want {
			t.Errorf("published\n%s, want\n%s", got, want)
		}
	}
}

func rowsStayUntilAcked(t *testing.T, db *sql.DB) {
	topic := newSink()
	topic.silent = true
	start(t, db, topic, quick)
	for n := 1; n <= 10; n++ {
		put(t, db, "k"+strconv.Itoa(n), "1")
	}
	topic.await(t, 10)
	<-time.After(300 * time.Millisecond) // longer than a batch's patience
	if n := left(t, db); n != 10 {
		t.Fatalf("%d rows are left before any acknowledgement, want 10", n)
	}
	put(t, db, "other", "1") // is read while the first ones wait
	topic.await(t, 11)
	topic.answer()
	empty(t, db)
	if again := topic.inOrder(t); again != 0 {
		t.Errorf("%d records came twice, want none", again)
	}
}

func refusedHoldsKey(t *testing.T, db *sql.DB) {
	topic := newSink()
	topic.refuse = func(rec *kgo.Record) error {
		if string(rec.Key) == "bad" && string(rec.Value) == "2" {
			return kerr.MessageTooLarge
		}
		return nil
	}
	r, _ := start(t, db, topic, quick)
	put(t, db, "bad", "1")
	topic.await(t, 1)
	put(t, db, "bad", "2", kgo.RecordHeader{Key: "ce_id", Value: []byte("the-large-one")})
	eventually(t, "the row to be refused", func() bool {
		stuck, err := r.Box().Stuck(t.Context())
		return err == nil && len(stuck) == 1 && stuck[0].ID == "the-large-one" && stuck[0].Topic == "orders"
	})
	for n := 1; n <= 30; n++ {
		put(t, db, "good", strconv.Itoa(n))
		if n < 3 {
			put(t, db, "bad", strconv.Itoa(n+2))
		}
	}
	topic.await(t, 31)
	eventually(t, "the good key to be through", func() bool { return left(t, db) == 3 })
	if problem := r.Problem(time.Now()); !strings.Contains(problem, string(diag.OutboxStuck)) {
		t.Errorf("health says %q, want %s", problem, diag.OutboxStuck)
	}
	topic.setRefuse(nil)
	topic.await(t, 34)
	empty(t, db)
	if again := topic.inOrder(t); again != 0 {
		t.Errorf("%d records came twice, want none", again)
	}
	eventually(t, "health", func() bool { return r.Problem(time.Now()) == "" })
}

func silenceIsUnhealthy(t *testing.T, db *sql.DB) {
	topic := newSink()
	topic.silent = true
	r, _ := start(t, db, topic, quick)
	put(t, db, "k", "1")
	topic.await(t, 1)
	eventually(t, "a problem in half a minute", func() bool {
		return strings.Contains(r.Problem(time.Now().Add(31*time.Second)), string(diag.OutboxBehind))
	})
	if problem := r.Problem(time.Now()); problem != "" {
		t.Errorf("health says %q at once, want nothing yet", problem)
	}
	topic.answer()
	eventually(t, "health", func() bool { return r.Problem(time.Now().Add(10*time.Second)) == "" })
}

func dueRowsWait(t *testing.T, db *sql.DB) {
	topic := newSink()
	start(t, db, topic, quick)
	due := time.Now().Add(700 * time.Millisecond)
	rec := &kgo.Record{Topic: "orders", Key: []byte("k"), Value: []byte("2")}
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := outbox.SendDue(t.Context(), tx, rec, due); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	put(t, db, "k", "1")
	topic.await(t, 1)
	topic.await(t, 2)
	if early := time.Until(due); early > 0 {
		t.Errorf("the record is published %v before it is due", early)
	}
	empty(t, db)
	topic.inOrder(t)
}

func instancesShare(t *testing.T, db *sql.DB) {
	topic := newSink()
	quick := quick
	quick.Lease = 6 * time.Second // renewals come through on a busy machine, too
	first, stopFirst := start(t, db, topic, quick)
	eventually(t, "one instance to have all shards", func() bool { return first.Held() == outbox.Shards })
	second, _ := start(t, db, topic, quick)
	third, _ := start(t, db, topic, quick)
	sent := 0
	eventually(t, "a fair split", func() bool {
		sent++
		put(t, db, strconv.Itoa(sent%7), strconv.Itoa((sent-1)/7+1)) // while shards change hands
		return sent >= 100 && first.Held()+second.Held()+third.Held() == outbox.Shards && max(first.Held(), second.Held(), third.Held()) == 6
	})
	stopFirst()
	eventually(t, "the others to take over", func() bool { return second.Held()+third.Held() == outbox.Shards })
	empty(t, db)
}

func endWaits(t *testing.T, db *sql.DB) {
	topic := newSink()
	topic.silent = true
	_, stop := start(t, db, topic, quick)
	put(t, db, "k", "1")
	topic.await(t, 1)
	time.AfterFunc(100*time.Millisecond, topic.answer)
	stop()
	if n := left(t, db); n != 0 {
		t.Errorf("%d rows are left, want none", n)
	}
	var taken int
	if err := db.QueryRowContext(t.Context(), `SELECT count(*) FROM slipway_outbox_lease WHERE owner <> ''`).Scan(&taken); err != nil || taken != 0 {
		t.Errorf("%d leases are still taken (error %v), want none", taken, err)
	}
}

func largeRowsPass(t *testing.T, db *sql.DB) {
	topic := newSink()
	big := strings.Repeat("0", 900<<10)
	for n := 1; n <= 12; n++ {
		put(t, db, "big", big+strconv.Itoa(n))
		put(t, db, "small", strconv.Itoa(n))
	}
	start(t, db, topic, quick)
	topic.await(t, 24)
	empty(t, db)
	topic.inOrder(t)
}

func migrateTwice(t *testing.T, db *sql.DB) {
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if err := outbox.Migrate(t.Context(), db); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	d, err := outbox.DialectOf(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	for statement := range strings.SplitSeq(outbox.Schema(d), ";\n") {
		if strings.TrimSpace(statement) == "" {
			continue
		}
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Errorf("%v in\n%s", err, statement)
		}
	}
}

// A relay that was stopped and goes on believes in leases that are another's by
// now. What it publishes are the same records in the same order, and it cannot
// take rows away that the other one has not published.
func zombieRepeatsOnly(t *testing.T, db *sql.DB) {
	const keys, each = 20, 10
	topic := newSink()
	release := make(chan struct{})
	stopped := make(chan struct{})
	var once sync.Once
	slow := gate(func(ctx context.Context, rec *kgo.Record, done func(error)) {
		if len(topic.values()) == 30 { // in the midst of a batch
			once.Do(func() { close(stopped) })
			<-release
		}
		topic.Publish(ctx, rec, done)
	})
	for n := range keys * each {
		put(t, db, strconv.Itoa(n%keys), strconv.Itoa(n/keys+1))
	}
	zombie, _ := start(t, db, slow, quick)
	<-stopped
	resume := zombie.Stop()
	other := &silent{to: topic}
	second, _ := start(t, db, other, quick)
	eventually(t, "the takeover", func() bool { return second.Held() == outbox.Shards })
	eventually(t, "the other one to publish", func() bool { return other.count() >= 20 })
	rows := left(t, db)
	resume()
	close(release)
	eventually(t, "the zombie to see that it lost", func() bool { return zombie.Held() < outbox.Shards })
	if now := left(t, db); now != rows {
		t.Errorf("%d of %d rows are left before the owner of the shards had an acknowledgement", now, rows)
	}
	other.answer()
	empty(t, db)
	if again := topic.inOrder(t); again == 0 {
		t.Error("no record came twice: the relay was not stopped in the midst of anything")
	}
	if n := len(slices.Compact(slices.Sorted(slices.Values(topic.pairs())))); n != keys*each {
		t.Errorf("%d different records are published, want %d", n, keys*each)
	}
}
