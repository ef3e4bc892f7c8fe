// Package trip books trips step by step. A trip whose card is declined gives
// back its hotel and its flight, in this order.
package trip

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/outbox"
	"github.com/slipway-go/slipway/saga"

	"example.com/features/internal/sqlite"
)

// Work is a command: to do a step of a trip, or to take it back.
type Work struct {
	TripID string `avro:"trip_id"`
	Card   string `avro:"card"`
	Undo   bool   `avro:"undo"`
}

// Answered tells what became of a command.
type Answered struct {
	TripID  string `avro:"trip_id"`
	Outcome string `avro:"outcome"`
	Reason  string `avro:"reason"`
}

// A booking is what the saga knows.
type booking struct {
	Card string `json:"card"`
}

const table = `CREATE TABLE IF NOT EXISTS trips (id TEXT PRIMARY KEY, state TEXT NOT NULL)`

type service struct {
	db    *sql.DB
	trips *saga.Orchestrator[booking]
}

// Wire connects the service with its database, Kafka and HTTP.
func Wire(app *slipway.App) error {
	db, err := sqlite.Open(app, table, outbox.Migrate, saga.Migrate)
	if err != nil {
		return err
	}
	if _, err := outbox.Open(app, outbox.Config{DB: db}); err != nil {
		return err
	}
	s := &service{db: db}
	if s.trips, err = saga.New(app, db, definition(app)); err != nil {
		return err
	}
	saga.Handle(s.trips, "agency.answered.v1", onAnswered)
	app.Mux().HandleFunc("POST /trips/{id}", s.book)
	app.Mux().HandleFunc("GET /trips/{id}", s.state)
	return nil
}

func definition(app *slipway.App) saga.Definition[booking] {
	step := func(name string) saga.Step[booking] {
		ask := slipway.NewProducer[Work](app, "trips."+name+".v1")
		command := func(undo bool) saga.Command[booking] {
			return saga.Ask(ask, func(id string, b *booking) *Work { return &Work{TripID: id, Card: b.Card, Undo: undo} })
		}
		return saga.Step[booking]{Name: name, Do: command(false), Undo: command(true), Within: 30 * time.Second, Attempts: 2}
	}
	return saga.Definition[booking]{
		Name:  "trip",
		Steps: []saga.Step[booking]{step("flight"), step("hotel"), step("card")},
		Ended: func(ctx context.Context, tx outbox.Tx, id string, state saga.State, _ *booking) error {
			_, err := tx.ExecContext(ctx, `UPDATE trips SET state = $1 WHERE id = $2`, string(state), id)
			return err
		},
	}
}

// onAnswered reads which step is answered from what the agency echoes.
func onAnswered(_ context.Context, m *slipway.Message[Answered]) (saga.Event[booking], error) {
	ref, ok := saga.RefOf(m.Headers)
	if !ok {
		return saga.Event[booking]{}, slipway.Reject(errors.New("read answer: it does not say which command it answers"))
	}
	return saga.Event[booking]{
		Saga: ref.ID, Step: ref.Step, Key: ref.Key(), Outcome: saga.Outcome(m.Value.Outcome), Reason: m.Value.Reason,
	}, nil
}

// book starts a trip in the commit that writes it down as pending, which tells
// everybody else to leave it alone until the saga is over.
func (s *service) book(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	err := outbox.Do(r.Context(), s.db, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO trips (id, state) VALUES ($1, 'pending') ON CONFLICT DO NOTHING`, id); err != nil {
			return err
		}
		return s.trips.Start(ctx, tx, id, booking{Card: r.FormValue("card")})
	})
	if err != nil && !errors.Is(err, saga.ErrStarted) { // asked twice: it runs
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

func (s *service) state(w http.ResponseWriter, r *http.Request) {
	var state string
	if err := s.db.QueryRowContext(r.Context(), `SELECT state FROM trips WHERE id = $1`, r.PathValue("id")).Scan(&state); err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	fmt.Fprintln(w, state)
}
