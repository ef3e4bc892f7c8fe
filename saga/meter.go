package saga

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	slipway "github.com/slipway-go/slipway"
)

// meter is what the metrics say of the sagas of one name: how many are open,
// by state and by age, as the database has it, and how many transitions this
// instance has made.
type meter struct {
	name         string
	moves        metric.Int64Counter
	registration metric.Registration

	mu     sync.Mutex
	open   map[State]int64
	oldest map[State]time.Time
}

func newMeter(app *slipway.App, name string) (*meter, error) {
	m := &meter{name: name}
	scope := app.MeterProvider().Meter("github.com/slipway-go/slipway/saga")
	open, err1 := scope.Int64ObservableGauge("slipway.saga.open", metric.WithUnit("{saga}"), metric.WithDescription("Sagas that are not over, by state, in the service's database."))
	age, err2 := scope.Float64ObservableGauge("slipway.saga.oldest.age", metric.WithUnit("s"), metric.WithDescription("How long ago the oldest saga of the state last moved."))
	moves, err3 := scope.Int64Counter("slipway.saga.transitions", metric.WithUnit("{transition}"), metric.WithDescription("Sagas that came into a state, by this instance."))
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, fmt.Errorf("make metrics of saga %s: %w", name, err)
	}
	m.moves = moves
	var err error
	m.registration, err = scope.RegisterCallback(func(_ context.Context, to metric.Observer) error {
		m.mu.Lock()
		defer m.mu.Unlock()
		for _, s := range []State{Running, Compensating, Stuck} {
			if m.open == nil {
				break // not counted yet
			}
			to.ObserveInt64(open, m.open[s], m.with(s))
			if at := m.oldest[s]; !at.IsZero() {
				to.ObserveFloat64(age, time.Since(at).Seconds(), m.with(s))
			}
		}
		return nil
	}, open, age)
	if err != nil {
		return nil, fmt.Errorf("make metrics of saga %s: %w", name, err)
	}
	return m, nil
}

func (m *meter) with(s State) metric.MeasurementOption {
	return metric.WithAttributes(attribute.String("saga.name", m.name), attribute.String("saga.state", string(s)))
}

// moved counts a transition into another state. One that is rolled back
// afterwards, and made again, counts twice.
func (m *meter) moved(ctx context.Context, before, after State) {
	if before != after {
		m.moves.Add(ctx, 1, m.with(after))
	}
}

// set takes the numbers of a census.
func (m *meter) set(open map[State]int64, oldest map[State]time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.open, m.oldest = open, oldest
}

func (m *meter) close() error { return m.registration.Unregister() }

// count takes a census of the sagas that are not over.
func (o *Orchestrator[D]) count(ctx context.Context) (err error) {
	rows, err := o.db.QueryContext(ctx, `SELECT state, count(*), min(updated) FROM slipway_saga
WHERE name = $1 AND state IN ('running', 'compensating', 'stuck') GROUP BY state`, o.newest.Name)
	if err != nil {
		return fmt.Errorf("count sagas: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	open, oldest := make(map[State]int64), make(map[State]time.Time)
	for rows.Next() {
		var state string
		var n, at int64
		if err := rows.Scan(&state, &n, &at); err != nil {
			return fmt.Errorf("count sagas: %w", err)
		}
		open[State(state)], oldest[State(state)] = n, time.UnixMicro(at)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("count sagas: %w", err)
	}
	o.meter.set(open, oldest)
	return nil
}
