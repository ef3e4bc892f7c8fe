package saga_test

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/outbox"
	"github.com/slipway-go/slipway/saga"
)

// An order asks for stock, then for money. A card that is declined, or a
// payment that nobody answers, puts the stock back.
func Example() {
	type Work struct { // a command
		OrderID string `avro:"order_id"`
		Undo    bool   `avro:"undo"`
	}
	type Settled struct { // an answer
		OrderID  string `avro:"order_id"`
		Declined string `avro:"declined"`
	}
	type Order struct{ Card string } // what the saga knows

	wire := func(app *slipway.App, db *sql.DB) error {
		stock := slipway.NewProducer[Work](app, "orders.stock.v1")
		payment := slipway.NewProducer[Work](app, "orders.payment.v1")
		do := func(id string, _ *Order) *Work { return &Work{OrderID: id} }
		undo := func(id string, _ *Order) *Work { return &Work{OrderID: id, Undo: true} }

		orders, err := saga.New(app, db, saga.Definition[Order]{
			Name: "order",
			Steps: []saga.Step[Order]{
				{Name: "stock", Do: saga.Ask(stock, do), Undo: saga.Ask(stock, undo)},
				{Name: "payment", Do: saga.Ask(payment, do), Undo: saga.Ask(payment, undo), Within: 30 * time.Second},
			},
			Ended: func(ctx context.Context, tx outbox.Tx, id string, state saga.State, _ *Order) error {
				_, err := tx.ExecContext(ctx, "UPDATE orders SET state = $2 WHERE id = $1", id, string(state))
				return err
			},
		})
		if err != nil {
			return err
		}
		saga.Handle(orders, "payments.settled.v1", func(_ context.Context, m *slipway.Message[Settled]) (saga.Event[Order], error) {
			e := saga.Event[Order]{Saga: m.Value.OrderID, Step: "payment", Outcome: saga.Done}
			if m.Value.Declined != "" {
				e.Outcome, e.Reason = saga.Failed, m.Value.Declined
			}
			return e, nil
		})
		return nil
	}
	_ = wire // called by the function that is given to serve.Main
}

// Who wants to know which saga a command is of finds it in the headers.
func ExampleRefOf() {
	command := &kgo.Record{Headers: []kgo.RecordHeader{
		{Key: saga.HeaderName, Value: []byte("order")}, {Key: saga.HeaderID, Value: []byte("o-4711")},
		{Key: saga.HeaderStep, Value: []byte("payment")}, {Key: saga.HeaderPart, Value: []byte("undo")},
		{Key: saga.HeaderRound, Value: []byte("0")},
	}}
	ref, ok := saga.RefOf(command.Headers)
	fmt.Println(ref.ID, ref.Step, ref.Undo, ok)
	fmt.Println(ref.Key())
	// Output:
	// o-4711 payment true true
	// order/o-4711/payment/undo/0
}
