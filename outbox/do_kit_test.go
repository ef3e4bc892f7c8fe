package outbox_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/database"
	"github.com/slipway-go/slipway/outbox"
	"github.com/slipway-go/slipway/slipwaytest"
)

const dedupContract = `apiVersion: slipway.dev/v1
kind: Service
metadata: {name: till, owner: team-money}
identity: {auth: scram-sha-512}
consumes:
  paid.v1: {retry: {delays: [1s, 30s]}, dedup: {by: "header:payment", ttl: 2m}}
  settled.v1: {order: partition, dedup: {by: "header:payment", ttl: 2m}}
`

// till is a service that books what was paid, and forgets after an hour.
func till(file string, db **sql.DB) func(*slipway.App) error {
	return func(app *slipway.App) error {
		var err error
		if *db, err = database.Open(context.Background(), "sqlite:"+file+"?mode=rwc"); err != nil {
			return err
		}
		app.OnStop("close database", (*db).Close)
		if err := outbox.Migrate(context.Background(), *db); err != nil {
			return err
		}
		if _, err := (*db).Exec("CREATE TABLE IF NOT EXISTS effects (id text NOT NULL)"); err != nil {
			return err
		}
		if _, err := outbox.Open(app, outbox.Config{DB: *db}); err != nil {
			return err
		}
		slipway.Handle(app, "paid.v1", func(ctx context.Context, m *slipway.Message[[]byte]) error {
			return outbox.Do(ctx, *db, func(ctx context.Context, tx *sql.Tx) error {
				if err := effect(string(m.Record.Value))(ctx, tx); err != nil {
					return err
				}
				if m.Attempt == 1 && m.Header("payment") == "late" {
					return errors.New("not yet")
				}
				return nil
			})
		})
		slipway.HandleBatch(app, "settled.v1", func(ctx context.Context, batch []*slipway.Message[[]byte]) []error {
			return outbox.DoBatch(ctx, *db, batch, func(ctx context.Context, tx *sql.Tx, batch []*slipway.Message[[]byte]) error {
				for _, m := range batch {
					if m.Header("payment") == "bad" {
						return slipway.Reject(errors.New("no such payment"))
					}
					if err := effect(string(m.Record.Value))(ctx, tx); err != nil {
						return err
					}
				}
				return nil
			})
		})
		return nil
	}
}

func TestAPaymentThatComesAgainIsBookedOnceWithinTheWindow(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "till.db")
	var db *sql.DB
	slipwaytest.Run(t, fstest.MapFS{"slipway.yaml": {Data: []byte(dedupContract)}}, till(file, &db), func(t *testing.T, k *slipwaytest.Kit) {
		send := func(topic, payment string) {
			k.SendBytes(topic, []byte("key"), []byte(topic+" "+payment), slipwaytest.Header("payment", payment))
		}
		for range 3 {
			for _, payment := range []string{"p-1", "p-2", "late"} {
				send("paid.v1", payment)
			}
			for _, payment := range []string{"p-1", "bad", "p-2"} {
				send("settled.v1", payment)
			}
		}
		k.Advance(time.Minute)
		for _, id := range []string{"paid.v1 p-1", "paid.v1 p-2", "paid.v1 late", "settled.v1 p-1", "settled.v1 p-2"} {
			requireEffects(t, db, id, 1)
		}
		k.RequireDeadLettered("till", "settled.v1", 3) // the bad one, each time, and nothing beside it
		k.Advance(4 * time.Minute)
		send("paid.v1", "p-1")
		k.Advance(time.Minute)
		requireEffects(t, db, "paid.v1 p-1", 2) // after the ttl it is a new one, as the contract says
		if n := number(t, db, "SELECT count(*) FROM slipway_inbox"); n != 1 {
			t.Errorf("%d ids are kept after the ttl, want that of the last message", n)
		}
		if log := k.Log(); strings.Contains(log, string(diag.InboxBypassed)) {
			t.Errorf("the runtime misses the inbox of handlers that use it:\n%s", log)
		}
	})
}

// What Debezium could not relay is refused when it is put into the outbox, and
// not found missing later.
func TestWhatDebeziumCannotRelayIsRefused(t *testing.T) {
	t.Parallel()
	app, err := slipway.New(slipway.Config{
		Files: fstest.MapFS{"slipway.yaml": {Data: []byte(`apiVersion: slipway.dev/v1
kind: Service
metadata: {name: till, owner: team-money}
topics: {till.logged.v1: {key: id}}
produces: {till.logged.v1: {via: outbox}}
outbox: {relay: debezium, database: {host: db, name: till, user: cdc, password: "${file:/db:password}"}}
`)}},
		Environment: slipway.Environment{Name: "prod", BootstrapServers: "127.0.0.1:1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	db := withEffects(t, openSQLite(t))
	if _, err := outbox.Open(app, outbox.Config{DB: db}); err != nil {
		t.Fatal(err)
	}
	good := kgo.Record{Topic: "till.logged.v1", Key: []byte("k"), Value: []byte("v")}
	keyless, headed := good, good
	keyless.Key = nil
	headed.Headers = []kgo.RecordHeader{{Key: "x-own", Value: []byte("1")}}
	for says, tt := range map[string]struct {
		rec     *kgo.Record
		dialect outbox.Dialect
	}{
		"Debezium relays it, which reads Postgres": {&good, outbox.SQLite},
		"a record without a key":                   {&keyless, outbox.Postgres},
		"cannot relay the header x-own":            {&headed, outbox.Postgres},
	} {
		err := outbox.Do(t.Context(), db, func(ctx context.Context, tx *sql.Tx) error {
			return outbox.SendRecord(ctx, spoken{tx, tt.dialect}, tt.rec)
		})
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("SendRecord = %v, want an error with %q", err, says)
		}
	}
}

// A spoken transaction says what its database is.
type spoken struct {
	*sql.Tx
	dialect outbox.Dialect
}

func (s spoken) Dialect() outbox.Dialect { return s.dialect }

// A message that is delivered twice is handled once, and both deliveries are
// finished.
func ExampleDo() {
	ctx := context.Background()
	db, err := sql.Open("sqlite", "file:example?mode=memory&cache=shared")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	if err := outbox.Migrate(ctx, db); err != nil {
		fmt.Println(err)
		return
	}
	message := slipway.WithDelivery(ctx, slipway.Delivery{Entry: "orders.v1", Group: "svc-stock-dev", ID: "e-1", Keep: 24 * time.Hour}) // as a handler's ctx
	for range 2 {                                                                                                                       // it comes twice
		err := outbox.Do(message, db, func(context.Context, *sql.Tx) error {
			fmt.Println("reserve stock")
			return nil
		})
		fmt.Println("done:", err)
	}
	// Output:
	// reserve stock
	// done: <nil>
	// done: <nil>
}
