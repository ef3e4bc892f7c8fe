package order

import (
	"context"
	"crypto/rand"
	"database/sql"
	"regexp"
	"strings"
	"time"

	"github.com/slipway-go/slipway/outbox"
	"github.com/slipway-go/slipway/saga"

	"example.com/shop/internal/ledger"
	"example.com/shop/internal/web"
)

// A Request is what a customer asks for.
type Request struct {
	SKU           string `json:"sku"`
	Quantity      int64  `json:"quantity"`
	UnitPrice     Money  `json:"unit_price"`
	PaymentMethod string `json:"payment_method"`
	UserID        string `json:"user_id,omitempty"` // empty for a guest
}

// The bounds of a request. The total of the largest stays far below what an
// int64 holds.
const (
	maxQuantity  = 1_000
	maxUnitPrice = 100_000_000
)

var (
	skuPattern      = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)
	currencyPattern = regexp.MustCompile(`^[A-Z]{3}$`)
	userPattern     = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)
	tokenPattern    = regexp.MustCompile(`^[\x21-\x7e]{1,64}$`)
)

func (r Request) validate() error {
	switch {
	case !skuPattern.MatchString(r.SKU):
		return web.BadRequest("sku_invalid", "sku is %.80q, want up to 64 lower-case letters, digits and -", r.SKU)
	case r.Quantity < 1 || r.Quantity > maxQuantity:
		return web.BadRequest("quantity_invalid", "quantity is %d, want 1 to %d", r.Quantity, maxQuantity)
	case r.UnitPrice.Amount < 1 || r.UnitPrice.Amount > maxUnitPrice:
		return web.BadRequest("amount_invalid", "unit_price.amount is %d, want 1 to %d minor units", r.UnitPrice.Amount, maxUnitPrice)
	case !currencyPattern.MatchString(r.UnitPrice.Currency):
		return web.BadRequest("currency_invalid", "unit_price.currency is %.80q, want three capital letters such as EUR", r.UnitPrice.Currency)
	case !tokenPattern.MatchString(r.PaymentMethod):
		return web.BadRequest("payment_method_invalid", "payment_method is %.80q, want a token of up to 64 characters", r.PaymentMethod)
	}
	if r.UserID != "" && !userPattern.MatchString(r.UserID) {
		return web.BadRequest("user_id_invalid", "user_id is %.80q, want the user_id that users gave, or none", r.UserID)
	}
	return nil
}

// asks reports whether the order is what the request asks for.
func (r Request) asks(o *Order) bool {
	return r.SKU == o.SKU && r.Quantity == o.Quantity && r.UnitPrice.Currency == o.Total.Currency &&
		r.UnitPrice.Amount*r.Quantity == o.Total.Amount && r.PaymentMethod == o.PaymentMethod && r.UserID == o.UserID
}

// Place places an order, once for each idempotency key: with a key it has seen
// it returns the order of that key, and false. The order is stored and its saga
// runs, or will, when Place returns nil.
func (s *Service) Place(ctx context.Context, key string, r Request) (*Order, bool, error) {
	if err := r.validate(); err != nil {
		return nil, false, err
	}
	o := &Order{
		ID: "o-" + strings.ToLower(rand.Text()), State: Pending, SKU: r.SKU, Quantity: r.Quantity,
		Total:         Money{r.UnitPrice.Amount * r.Quantity, r.UnitPrice.Currency},
		PaymentMethod: r.PaymentMethod, UserID: r.UserID, PlacedAt: time.Now().UTC(),
	}
	placed := false
	err := outbox.Do(ctx, s.db.SQL(), func(ctx context.Context, tx *sql.Tx) (err error) {
		if placed, err = insert(ctx, tx, o, key); err != nil || !placed {
			return err
		}
		return s.start(ctx, tx, o, key)
	})
	if err != nil || placed {
		return o, placed, err
	}
	if o, err = byKey(ctx, s.db.Reader(), key); err == nil && !r.asks(o) {
		err = web.Conflict("idempotency_key_reused", "the idempotency key belongs to order %s, which is another", o.ID)
	}
	return o, false, err
}

const placeRequest = "POST /orders"

// start starts an order's saga, which asks for its stock.
func (s *Service) start(ctx context.Context, tx *sql.Tx, o *Order, key string) error {
	err := s.saga.Start(ctx, tx, o.ID, purchase{
		PlacedAt: o.PlacedAt, UserID: o.UserID, SKU: o.SKU, Quantity: o.Quantity,
		Amount: o.Total.Amount, Currency: o.Total.Currency, PaymentMethod: o.PaymentMethod,
	})
	if err != nil {
		return err
	}
	entry := ledger.Entry{
		Kind: "placed", OrderID: o.ID, Sequence: 1, SKU: o.SKU, Quantity: o.Quantity,
		Amount: o.Total.Amount, Currency: o.Total.Currency,
	}
	in, out := entry, entry
	in.Flow, in.Topic, in.EventID = ledger.In, placeRequest, key
	out.Flow, out.Topic, out.EventID = ledger.Out, createdTopic, saga.Ref{Name: sagaName, ID: o.ID, Step: stockStep}.Key()
	return ledger.Append(ctx, tx, in, out)
}
