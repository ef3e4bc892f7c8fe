package unsent

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/slipway-go/slipway"
)

// A Topic takes the events of one type that a box sends.
type Topic[T any] struct {
	box  *Box
	name string
}

// NewTopic returns a topic of the box, by its name in the contract.
func NewTopic[T any](b *Box, name string) *Topic[T] { return &Topic[T]{box: b, name: name} }

// Name is the topic's name in the contract.
func (t *Topic[T]) Name() string { return t.name }

// Connect sends the topic's events with a producer of the app.
func (t *Topic[T]) Connect(app *slipway.App) {
	producer := slipway.NewProducer[T](app, t.name)
	t.box.Connect(t.name, func(ctx context.Context, e Event) error {
		var value T
		if err := json.Unmarshal(e.Payload, &value); err != nil {
			return fmt.Errorf("read unsent event %s: %w", e.ID, err)
		}
		_, err := producer.Send(ctx, &value, slipway.WithID(e.ID), slipway.WithTime(e.Time))
		return err
	})
}

// Send keeps an event in the transaction and returns the id it will carry. It
// leaves once the transaction is committed, behind earlier events of its key.
func (t *Topic[T]) Send(ctx context.Context, tx *Tx, key string, value *T) (id string, err error) {
	payload, err := json.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("keep event for %s: %w", t.name, err)
	}
	id = strings.ToLower(rand.Text())
	return id, tx.put(ctx, Event{ID: id, Topic: t.name, Key: key, Payload: payload, Time: time.Now()})
}

// ID identifies the event that a message carries, for [Box.Do]: its CloudEvents
// id, or where it lies if it has none.
func ID[T any](m *slipway.Message[T]) string {
	return cmp.Or(m.ID(), fmt.Sprintf("%s/%d/%d", m.Topic, m.Partition, m.Offset))
}
