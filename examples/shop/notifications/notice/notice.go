package notice

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/slipway-go/slipway"

	"example.com/shop/internal/store"
	"example.com/shop/mail"
)

// The topics, as the contract names them.
const (
	userTopic  = "users.created.v1"
	orderTopic = "orders.closed.v1"
)

// UserCreated is what notifications reads of a user.
type UserCreated struct {
	UserID string `avro:"user_id"`
	Email  string `avro:"email"`
	Name   string `avro:"name"`
}

// OrderClosed is what notifications reads of an order.
type OrderClosed struct {
	OrderID  string `avro:"order_id"`
	UserID   string `avro:"user_id"`
	State    string `avro:"state"`
	SKU      string `avro:"sku"`
	Quantity int64  `avro:"quantity"`
	Amount   int64  `avro:"amount"`
	Currency string `avro:"currency"`
}

const schema = `
CREATE TABLE IF NOT EXISTS users (
	id    TEXT PRIMARY KEY,
	email TEXT NOT NULL,
	name  TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS mails (
	message_id TEXT   PRIMARY KEY,
	sent_at    BIGINT NOT NULL
);`

const from = "shop@example.com"

func (s *Service) onUserCreated(ctx context.Context, m *slipway.Message[UserCreated]) error {
	u := m.Value
	err := s.db.Update(ctx, func(ctx context.Context, tx store.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO users (id, email, name) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING`, u.UserID, u.Email, u.Name)
		return err
	})
	if err != nil {
		return err
	}
	return s.tell(ctx, mail.Letter{
		ID: messageID("welcome", u.UserID), From: from, To: u.Email, Subject: "Welcome to the shop",
		Body: fmt.Sprintf("Hello %s,\n\nit is good to have you.\n", u.Name),
	})
}

func (s *Service) onOrderClosed(ctx context.Context, m *slipway.Message[OrderClosed]) error {
	o := m.Value
	if o.UserID == "" {
		return nil // a guest, who left no address
	}
	u := UserCreated{UserID: o.UserID}
	err := s.db.Reader().QueryRowContext(ctx, `SELECT email, name FROM users WHERE id = $1`, o.UserID).Scan(&u.Email, &u.Name)
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("tell user %s of order %s: the user is not known yet", o.UserID, o.OrderID)
	}
	if err != nil {
		return err
	}
	state := strings.ToLower(o.State)
	return s.tell(ctx, mail.Letter{
		ID: messageID("closed", o.OrderID), From: from, To: u.Email, Subject: fmt.Sprintf("Your order %s is %s", o.OrderID, state),
		Body: fmt.Sprintf("Hello %s,\n\nyour order of %d %s over %d.%02d %s is %s.\n", u.Name, o.Quantity, o.SKU, o.Amount/100, o.Amount%100, o.Currency, state),
	})
}

// messageID names a letter by what it tells of. There is one welcome for a user
// and one end for an order, so an event that was published twice, under another
// id even, makes no second letter.
func messageID(what, id string) string { return what + "." + id + "@shop.example.com" }

// tell sends a letter, unless it was sent.
func (s *Service) tell(ctx context.Context, l mail.Letter) error {
	var at int64
	err := s.db.Reader().QueryRowContext(ctx, `SELECT sent_at FROM mails WHERE message_id = $1`, l.ID).Scan(&at)
	if err == nil || !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if err := s.sender.Send(ctx, l); err != nil {
		return err
	}
	return s.db.Update(ctx, func(ctx context.Context, tx store.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO mails (message_id, sent_at) VALUES ($1, $2) ON CONFLICT (message_id) DO NOTHING`, l.ID, time.Now().UnixNano())
		return err
	})
}
