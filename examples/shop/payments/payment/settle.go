package payment

import (
	"context"
	"fmt"
	"strings"

	"github.com/slipway-go/slipway"

	"example.com/shop/internal/ledger"
	"example.com/shop/internal/unsent"
)

func (s *Service) onStockReserved(ctx context.Context, m *slipway.Message[StockReserved]) error {
	return s.StockReserved(ctx, unsent.ID(m), m.Value)
}

// StockReserved settles the payment of an order whose stock was reserved, once
// for the event's id. What else inventory says of an order is only noted.
func (s *Service) StockReserved(ctx context.Context, id string, e StockReserved) error {
	if e.OrderID == "" || e.Amount < 1 {
		return slipway.Reject(fmt.Errorf("settle %d %s of order %q: that is no payment", e.Amount, e.Currency, e.OrderID))
	}
	return s.box.Do(ctx, id, func(ctx context.Context, tx *unsent.Tx) error {
		heard := ledger.Entry{
			Flow: ledger.In, Topic: reservedTopic, EventID: id, OrderID: e.OrderID, Kind: strings.ToLower(e.Status), Sequence: e.Sequence,
			Amount: e.Amount, Currency: e.Currency,
		}
		if err := ledger.Append(ctx, tx, heard); err != nil || e.Status != "RESERVED" {
			return err
		}
		return s.settle(ctx, tx, e)
	})
}

func (s *Service) settle(ctx context.Context, tx *unsent.Tx, e StockReserved) error {
	status, reason := Decide(e.Amount, e.PaymentMethod)
	p := Payment{OrderID: e.OrderID, Status: status, Reason: reason, Amount: e.Amount, Currency: e.Currency}
	if err := insert(ctx, tx, p); err != nil {
		return err
	}
	event, err := s.settled.Send(ctx, tx, e.OrderID, &Settled{
		OrderID: p.OrderID, Status: p.Status, Reason: p.Reason, Amount: p.Amount, Currency: p.Currency,
	})
	if err != nil {
		return err
	}
	return ledger.Append(ctx, tx, ledger.Entry{
		Flow: ledger.Out, Topic: settledTopic, EventID: event, OrderID: p.OrderID, Kind: strings.ToLower(string(p.Status)), Sequence: 1,
		Amount: p.Amount, Currency: p.Currency,
	})
}
