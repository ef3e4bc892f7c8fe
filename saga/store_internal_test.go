package saga

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/outbox"
)

// suite is what sagas promise on every database.
var suite = map[string]func(*testing.T, *sql.DB){
	"all goes well": allGoesWell,
	"what was done is undone, the last step first":       undoneBackwards,
	"a transition and its command are one commit":        oneCommit,
	"the end and what the service makes of it are one":   endIsOneCommit,
	"an end that cannot be kept is no end":               endThatFails,
	"a saga is started once":                             startedOnce,
	"only one of many instances moves a saga on":         onlyOneMoves,
	"a timer goes off once, on whatever instance":        timersOnce,
	"an event about no saga is an error of its own":      unknownSaga,
	"what does not fit is told in the history":           strangersAreTold,
	"what an answer says is known to later steps":        learning,
	"orders wait until somebody carries them out":        ordersWait,
	"an order that makes no sense is refused":            ordersRefused,
	"an order for a step that is not there is told":      orderedStep,
	"a part that was undone by hand is left alone":       undoneByHand,
	"a saga of an unknown version is kept":               unknownVersion,
	"a saga of a newer program is left to it":            newerVersion,
	"old sagas are forgotten with their history":         forgotten,
	"a log finds sagas by state, name and age":           listed,
	"an id that two kinds of sagas have asks for both":   ambiguous,
	"tables can be made again, and by several at once":   migrated,
	"a refusal that comes twice is not a second one":     refusedTwice,
	"a database without the tables is told":              withoutTables,
	"a saga's command that nobody answers goes out anew": askedAgain,
}

func TestSagasOnSQLite(t *testing.T) {
	t.Parallel()
	for name, test := range suite {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, openSQLite(t))
		})
	}
}

func allGoesWell(t *testing.T, db *sql.DB) {
	b := open(t, db, ordering())
	b.start("o-1", purchase{})
	b.require("o-1", Running, "reserve/do/0")
	b.say("o-1", "reserve", Done)
	b.say("o-1", "pay", Done)
	b.require("o-1", Running, "reserve/do/0 pay/do/0 ship/do/0")
	b.say("o-1", "ship", Done)
	b.require("o-1", Completed, "reserve/do/0 pay/do/0 ship/do/0")
	if got, want := b.told("o-1"), "started asked:reserve done:reserve asked:pay done:pay asked:ship done:ship completed"; got != want {
		t.Errorf("history = %q, want %q", got, want)
	}
}

func undoneBackwards(t *testing.T, db *sql.DB) {
	b := open(t, db, ordering())
	b.start("o-1", purchase{})
	b.say("o-1", "reserve", Done)
	b.say("o-1", "pay", Done)
	b.say("o-1", "ship", Failed)
	b.require("o-1", Compensating, "reserve/do/0 pay/do/0 ship/do/0 pay/undo/0")
	b.say("o-1", "pay", Undone)
	b.say("o-1", "reserve", NotUndone)
	b.elapse()
	b.say("o-1", "reserve", Undone)
	b.require("o-1", Compensated, "reserve/do/0 pay/do/0 ship/do/0 pay/undo/0 reserve/undo/0 reserve/undo/1")
	if d := b.show("o-1"); d.Reason != "because" || !d.Due.IsZero() {
		t.Errorf("reason = %q, due %v, want because and no timer", d.Reason, d.Due)
	}
}

func oneCommit(t *testing.T, db *sql.DB) {
	b := open(t, db, ordering())
	b.start("o-1", purchase{Spoilt: "pay"})
	err := b.do(func(ctx context.Context, tx outbox.Tx) error {
		return b.Observe(ctx, tx, Event[purchase]{Saga: "o-1", Step: "reserve", Outcome: Done})
	})
	if !errors.Is(err, errSpoilt) {
		t.Fatalf("Observe() = %v, want that the command cannot be made", err)
	}
	b.require("o-1", Running, "reserve/do/0")
	if got, want := b.told("o-1"), "started asked:reserve"; got != want {
		t.Errorf("history = %q, want %q", got, want)
	}
}

func endIsOneCommit(t *testing.T, db *sql.DB) {
	def := ordering()
	def.Ended = func(ctx context.Context, tx outbox.Tx, id string, s State, p *purchase) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO ends (id, state) VALUES ($1, $2)", id, string(s)+" "+p.Reservation)
		return err
	}
	b := open(t, db, def)
	b.exec("CREATE TABLE ends (id TEXT, state TEXT)")
	b.start("o-1", purchase{Reservation: "r-1"})
	b.say("o-1", "reserve", Failed)
	b.say("o-1", "reserve", Failed)
	var n int
	var state string
	if err := db.QueryRowContext(t.Context(), "SELECT count(*), max(state) FROM ends WHERE id = 'o-1'").Scan(&n, &state); err != nil {
		t.Fatal(err)
	}
	if n != 1 || state != "compensated r-1" {
		t.Errorf("%d ends, the last one %q, want one: compensated r-1", n, state)
	}
}

func endThatFails(t *testing.T, db *sql.DB) {
	def, errEnd := ordering(), errors.New("no")
	def.Ended = func(context.Context, outbox.Tx, string, State, *purchase) error { return errEnd }
	b := open(t, db, def)
	b.start("o-1", purchase{})
	err := b.do(func(ctx context.Context, tx outbox.Tx) error {
		return b.Observe(ctx, tx, Event[purchase]{Saga: "o-1", Step: "reserve", Outcome: Failed})
	})
	if !errors.Is(err, errEnd) {
		t.Errorf("Observe() = %v, want the hook's error", err)
	}
	b.require("o-1", Running, "reserve/do/0")
}

func startedOnce(t *testing.T, db *sql.DB) {
	b := open(t, db, ordering())
	b.start("o-1", purchase{})
	err := b.do(func(ctx context.Context, tx outbox.Tx) error {
		if err := b.Start(ctx, tx, "o-1", purchase{}); !errors.Is(err, ErrStarted) {
			t.Errorf("Start() = %v the second time, want ErrStarted", err)
		}
		return b.Start(ctx, tx, "o-2", purchase{}) // the transaction is good for more
	})
	if err != nil {
		t.Fatal(err)
	}
	b.require("o-1", Running, "reserve/do/0")
	b.require("o-2", Running, "reserve/do/0")
	for _, id := range []string{"", strings.Repeat("x", maxID+1)} {
		if err := b.do(func(ctx context.Context, tx outbox.Tx) error { return b.Start(ctx, tx, id, purchase{}) }); err == nil {
			t.Errorf("an id of %d bytes is taken", len(id))
		}
	}
}

func onlyOneMoves(t *testing.T, db *sql.DB) {
	b, other := open(t, db, ordering()), open(t, db, ordering())
	for n := range 5 {
		id := fmt.Sprintf("o-%d", n)
		b.start(id, purchase{})
		var all sync.WaitGroup
		for i := range 8 {
			o := []*bench{b, other}[i%2]
			all.Go(func() {
				err := o.do(func(ctx context.Context, tx outbox.Tx) error {
					return o.Observe(ctx, tx, Event[purchase]{Saga: id, Step: "reserve", Outcome: Done})
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		b.require(id, Running, "reserve/do/0 pay/do/0")
	}
}

func timersOnce(t *testing.T, db *sql.DB) {
	const sagas = 20
	b, other := open(t, db, ordering()), open(t, db, ordering())
	for n := range sagas {
		b.start(fmt.Sprintf("o-%d", n), purchase{})
	}
	b.exec("UPDATE slipway_saga SET due = $1", time.Now().UnixMicro())
	var all sync.WaitGroup
	for _, o := range []*bench{b, other, b, other} {
		all.Go(func() {
			if err := o.repeat(t.Context(), o.fire); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for n := range sagas {
		b.require(fmt.Sprintf("o-%d", n), Running, "reserve/do/0 reserve/do/0")
	}
}

func askedAgain(t *testing.T, db *sql.DB) {
	b := open(t, db, ordering())
	b.start("o-1", purchase{})
	if err := b.repeat(t.Context(), b.fire); err != nil {
		t.Fatal(err)
	}
	b.require("o-1", Running, "reserve/do/0") // it is not due yet
	b.elapse()
	b.elapse()
	b.elapse()
	b.require("o-1", Compensating, "reserve/do/0 reserve/do/0 reserve/do/0 reserve/undo/0")
	b.elapse()
	b.elapse()
	b.elapse()
	b.require("o-1", Stuck, "reserve/do/0 reserve/do/0 reserve/do/0 reserve/undo/0 reserve/undo/0 reserve/undo/0")
}

func unknownSaga(t *testing.T, db *sql.DB) {
	b := open(t, db, ordering())
	err := b.do(func(ctx context.Context, tx outbox.Tx) error {
		return b.Observe(ctx, tx, Event[purchase]{Saga: "nobody", Step: "reserve", Outcome: Done})
	})
	if !errors.Is(err, ErrUnknown) {
		t.Errorf("Observe() = %v, want ErrUnknown", err)
	}
}

func strangersAreTold(t *testing.T, db *sql.DB) {
	b := open(t, db, ordering())
	b.start("o-1", purchase{})
	b.say("o-1", "reserve", Done)
	b.say("o-1", "reserve", Done)
	b.say("o-1", "dance", Done)
	b.say("o-1", "ship", Done) // early, and kept
	b.say("o-1", "pay", Done)
	b.require("o-1", Completed, "reserve/do/0 pay/do/0")
	var told []string
	for _, e := range b.show("o-1").History {
		if strings.HasPrefix(e.Detail, "no effect") {
			told = append(told, e.Step+": "+e.Detail)
		}
	}
	want := "reserve: no effect: repeated; because|dance: no effect: the definition has no such step; because|ship: no effect: early: nothing was asked yet; because"
	if got := strings.Join(told, "|"); got != want {
		t.Errorf("history tells %q, want %q", got, want)
	}
}

func learning(t *testing.T, db *sql.DB) {
	b := open(t, db, ordering())
	b.start("o-1", purchase{})
	learn := func(s string) func(*purchase) { return func(p *purchase) { p.Reservation += s } }
	b.observe(Event[purchase]{Saga: "o-1", Step: "ship", Outcome: Done, Learn: learn("a")}) // early
	b.observe(Event[purchase]{Saga: "o-1", Step: "reserve", Outcome: Done, Learn: learn("b")})
	b.observe(Event[purchase]{Saga: "o-1", Step: "reserve", Outcome: Done, Learn: learn("c")}) // twice
	var payload []byte
	if err := db.QueryRowContext(t.Context(), "SELECT payload FROM slipway_outbox WHERE id = 'order/o-1/pay/do/0'").Scan(&payload); err != nil {
		t.Fatal(err)
	}
	if string(payload) != "ab" {
		t.Errorf("the next command knows %q, want ab", payload)
	}
}

// stuckOne starts a saga whose compensation nobody answers.
func stuckOne(b *bench, id string) {
	b.t.Helper()
	b.start(id, purchase{})
	b.say(id, "reserve", Done)
	b.say(id, "pay", Failed)
	b.elapse()
	b.elapse()
	b.elapse()
	b.require(id, Stuck, "reserve/do/0 pay/do/0 reserve/undo/0 reserve/undo/0 reserve/undo/0")
}

func ordersWait(t *testing.T, db *sql.DB) {
	b := open(t, db, ordering())
	stuckOne(b, "o-1")
	if _, err := b.log().Retry(t.Context(), "order", "o-1", "alice"); err != nil {
		t.Fatal(err)
	}
	if d := b.show("o-1"); len(d.Orders) != 1 || d.State != Stuck {
		t.Errorf("%d orders, state %s, want one that waits", len(d.Orders), d.State)
	}
	b.obeyAll()
	b.require("o-1", Compensating, "reserve/do/0 pay/do/0 reserve/undo/0 reserve/undo/0 reserve/undo/0 reserve/undo/0")
	if _, err := b.log().Settle(t.Context(), "", "o-1", "bob"); err != nil {
		t.Fatal(err)
	}
	b.obeyAll()
	b.require("o-1", Compensated, "reserve/do/0 pay/do/0 reserve/undo/0 reserve/undo/0 reserve/undo/0 reserve/undo/0")
	if got, want := b.told("o-1"), "ordered(alice) retry(alice) compensating undoing:reserve ordered(bob) settle(bob) compensated"; !strings.HasSuffix(got, want) {
		t.Errorf("history = %q, want it to end in %q", got, want)
	}
	if d := b.show("o-1"); len(d.Orders) != 0 {
		t.Errorf("%d orders are left", len(d.Orders))
	}
}

func ordersRefused(t *testing.T, db *sql.DB) {
	b := open(t, db, ordering())
	b.start("runs", purchase{})
	b.start("over", purchase{})
	b.say("over", "reserve", Failed)
	for name, order := range map[string]struct {
		err  func(l *Log) error
		want diag.Code
	}{
		"retry of one that runs":  {func(l *Log) error { _, err := l.Retry(t.Context(), "", "runs", "me"); return err }, diag.SagaState},
		"compensate what is over": {func(l *Log) error { _, err := l.Compensate(t.Context(), "", "over", "", "me"); return err }, diag.SagaState},
		"settle what is over":     {func(l *Log) error { _, err := l.Settle(t.Context(), "", "over", "me"); return err }, diag.SagaState},
		"a saga there is not":     {func(l *Log) error { _, err := l.Retry(t.Context(), "", "nobody", "me"); return err }, diag.SagaUnknown},
		"a step there is not":     {func(l *Log) error { _, err := l.Compensate(t.Context(), "", "runs", "dance", "me"); return err }, diag.SagaStep},
	} {
		if err := order.err(b.log()); !errors.Is(err, order.want) {
			t.Errorf("%s: %v, want %s", name, err, order.want)
		}
	}
	b.obeyAll()
	b.require("runs", Running, "reserve/do/0")
}

func orderedStep(t *testing.T, db *sql.DB) {
	b := open(t, db, ordering())
	b.start("o-1", purchase{})
	b.exec("INSERT INTO slipway_saga_order (name, id, verb, step, actor, at) VALUES ('order', 'o-1', 'compensate', 'dance', 'me', 1), ('order', 'gone', 'retry', '', 'me', 1)")
	b.obeyAll()
	b.require("o-1", Running, "reserve/do/0")
	if got := b.told("o-1"); !strings.HasSuffix(got, "compensate:dance(me)") {
		t.Errorf("history = %q, want it to tell of the order", got)
	}
}

func undoneByHand(t *testing.T, db *sql.DB) {
	b := open(t, db, ordering())
	b.start("o-1", purchase{})
	b.say("o-1", "reserve", Done)
	b.say("o-1", "pay", Done)
	if _, err := b.log().Compensate(t.Context(), "order", "o-1", "reserve", "alice"); err != nil {
		t.Fatal(err)
	}
	b.obeyAll()
	b.require("o-1", Compensating, "reserve/do/0 pay/do/0 ship/do/0 reserve/undo/0")
	if d := b.show("o-1"); d.Reason != "alice asked for it" {
		t.Errorf("reason = %q, want who asked for it", d.Reason)
	}
}

func unknownVersion(t *testing.T, db *sql.DB) {
	b := open(t, db, ordering())
	b.start("o-1", purchase{})
	b.say("o-1", "reserve", Done)
	second := ordering()
	second.Version, second.Steps = 2, second.Steps[1:]
	alone := open(t, db, second)
	err := alone.do(func(ctx context.Context, tx outbox.Tx) error {
		return alone.Observe(ctx, tx, Event[purchase]{Saga: "o-1", Step: "pay", Outcome: Done})
	})
	if !errors.Is(err, diag.SagaVersion) {
		t.Errorf("Observe() = %v, want %s", err, diag.SagaVersion)
	}
	alone.elapse()
	b.require("o-1", Stuck, "reserve/do/0 pay/do/0")
	if d := b.show("o-1"); !strings.Contains(d.Reason, "version 1") || d.Step != "pay" || len(d.Steps) != 3 {
		t.Errorf("saga = %+v, want the reason, and what it was at", d)
	}
	if _, err := alone.log().Retry(t.Context(), "", "o-1", "me"); err != nil {
		t.Fatal(err)
	}
	alone.obeyAll()
	b.require("o-1", Stuck, "reserve/do/0 pay/do/0") // still nobody who knows how
	both := open(t, db, second, ordering())
	if _, err := both.log().Retry(t.Context(), "", "o-1", "me"); err != nil {
		t.Fatal(err)
	}
	both.obeyAll()
	both.say("o-1", "pay", Done)
	both.start("o-2", purchase{})
	b.require("o-1", Running, "reserve/do/0 pay/do/0 pay/do/0 ship/do/0")
	b.require("o-2", Running, "pay/do/0")
}

func newerVersion(t *testing.T, db *sql.DB) {
	second := ordering()
	second.Version = 2
	newer, older := open(t, db, second), open(t, db, ordering())
	newer.start("o-1", purchase{})
	newer.exec("UPDATE slipway_saga SET due = $1", time.Now().Add(-grace+aWhile).UnixMicro())
	if err := older.repeat(t.Context(), older.fire); err != nil {
		t.Fatal(err)
	}
	newer.require("o-1", Running, "reserve/do/0")
	newer.exec("UPDATE slipway_saga SET due = $1", time.Now().Add(-grace-aWhile).UnixMicro()) // nobody seems to know it
	if err := older.repeat(t.Context(), older.fire); err != nil {
		t.Fatal(err)
	}
	newer.require("o-1", Stuck, "reserve/do/0")
}

func forgotten(t *testing.T, db *sql.DB) {
	def := ordering()
	def.Keep = time.Hour
	b := open(t, db, def)
	for n := range 120 {
		id := fmt.Sprintf("o-%d", n)
		b.start(id, purchase{})
		if n > 1 {
			b.say(id, "reserve", Failed)
		}
	}
	b.exec("UPDATE slipway_saga SET updated = 1 WHERE id <> 'o-2'")
	if err := b.repeat(t.Context(), b.sweep); err != nil {
		t.Fatal(err)
	}
	all, err := b.log().List(t.Context(), Filter{})
	if err != nil || len(all) != 3 {
		t.Errorf("%d sagas are left (%v), want the two that run and the young one", len(all), err)
	}
	var n int
	if err := db.QueryRowContext(t.Context(), "SELECT count(DISTINCT id) FROM slipway_saga_history").Scan(&n); err != nil || n != 3 {
		t.Errorf("history of %d sagas is left (%v), want 3", n, err)
	}
}

func refusedTwice(t *testing.T, db *sql.DB) {
	b := open(t, db, ordering())
	b.start("o-1", purchase{})
	b.say("o-1", "reserve", Done)
	b.say("o-1", "pay", Failed)
	key := Ref{Name: "order", ID: "o-1", Step: "reserve", Undo: true}.Key()
	for range 2 {
		b.observe(Event[purchase]{Saga: "o-1", Step: "reserve", Outcome: NotUndone, Key: key})
		b.elapse()
	}
	b.require("o-1", Compensating, "reserve/do/0 pay/do/0 reserve/undo/0 reserve/undo/1 reserve/undo/1")
}

func withoutTables(t *testing.T, db *sql.DB) {
	if _, err := OpenLog(t.Context(), db); !errors.Is(err, diag.SagaTables) {
		t.Errorf("OpenLog() = %v, want %s", err, diag.SagaTables)
	}
}
