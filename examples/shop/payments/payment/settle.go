package payment

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"strings"

	"github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/outbox"

	"example.com/shop/internal/ledger"
)

func (s *Service) onCommand(ctx context.Context, m *slipway.Message[Command]) error {
	return s.Command(ctx, m.ID(), m.Value)
}

// Command charges an order or takes its payment back, once for the message that
// ctx belongs to. The id is that of the event, for the ledger.
func (s *Service) Command(ctx context.Context, id string, c Command) error {
	if c.OrderID == "" || c.Amount < 1 {
		return slipway.Reject(fmt.Errorf("settle %d %s of order %q: that is no payment", c.Amount, c.Currency, c.OrderID))
	}
	return outbox.Do(ctx, s.db.SQL(), func(ctx context.Context, tx *sql.Tx) error {
		heard := ledger.Entry{
			Flow: ledger.In, Topic: commandTopic, EventID: id, OrderID: c.OrderID, Kind: strings.ToLower(c.Action), Sequence: 1,
			Amount: c.Amount, Currency: c.Currency,
		}
		if c.Action == ActionVoid {
			heard.Sequence = 2
		}
		if c.Action == ActionVoid {
			return s.void(ctx, tx, c, heard)
		}
		return s.charge(ctx, tx, c, heard)
	})
}

func (s *Service) charge(ctx context.Context, tx *sql.Tx, c Command, heard ledger.Entry) error {
	status, reason := Decide(c.Amount, c.PaymentMethod)
	p := Payment{OrderID: c.OrderID, Status: status, Reason: reason, Amount: c.Amount, Currency: c.Currency}
	fresh, err := insert(ctx, tx, p)
	if err != nil {
		return err
	}
	if !fresh { // there is a payment, and whoever asked was told how it ended
		return ledger.Append(ctx, tx, heard)
	}
	return s.tell(ctx, tx, heard, p, 1)
}

func (s *Service) void(ctx context.Context, tx *sql.Tx, c Command, heard ledger.Entry) error {
	p := Payment{OrderID: c.OrderID, Status: Voided, Amount: c.Amount, Currency: c.Currency}
	fresh, err := insert(ctx, tx, p)
	if err != nil {
		return err
	}
	p.Amount = 0 // nothing to give back
	if !fresh {
		before, err := void(ctx, tx, c.OrderID)
		if err != nil {
			return err
		}
		if before.Status == Confirmed {
			p.Amount = before.Amount
		}
	}
	return s.tell(ctx, tx, heard, p, 2)
}

// tell sends what became of a payment and notes both ends in the ledger.
func (s *Service) tell(ctx context.Context, tx *sql.Tx, heard ledger.Entry, p Payment, sequence int64) error {
	event := strings.ToLower(rand.Text())
	err := s.send(ctx, tx, &Settled{
		OrderID: p.OrderID, Sequence: sequence, Status: p.Status, Reason: p.Reason, Amount: p.Amount, Currency: p.Currency,
	}, slipway.WithID(event))
	if err != nil {
		return err
	}
	return ledger.Append(ctx, tx, heard, ledger.Entry{
		Flow: ledger.Out, Topic: settledTopic, EventID: event, OrderID: p.OrderID, Kind: strings.ToLower(string(p.Status)), Sequence: sequence,
		Amount: p.Amount, Currency: p.Currency,
	})
}
