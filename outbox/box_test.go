package outbox_test

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/database"
	"github.com/slipway-go/slipway/outbox"
	"github.com/slipway-go/slipway/slipwaytest"
)

var notesService = fstest.MapFS{"slipway.yaml": {Data: []byte(`apiVersion: slipway.dev/v1
kind: Service
metadata: {name: notes, owner: team-notes}
identity: {auth: scram-sha-512}
topics:
  notes.written.v1: {partitions: 3}
produces:
  notes.written.v1: {via: outbox}
`)}}

// What a service writes in a transaction of its own is in the topic once it is
// committed, and the service is ready all the while.
func TestAServiceOnlyOpensItsOutbox(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "service.db")
	wire := func(app *slipway.App) error {
		ctx := context.Background() //nolint:usetesting // the test's own is of outside of the bubble
		db, err := database.Open(ctx, "sqlite:"+file+"?mode=rwc")
		if err != nil {
			return err
		}
		app.OnStop("close database", db.Close)
		if err := outbox.Migrate(ctx, db); err != nil {
			return err
		}
		written := slipway.NewProducer[[]byte](app, "notes.written.v1")
		if _, err := outbox.Open(app, outbox.Config{DB: db}); err != nil {
			return err
		}
		app.Mux().HandleFunc("POST /notes", func(w http.ResponseWriter, r *http.Request) {
			err := outbox.Do(r.Context(), db, func(ctx context.Context, tx *sql.Tx) error {
				note := []byte(r.URL.Query().Get("text"))
				return outbox.Send(ctx, tx, written, &note)
			})
			if err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
			}
		})
		return nil
	}
	slipwaytest.Run(t, notesService, wire, func(t *testing.T, k *slipwaytest.Kit) {
		var want []string
		for n := range 20 {
			answer := httptest.NewRecorder()
			k.HTTP("notes").ServeHTTP(answer, httptest.NewRequest(http.MethodPost, "/notes?text="+strconv.Itoa(n), nil))
			if answer.Code != http.StatusOK {
				t.Fatal(answer.Body)
			}
			want = append(want, strconv.Itoa(n))
		}
		k.Advance(2 * time.Second)
		got := map[string]int{}
		for _, r := range k.Records("notes.written.v1") {
			got[string(r.Value)]++
		}
		for _, text := range want {
			if got[text] != 1 {
				t.Errorf("note %s is in the topic %d times, want once", text, got[text])
			}
		}
		if err := k.Ready("notes"); err != nil {
			t.Errorf("the service is not ready: %v", err)
		}
	})
}

func TestAConfigurationIsRefusedWithAllItsFaults(t *testing.T) {
	t.Parallel()
	app, err := slipway.New(slipway.Config{Files: notesService, Environment: slipway.Environment{Name: "test"}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = outbox.Open(app, outbox.Config{Batch: 5000, Lease: time.Millisecond, Poll: time.Hour})
	want := string(diag.OutboxConfig) + ": open outbox: DB is missing; Batch is 5000, want 1 to 4096; Lease is 1ms, want 1s to 10m; Poll is 1h0m0s, want 10ms to 1m"
	if err == nil || err.Error() != want {
		t.Errorf("Open = %v, want %s", err, want)
	}
}

func TestMissingTablesAreNamed(t *testing.T) {
	t.Parallel()
	db := openSQLite(t)
	d, err := outbox.DialectOf(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	box := outbox.NewRelay(outbox.Config{DB: db}, d, newSink(), nil, "o").Box()
	if _, _, err := box.Backlog(t.Context()); !errors.Is(err, diag.OutboxTables) {
		t.Errorf("Backlog = %v, want %s", err, diag.OutboxTables)
	}
	migrated(t, db)
	if rows, oldest, err := box.Backlog(t.Context()); rows != 0 || !oldest.IsZero() || err != nil {
		t.Errorf("Backlog = %d, %v, %v, want nothing", rows, oldest, err)
	}
	put(t, db, "k", "1")
	if rows, oldest, err := box.Backlog(t.Context()); rows != 1 || time.Since(oldest) > time.Minute || err != nil {
		t.Errorf("Backlog = %d, %v, %v, want a row of now", rows, oldest, err)
	}
}

func TestOnlyPostgresFromThirteenOnIsTaken(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]error{"120022": diag.OutboxDatabase, "130000": nil, "MariaDB": diag.OutboxDatabase} {
		if _, err := outbox.PostgresOf(version); !errors.Is(err, want) {
			t.Errorf("version %s: %v, want %v", version, err, want)
		}
	}
}

func FuzzHeaders(f *testing.F) {
	f.Add(outbox.AppendHeaders(nil, []kgo.RecordHeader{{Key: "ce_id", Value: []byte("1")}, {Key: "", Value: nil}, {Key: "x", Value: []byte{}}}))
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, b []byte) {
		headers, err := outbox.ParseHeaders(b)
		if err != nil {
			return
		}
		again, err := outbox.ParseHeaders(outbox.AppendHeaders(nil, headers))
		if err != nil || !cmp.Equal(again, headers) {
			t.Errorf("%v becomes %v (error %v)", headers, again, err)
		}
	})
}

// Programs of different versions agree on whose turn it is.
func TestTheTurnOfAKeyIsForEver(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]int64{"": -2467889448658488796, "42": -2361327707992201626} {
		if got := outbox.TurnOf("orders", []byte(key)); got != want {
			t.Errorf("turn of %q is %d, want %d", key, got, want)
		}
	}
}
