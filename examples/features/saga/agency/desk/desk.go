// Package desk carries out commands, and knows nothing of who puts them
// together: each one changes a row, and is answered in the same commit.
package desk

import (
	"context"
	"database/sql"

	"github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/outbox"
	"github.com/slipway-go/slipway/saga"

	"example.com/features/internal/sqlite"
)

// Work is what the owner of the commands writes; see trips/schemas/work.avsc.
type Work struct {
	TripID string `avro:"trip_id"`
	Card   string `avro:"card"`
	Undo   bool   `avro:"undo"`
}

// Answered is the answer.
type Answered struct {
	TripID  string       `avro:"trip_id"`
	Outcome saga.Outcome `avro:"outcome"`
	Reason  string       `avro:"reason"`
}

// A row says "not any more" too: a command that comes after it was taken back
// must not be carried out.
const table = `CREATE TABLE IF NOT EXISTS done (trip_id TEXT, step TEXT, undone BOOLEAN NOT NULL, PRIMARY KEY (trip_id, step))`

// Wire connects the service with its database and Kafka.
func Wire(app *slipway.App) error {
	db, err := sqlite.Open(app, table, outbox.Migrate)
	if err != nil {
		return err
	}
	if _, err := outbox.Open(app, outbox.Config{DB: db}); err != nil {
		return err
	}
	answered := slipway.NewProducer[Answered](app, "agency.answered.v1")
	for _, step := range []string{"flight", "hotel", "card"} {
		slipway.Handle(app, "trips."+step+".v1", func(ctx context.Context, m *slipway.Message[Work]) error {
			return outbox.Do(ctx, db, func(ctx context.Context, tx *sql.Tx) error {
				a, err := carryOut(ctx, tx, step, m.Value)
				if err != nil {
					return err
				}
				return outbox.Send(ctx, tx, answered, &a, saga.Echo(m.Record)...)
			})
		})
	}
	return nil
}

func carryOut(ctx context.Context, tx *sql.Tx, step string, w Work) (Answered, error) {
	a := Answered{TripID: w.TripID, Outcome: saga.Done}
	if w.Undo { // also of what was never done
		a.Outcome = saga.Undone
		_, err := tx.ExecContext(ctx, `INSERT INTO done (trip_id, step, undone) VALUES ($1, $2, TRUE)
			ON CONFLICT (trip_id, step) DO UPDATE SET undone = TRUE`, w.TripID, step)
		return a, err
	}
	if step == "card" && w.Card == "declined" {
		a.Outcome, a.Reason = saga.Failed, "the card is declined"
		return a, nil
	}
	var undone bool
	err := tx.QueryRowContext(ctx, `INSERT INTO done (trip_id, step, undone) VALUES ($1, $2, FALSE)
		ON CONFLICT (trip_id, step) DO UPDATE SET undone = undone RETURNING undone`, w.TripID, step).Scan(&undone)
	if undone {
		a.Outcome, a.Reason = saga.Failed, "it was taken back before it came"
	}
	return a, err
}
