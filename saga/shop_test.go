package saga_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing/fstest"
	"time"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/internal/database"
	"github.com/slipway-go/slipway/outbox"
	"github.com/slipway-go/slipway/saga"
)

// A shop of three services: orders asks stock to hand out and payments to
// charge; a declined payment puts the stock back.

const (
	placed   = "orders.placed.v1"
	stockAsk = "orders.stock.v1"
	payAsk   = "orders.payment.v1"
	stockAns = "stock.answered.v1"
	payAns   = "payments.answered.v1"
)

// work is a command: to do something for an order, or to undo it.
type work struct {
	OrderID string `avro:"order_id"`
	Undo    bool   `avro:"undo"`
}

// answer tells what became of a command, by the order alone.
type answer struct {
	OrderID string `avro:"order_id"`
	Outcome string `avro:"outcome"`
}

const (
	workSchema   = `{"type": "record", "name": "Work", "fields": [{"name": "order_id", "type": "string"}, {"name": "undo", "type": "boolean"}]}`
	answerSchema = `{"type": "record", "name": "Answer", "fields": [{"name": "order_id", "type": "string"}, {"name": "outcome", "type": "string"}]}`
)

func contractOf(name, body string) fstest.MapFS {
	return fstest.MapFS{
		"slipway.yaml": {Data: []byte("apiVersion: slipway.dev/v1\nkind: Service\nmetadata: {name: " + name + ", owner: team-shop}\nidentity: {auth: scram-sha-512}\n" + body)},
		"work.avsc":    {Data: []byte(workSchema)},
		"answer.avsc":  {Data: []byte(answerSchema)},
	}
}

var ordersFiles = contractOf("orders", `topics:
  orders.stock.v1: {key: order_id, partitions: 3, schema: {file: work.avsc}}
  orders.payment.v1: {key: order_id, partitions: 3, schema: {file: work.avsc}}
produces:
  orders.stock.v1: {via: outbox}
  orders.payment.v1: {via: outbox}
consumes:
  orders.placed.v1: {schema: {file: work.avsc}, retry: {delays: [1s]}}
  stock.answered.v1: {schema: {file: answer.avsc}, retry: {delays: [1s]}}
  payments.answered.v1: {schema: {file: answer.avsc}, retry: {delays: [1s]}}
`)

// participantFiles is the contract of a service that takes commands.
func participantFiles(name, asks, answers string) fstest.MapFS {
	return contractOf(name, fmt.Sprintf(`topics:
  %[2]s: {key: order_id, partitions: 3, schema: {file: answer.avsc}}
produces:
  %[2]s: {via: outbox}
consumes:
  %[1]s: {schema: {file: work.avsc}, retry: {delays: [1s]}}
`, asks, answers))
}

// database opens the service's database with its tables.
func openDB(app *slipway.App, tables ...func(context.Context, *sql.DB) error) (*sql.DB, error) {
	ctx := context.Background()
	db, err := database.Open(ctx, app.Environment().DatabaseURL+"?mode=rwc")
	if err != nil {
		return nil, err
	}
	app.OnStop("close database", db.Close)
	for _, migrate := range append(tables, outbox.Migrate) {
		if err := migrate(ctx, db); err != nil {
			return nil, err
		}
	}
	_, err = outbox.Open(app, outbox.Config{DB: db})
	return db, err
}

// An ordering is what the saga of an order knows.
type ordering struct{ Notes []string }

// ordersSaga wires the service that orders are placed with, which asks twice
// and waits so long for each answer.
func ordersSaga(within time.Duration) func(*slipway.App) error {
	return func(app *slipway.App) error { return wireOrders(app, within) }
}

func wireOrders(app *slipway.App, within time.Duration) error {
	db, err := openDB(app, saga.Migrate, table("CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY, state TEXT NOT NULL)"))
	if err != nil {
		return err
	}
	stock, payment := slipway.NewProducer[work](app, stockAsk), slipway.NewProducer[work](app, payAsk)
	do := func(id string, _ *ordering) *work { return &work{OrderID: id} }
	undo := func(id string, _ *ordering) *work { return &work{OrderID: id, Undo: true} }
	orders, err := saga.New(app, db, saga.Definition[ordering]{
		Name: "order",
		Steps: []saga.Step[ordering]{
			{Name: "stock", Do: saga.Ask(stock, do), Undo: saga.Ask(stock, undo), Within: within, Attempts: 2},
			{Name: "payment", Do: saga.Ask(payment, do), Undo: saga.Ask(payment, undo), Within: within, Attempts: 2},
		},
		Ended: func(ctx context.Context, tx outbox.Tx, id string, state saga.State, _ *ordering) error {
			_, err := tx.ExecContext(ctx, "UPDATE orders SET state = $2 WHERE id = $1", id, string(state))
			return err
		},
	})
	if err != nil {
		return err
	}
	slipway.Handle(app, placed, func(ctx context.Context, m *slipway.Message[work]) error {
		return outbox.Do(ctx, db, func(ctx context.Context, tx *sql.Tx) error {
			if _, err := tx.ExecContext(ctx, "INSERT INTO orders (id, state) VALUES ($1, 'pending')", m.Value.OrderID); err != nil {
				return err
			}
			return orders.Start(ctx, tx, m.Value.OrderID, ordering{})
		})
	})
	saga.Handle(orders, stockAns, func(_ context.Context, m *slipway.Message[answer]) (saga.Event[ordering], error) {
		return saga.Event[ordering]{Saga: m.Value.OrderID, Step: "stock", Outcome: saga.Outcome(m.Value.Outcome)}, nil
	})
	saga.Handle(orders, payAns, func(_ context.Context, m *slipway.Message[answer]) (saga.Event[ordering], error) {
		ref, ok := saga.RefOf(m.Headers) // payments echoes where its commands came from
		if !ok || ref.ID != m.Value.OrderID {
			return saga.Event[ordering]{}, nil // a payment of somebody else's
		}
		return saga.Event[ordering]{Saga: ref.ID, Step: ref.Step, Key: ref.Key(), Outcome: saga.Outcome(m.Value.Outcome), Reason: "card declined"}, nil
	})
	return nil
}

func table(statement string) func(context.Context, *sql.DB) error {
	return func(ctx context.Context, db *sql.DB) error {
		_, err := db.ExecContext(ctx, statement)
		return err
	}
}

// participant wires a service that takes commands and answers them. It does
// for an order what it is asked for once, and nothing for one that was undone
// before.
func participant(asks, answers string, decide func(id string) bool) func(*slipway.App) error {
	return func(app *slipway.App) error {
		db, err := openDB(app, table("CREATE TABLE IF NOT EXISTS effects (id TEXT PRIMARY KEY, done INTEGER NOT NULL)"))
		if err != nil {
			return err
		}
		out := slipway.NewProducer[answer](app, answers)
		slipway.Handle(app, asks, func(ctx context.Context, m *slipway.Message[work]) error {
			return outbox.Do(ctx, db, func(ctx context.Context, tx *sql.Tx) error {
				outcome, err := carryOut(ctx, tx, m.Value, decide)
				if err != nil {
					return err
				}
				return outbox.Send(ctx, tx, out, &answer{m.Value.OrderID, string(outcome)}, saga.Echo(m.Record)...)
			})
		})
		return nil
	}
}

// carryOut keeps one row for each order: done 1 is an effect, 0 that there is
// none any more and that none may come.
func carryOut(ctx context.Context, tx *sql.Tx, w work, decide func(string) bool) (saga.Outcome, error) {
	if w.Undo {
		_, err := tx.ExecContext(ctx, "INSERT INTO effects (id, done) VALUES ($1, 0) ON CONFLICT (id) DO UPDATE SET done = 0", w.OrderID)
		return saga.Undone, err
	}
	var done int
	err := tx.QueryRowContext(ctx, "SELECT done FROM effects WHERE id = $1", w.OrderID).Scan(&done)
	switch {
	case err == nil && done == 1:
		return saga.Done, nil
	case err == nil:
		return saga.Failed, nil
	case !errors.Is(err, sql.ErrNoRows):
		return "", err
	case !decide(w.OrderID):
		return saga.Failed, nil
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO effects (id, done) VALUES ($1, 1)", w.OrderID)
	return saga.Done, err
}
