package order

import (
	"context"
	"strings"
	"time"

	"github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/outbox"
	"github.com/slipway-go/slipway/saga"

	"example.com/shop/internal/ledger"
	"example.com/shop/internal/store"
)

// The saga of an order, and its steps.
const (
	sagaName    = "order"
	stockStep   = "stock"
	paymentStep = "payment"
	handoutStep = "handout"
)

// How long the saga waits for an answer.
const (
	// stockWithin is long, because an order may have to wait: a shelf that is
	// jammed parks all orders of its SKU until somebody lets them go on.
	stockWithin = 3 * 24 * time.Hour

	// PaymentWithin is how long a customer's money may be in doubt, and how
	// long the stock of an order that nobody answers for is kept from others.
	// The charge is asked for twice in this time.
	PaymentWithin = 4 * time.Minute

	// handoutWithin is how soon a handout is asked for again. Inventory retries
	// by itself, and what it gave up lies in a dead-letter topic; so this is for
	// a command that nobody has.
	handoutWithin   = time.Hour
	handoutAttempts = 24
)

// A purchase is what the saga of an order knows.
type purchase struct {
	PlacedAt      time.Time `json:"placed_at"`
	UserID        string    `json:"user_id,omitempty"`
	SKU           string    `json:"sku"`
	Quantity      int64     `json:"quantity"`
	Amount        int64     `json:"amount"`
	Currency      string    `json:"currency"`
	PaymentMethod string    `json:"payment_method"`

	Rejected bool   `json:"rejected,omitempty"` // there was no stock
	Reason   string `json:"reason,omitempty"`   // why it ended otherwise than it should
}

// fulfilment is the saga of an order.
func (s *Service) fulfilment(app *slipway.App) saga.Definition[purchase] {
	created := slipway.NewProducer[Created](app, createdTopic)
	payment := slipway.NewProducer[Payment](app, paymentTopic)
	stock := slipway.NewProducer[Stock](app, stockTopic)

	pay := func(action string) saga.Command[purchase] {
		return saga.Ask(payment, func(id string, p *purchase) *Payment {
			return &Payment{OrderID: id, Action: action, Amount: p.Amount, Currency: p.Currency, PaymentMethod: p.PaymentMethod}
		})
	}
	move := func(action string) saga.Command[purchase] {
		return saga.Ask(stock, func(id string, p *purchase) *Stock {
			return &Stock{OrderID: id, Action: action, SKU: p.SKU, Quantity: p.Quantity}
		})
	}
	reserve := saga.Ask(created, func(id string, p *purchase) *Created {
		return &Created{
			OrderID: id, SKU: p.SKU, Quantity: p.Quantity, Amount: p.Amount, Currency: p.Currency,
			PaymentMethod: p.PaymentMethod, UserID: p.UserID, PlacedAt: p.PlacedAt,
		}
	})
	return saga.Definition[purchase]{
		Name: sagaName,
		Steps: []saga.Step[purchase]{
			{Name: stockStep, Do: reserve, Undo: move("RELEASE"), Within: stockWithin, Attempts: 1},
			{Name: paymentStep, Do: pay("CHARGE"), Undo: pay("VOID"), Within: PaymentWithin / 2, Attempts: 2},
			{Name: handoutStep, Do: move("COMMIT"), Within: handoutWithin, Attempts: handoutAttempts, Pivot: true},
		},
		Ended: s.close,
	}
}

// close writes an order's final state and tells of it, in the commit that ends
// its saga.
func (s *Service) close(ctx context.Context, tx outbox.Tx, id string, state saga.State, p *purchase) error {
	final, reason := Declined, p.Reason
	switch {
	case state == saga.Completed:
		final, reason = Confirmed, ""
	case p.Rejected:
		final = Rejected
	case reason == "":
		reason = "payment_timed_out"
	}
	if _, err := store.Changed(tx.ExecContext(ctx, `UPDATE orders SET state = $1, reason = $2 WHERE id = $3`, string(final), reason, id)); err != nil {
		return err
	}
	err := outbox.Send(ctx, tx, s.closed, &Closed{
		OrderID: id, UserID: p.UserID, State: strings.ToUpper(string(final)), Reason: reason,
		SKU: p.SKU, Quantity: p.Quantity, Amount: p.Amount, Currency: p.Currency,
	})
	if err != nil {
		return err
	}
	return ledger.Append(ctx, tx, ledger.Entry{
		Flow: ledger.State, OrderID: id, Kind: string(final), SKU: p.SKU, Quantity: p.Quantity, Amount: p.Amount, Currency: p.Currency,
	})
}
