package order

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/outbox"
	"github.com/slipway-go/slipway/saga"

	"example.com/shop/internal/ledger"
)

// onStockReserved takes inventory's answer.
func (s *Service) onStockReserved(ctx context.Context, m *slipway.Message[StockReserved]) error {
	e := saga.Event[purchase]{Saga: m.Value.OrderID, Step: stockStep, Reason: m.Value.Reason}
	switch m.Value.Status {
	case "RESERVED":
		e.Outcome = saga.Done
	case "REJECTED":
		e.Outcome = saga.Failed
		e.Learn = func(p *purchase) { p.Rejected, p.Reason = true, m.Value.Reason }
	case "RELEASED":
		e.Outcome = saga.Undone
	case "COMMITTED":
		e.Step, e.Outcome = handoutStep, saga.Done
	}
	return s.hear(ctx, e, ledger.Entry{
		Flow: ledger.In, Topic: reservedTopic, EventID: m.ID(), OrderID: m.Value.OrderID, Kind: strings.ToLower(m.Value.Status), Sequence: m.Value.Sequence,
	})
}

// onPaymentSettled takes payments' answer.
func (s *Service) onPaymentSettled(ctx context.Context, m *slipway.Message[PaymentSettled]) error {
	e := saga.Event[purchase]{Saga: m.Value.OrderID, Step: paymentStep, Reason: m.Value.Reason}
	switch m.Value.Status {
	case "CONFIRMED":
		e.Outcome = saga.Done
	case "DECLINED":
		e.Outcome = saga.Failed
		e.Learn = func(p *purchase) { p.Reason = m.Value.Reason }
	case "VOIDED":
		e.Outcome = saga.Undone
	}
	return s.hear(ctx, e, ledger.Entry{
		Flow: ledger.In, Topic: settledTopic, EventID: m.ID(), OrderID: m.Value.OrderID, Kind: strings.ToLower(m.Value.Status), Sequence: m.Value.Sequence,
	})
}

// hear tells the saga of an order what was heard, once: what follows from it,
// the ledger's entry and the inbox row are one commit. An answer for an order
// that is not known no repetition will cure.
func (s *Service) hear(ctx context.Context, e saga.Event[purchase], heard ledger.Entry) error {
	return outbox.Do(ctx, s.db.SQL(), func(ctx context.Context, tx *sql.Tx) error {
		err := s.saga.Observe(ctx, tx, e)
		if errors.Is(err, saga.ErrUnknown) {
			return slipway.Reject(fmt.Errorf("hear %s of order %q: %w", heard.Topic, heard.OrderID, errUnknown))
		}
		if err != nil {
			return err
		}
		return ledger.Append(ctx, tx, heard)
	})
}
