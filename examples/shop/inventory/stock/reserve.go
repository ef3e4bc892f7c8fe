package stock

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/slipway-go/slipway"

	"example.com/shop/internal/ledger"
	"example.com/shop/internal/unsent"
)

func (s *Service) onOrderCreated(ctx context.Context, m *slipway.Message[OrderCreated]) error {
	return s.OrderCreated(ctx, unsent.ID(m), m.Value)
}

func (s *Service) onPaymentSettled(ctx context.Context, m *slipway.Message[PaymentSettled]) error {
	return s.PaymentSettled(ctx, unsent.ID(m), m.Value)
}

// OrderCreated reserves the stock of an order, or rejects it, once for the
// event's id.
func (s *Service) OrderCreated(ctx context.Context, id string, e OrderCreated) error {
	if e.OrderID == "" || e.Quantity < 1 {
		return slipway.Reject(fmt.Errorf("reserve %d of %q for order %q: that is no order", e.Quantity, e.SKU, e.OrderID))
	}
	return s.box.Do(ctx, id, func(ctx context.Context, tx *unsent.Tx) error {
		if err := reach(ctx, tx, e.SKU); err != nil {
			return err
		}
		r := reservation{e, StatusReserved}
		enough, err := take(ctx, tx, e.SKU, e.Quantity)
		if err != nil {
			return err
		}
		reason := ""
		if !enough {
			r.status, reason = StatusRejected, "out_of_stock"
		}
		if err := insert(ctx, tx, r); err != nil {
			return err
		}
		return s.tell(ctx, tx, cause{createdTopic, id}, r, 1, reason)
	})
}

// PaymentSettled commits or releases the reservation of an order, once for the
// event's id.
func (s *Service) PaymentSettled(ctx context.Context, id string, e PaymentSettled) error {
	return s.box.Do(ctx, id, func(ctx context.Context, tx *unsent.Tx) error {
		r, err := find(ctx, tx, e.OrderID)
		switch {
		case errors.Is(err, errNoReservation):
			return slipway.Reject(fmt.Errorf("settle order %q: %w", e.OrderID, err))
		case err != nil:
			return err
		case r.status != StatusReserved:
			return slipway.Reject(fmt.Errorf("settle order %q: its stock is %s already", e.OrderID, r.status))
		}
		if err := reach(ctx, tx, r.SKU); err != nil {
			return err
		}
		r.status = StatusReleased
		move := release
		if e.Status == "CONFIRMED" {
			r.status, move = StatusCommitted, commit
		}
		if err := move(ctx, tx, r.SKU, r.Quantity); err != nil {
			return err
		}
		if err := setStatus(ctx, tx, r.OrderID, r.status); err != nil {
			return err
		}
		return s.tell(ctx, tx, cause{settledTopic, id}, r, 2, "")
	})
}

// A cause is the event that made the stock change.
type cause struct{ topic, id string }

// tell sends what became of an order's stock and notes both ends in the ledger.
func (s *Service) tell(ctx context.Context, tx *unsent.Tx, why cause, r reservation, sequence int64, reason string) error {
	event, err := s.reserved.Send(ctx, tx, r.OrderID, &Reserved{
		OrderID: r.OrderID, Sequence: sequence, Status: r.status, Reason: reason, SKU: r.SKU, Quantity: r.Quantity,
		Amount: r.Amount, Currency: r.Currency, PaymentMethod: r.PaymentMethod,
	})
	if err != nil {
		return err
	}
	entry := ledger.Entry{
		OrderID: r.OrderID, Kind: strings.ToLower(string(r.status)), SKU: r.SKU, Quantity: r.Quantity,
		Amount: r.Amount, Currency: r.Currency,
	}
	in, out := entry, entry
	in.Flow, in.Topic, in.EventID, in.Sequence = ledger.In, why.topic, why.id, 1
	out.Flow, out.Topic, out.EventID, out.Sequence = ledger.Out, reservedTopic, event, sequence
	return ledger.Append(ctx, tx, in, out)
}
