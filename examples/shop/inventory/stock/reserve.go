package stock

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/outbox"

	"example.com/shop/internal/ledger"
)

func (s *Service) onOrderCreated(ctx context.Context, m *slipway.Message[OrderCreated]) error {
	return s.OrderCreated(ctx, m.ID(), m.Value)
}

func (s *Service) onCommand(ctx context.Context, m *slipway.Message[Command]) error {
	return s.Command(ctx, m.ID(), m.Value)
}

// OrderCreated reserves the stock of an order, or rejects it, once for the
// message that ctx belongs to. The id is that of the event, for the ledger.
func (s *Service) OrderCreated(ctx context.Context, id string, e OrderCreated) error {
	if e.OrderID == "" || e.Quantity < 1 {
		return slipway.Reject(fmt.Errorf("reserve %d of %q for order %q: that is no order", e.Quantity, e.SKU, e.OrderID))
	}
	return outbox.Do(ctx, s.db.SQL(), func(ctx context.Context, tx *sql.Tx) error {
		if err := reach(ctx, tx, e.SKU); err != nil {
			return err
		}
		r := reservation{e, StatusReserved}
		fresh, err := insert(ctx, tx, r)
		if err != nil || !fresh {
			return err // taken back before it was asked for
		}
		enough, err := take(ctx, tx, e.SKU, e.Quantity)
		if err != nil {
			return err
		}
		reason := ""
		if !enough {
			r.status, reason = StatusRejected, "out_of_stock"
			if err := setStatus(ctx, tx, e.OrderID, r.status); err != nil {
				return err
			}
		}
		return s.tell(ctx, tx, cause{createdTopic, id}, r, 1, reason)
	})
}

// Command hands out the stock of an order or puts it back, once for the message
// that ctx belongs to. What is done already is only told again.
func (s *Service) Command(ctx context.Context, id string, c Command) error {
	if c.OrderID == "" || c.Quantity < 1 {
		return slipway.Reject(fmt.Errorf("%s %d of %q for order %q: that is no command", c.Action, c.Quantity, c.SKU, c.OrderID))
	}
	return outbox.Do(ctx, s.db.SQL(), func(ctx context.Context, tx *sql.Tx) error {
		r, err := claim(ctx, tx, c.OrderID)
		if errors.Is(err, errNoReservation) && c.Action == ActionRelease {
			// A late order.created must find that nothing is wanted any more.
			r = reservation{OrderCreated{OrderID: c.OrderID, SKU: c.SKU, Quantity: c.Quantity}, StatusReleased}
			if _, err = insert(ctx, tx, r); err == nil {
				return s.tell(ctx, tx, cause{commandTopic, id}, r, 2, "")
			}
		}
		if errors.Is(err, errNoReservation) {
			return slipway.Reject(fmt.Errorf("%s stock of order %q: %w", c.Action, c.OrderID, err))
		}
		if err != nil {
			return err
		}
		if err := s.settle(ctx, tx, &r, c.Action); err != nil {
			return err
		}
		return s.tell(ctx, tx, cause{commandTopic, id}, r, 2, "")
	})
}

// settle moves what is reserved for an order on, or back.
func (s *Service) settle(ctx context.Context, tx *sql.Tx, r *reservation, action string) error {
	want, move := StatusCommitted, commit
	if action == ActionRelease {
		want, move = StatusReleased, release
	}
	switch {
	case r.status == want:
		return nil
	case r.status == StatusRejected && want == StatusReleased:
		return nil
	case r.status != StatusReserved:
		return slipway.Reject(fmt.Errorf("%s stock of order %q: it is %s already", action, r.OrderID, r.status))
	}
	if err := reach(ctx, tx, r.SKU); err != nil {
		return err
	}
	if err := move(ctx, tx, r.SKU, r.Quantity); err != nil {
		return err
	}
	r.status = want
	return setStatus(ctx, tx, r.OrderID, want)
}

// A cause is the event that made the stock change.
type cause struct{ topic, id string }

// tell sends what became of an order's stock and notes both ends in the ledger.
func (s *Service) tell(ctx context.Context, tx *sql.Tx, why cause, r reservation, sequence int64, reason string) error {
	event := strings.ToLower(rand.Text())
	err := s.send(ctx, tx, &Reserved{
		OrderID: r.OrderID, Sequence: sequence, Status: r.status, Reason: reason, SKU: r.SKU, Quantity: r.Quantity,
		Amount: r.Amount, Currency: r.Currency, PaymentMethod: r.PaymentMethod,
	}, slipway.WithID(event))
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
