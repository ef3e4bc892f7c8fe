package saga_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/internal/database"
	"github.com/slipway-go/slipway/saga"
	"github.com/slipway-go/slipway/slipwaytest"
)

// These tests run one after the other and beside no others: a relay inside of a
// bubble is told of every outbox row that the process writes.

// shop is the three services; payments declines orders that begin with "poor".
func shop(urls map[string]string, within time.Duration) []slipwaytest.Service {
	note := func(wire func(*slipway.App) error) func(*slipway.App) error {
		return func(app *slipway.App) error {
			urls[app.Contract().Name] = app.Environment().DatabaseURL
			return wire(app)
		}
	}
	always := func(string) bool { return true }
	solvent := func(id string) bool { return !strings.HasPrefix(id, "poor") }
	return []slipwaytest.Service{
		{Files: ordersFiles, Wire: note(ordersSaga(within))},
		{Files: participantFiles("stock", stockAsk, stockAns), Wire: note(participant(stockAsk, stockAns, always))},
		{Files: participantFiles("payments", payAsk, payAns), Wire: note(participant(payAsk, payAns, solvent))},
	}
}

// ask reads one value of a service's database.
func ask(t *testing.T, url, query string, args ...any) string {
	t.Helper()
	db, err := database.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var s string
	if err := db.QueryRowContext(t.Context(), query, args...).Scan(&s); err != nil {
		return err.Error()
	}
	return s
}

// state is where an order, its stock and its payment are.
func state(t *testing.T, urls map[string]string, id string) string {
	t.Helper()
	effect := "SELECT done FROM effects WHERE id = $1"
	none := func(s string) string { return strings.ReplaceAll(s, "sql: no rows in result set", "-") }
	return fmt.Sprintf("%s, stock %s, payment %s",
		ask(t, urls["orders"], "SELECT state FROM orders WHERE id = $1", id),
		none(ask(t, urls["stock"], effect, id)), none(ask(t, urls["payments"], effect, id)))
}

// eventually waits in virtual time for a state.
func eventually(t *testing.T, k *slipwaytest.Kit, urls map[string]string, id, want string) {
	t.Helper()
	got := ""
	for range 600 {
		if got = state(t, urls, id); got == want {
			return
		}
		k.Advance(time.Second)
	}
	t.Errorf("order %s is %s, want %s", id, got, want)
}

func TestAnOrderIsPaidAndHandedOutOrNeither(t *testing.T) {
	urls := make(map[string]string)
	slipwaytest.RunAll(t, shop(urls, 5*time.Second), func(t *testing.T, k *slipwaytest.Kit) {
		for n := range 3 {
			k.Send(placed, work{OrderID: fmt.Sprintf("rich-%d", n)})
			k.Send(placed, work{OrderID: fmt.Sprintf("poor-%d", n)})
		}
		for n := range 3 {
			eventually(t, k, urls, fmt.Sprintf("rich-%d", n), "completed, stock 1, payment 1")
			eventually(t, k, urls, fmt.Sprintf("poor-%d", n), "compensated, stock 0, payment -")
		}
		k.RequireProduced(payAsk, 6)
		k.RequireProduced(stockAsk, 9)
	})
}

// Payments is away for longer than the saga waits. When it is back it finds the
// undo behind the do, in order, and so charges nobody.
func TestAnOrderWhosePaymentTimesOutIsUndoneAndTheLateChargeToo(t *testing.T) {
	if testing.Short() {
		t.Skip("three services for a while")
	}
	urls := make(map[string]string)
	slipwaytest.RunAll(t, shop(urls, 5*time.Second), func(t *testing.T, k *slipwaytest.Kit) {
		k.Stop("payments")
		k.Send(placed, work{OrderID: "o-1"})
		state := "SELECT state FROM slipway_saga WHERE id = 'o-1'"
		k.Advance(10 * time.Second) // payment has twice five seconds, from when stock has answered
		for range 10 {
			if ask(t, urls["orders"], state) == string(saga.Compensating) {
				break
			}
			k.Advance(time.Second)
		}
		if got := ask(t, urls["orders"], state); got != string(saga.Compensating) {
			t.Errorf("saga is %s while payments is away, want compensating", got)
		}
		k.Start("payments")
		eventually(t, k, urls, "o-1", "compensated, stock 0, payment 0")
	})
}

// A saga goes on where it was, whichever instance of the service runs; what is
// not about any saga is skipped.
func TestASagaOutlivesItsService(t *testing.T) {
	urls := make(map[string]string)
	slipwaytest.RunAll(t, shop(urls, time.Minute), func(t *testing.T, k *slipwaytest.Kit) {
		k.Stop("stock")
		for n := range 3 {
			k.Send(placed, work{OrderID: fmt.Sprintf("o-%d", n)})
		}
		k.RequireProduced(stockAsk, 3)
		k.Kill("orders")
		k.Start("stock")
		k.RequireProduced(stockAns, 3)
		k.Start("orders")
		for n := range 3 {
			eventually(t, k, urls, fmt.Sprintf("o-%d", n), "completed, stock 1, payment 1")
		}
		k.Send(stockAns, answer{"nobody", "done"}, slipwaytest.ID("stranger"))
		k.RequireOutcome("orders", stockAns, "stranger", slipwaytest.Skipped)
		k.Send(payAns, answer{"o-1", "failed"}, slipwaytest.ID("forged"))
		k.RequireOutcome("orders", payAns, "forged", slipwaytest.Skipped)
	})
}

// The saga's own view, and the operator's, while everything runs.
func TestAnOperatorSeesASagaStuckAndGetsItGoing(t *testing.T) {
	if testing.Short() {
		t.Skip("three services for a while")
	}
	urls := make(map[string]string)
	slipwaytest.RunAll(t, shop(urls, 5*time.Second), func(t *testing.T, k *slipwaytest.Kit) {
		k.Stop("stock")
		k.Send(placed, work{OrderID: "o-1"})
		k.Advance(25 * time.Second) // neither do nor undo is answered
		db, err := database.Open(t.Context(), urls["orders"])
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		log, err := saga.OpenLog(t.Context(), db)
		if err != nil {
			t.Fatal(err)
		}
		stuck, err := log.List(t.Context(), saga.Filter{States: []saga.State{saga.Stuck}})
		if err != nil || len(stuck) != 1 || stuck[0].Step != "stock" {
			t.Fatalf("List() = %+v, %v, want o-1 stuck at stock", stuck, err)
		}
		if _, err := log.Retry(context.WithoutCancel(t.Context()), "order", "o-1", "alice"); err != nil {
			t.Fatal(err)
		}
		k.Start("stock")
		eventually(t, k, urls, "o-1", "compensated, stock 0, payment -")
	})
}
