package order

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/slipway-go/slipway"

	"example.com/shop/internal/ledger"
	"example.com/shop/internal/unsent"
)

func (s *Service) onStockReserved(ctx context.Context, m *slipway.Message[StockReserved]) error {
	return s.StockReserved(ctx, unsent.ID(m), m.Value)
}

func (s *Service) onPaymentSettled(ctx context.Context, m *slipway.Message[PaymentSettled]) error {
	return s.PaymentSettled(ctx, unsent.ID(m), m.Value)
}

// StockReserved applies inventory's event with the given id, once.
func (s *Service) StockReserved(ctx context.Context, id string, e StockReserved) error {
	heard := ledger.Entry{Topic: reservedTopic, EventID: id, OrderID: e.OrderID, Kind: strings.ToLower(e.Status), Sequence: e.Sequence}
	return s.hear(ctx, heard, func(o *Order) error { return o.Stock(e) })
}

// PaymentSettled applies payments' event with the given id, once.
func (s *Service) PaymentSettled(ctx context.Context, id string, e PaymentSettled) error {
	heard := ledger.Entry{Topic: settledTopic, EventID: id, OrderID: e.OrderID, Kind: strings.ToLower(e.Status), Sequence: 1}
	return s.hear(ctx, heard, func(o *Order) error { return o.Payment(e) })
}

// hear lets an order take in an event and notes a final state. What an order
// cannot take in no repetition will cure, so it is rejected.
func (s *Service) hear(ctx context.Context, heard ledger.Entry, take func(*Order) error) error {
	return s.box.Do(ctx, heard.EventID, func(ctx context.Context, tx *unsent.Tx) error {
		o, err := byID(ctx, tx, heard.OrderID)
		if errors.Is(err, errUnknown) {
			return slipway.Reject(fmt.Errorf("hear %s of order %q: %w", heard.Topic, heard.OrderID, err))
		}
		if err != nil {
			return err
		}
		if err := take(o); err != nil {
			return slipway.Reject(err)
		}
		if err := update(ctx, tx, o); err != nil {
			return err
		}
		heard.Flow = ledger.In
		entries := []ledger.Entry{heard}
		if o.State.Final() {
			entries = append(entries, ledger.Entry{
				Flow: ledger.State, OrderID: o.ID, Kind: string(o.State), SKU: o.SKU, Quantity: o.Quantity,
				Amount: o.Total.Amount, Currency: o.Total.Currency,
			})
		}
		return ledger.Append(ctx, tx, entries...)
	})
}
