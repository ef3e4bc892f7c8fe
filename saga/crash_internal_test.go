package saga

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/slipway-go/slipway/internal/database"
	"github.com/slipway-go/slipway/outbox"
)

// The child of this test is a whole world in one process: an orchestrator, a
// relay and participants on one SQLite file, every one of them with
// transactions of its own and at least once from one to the next. It kills
// itself at the n-th of the places where a process can die: before, within and
// after every transaction. Its successor finds what is on disk, and nothing
// else.
const (
	crashFile = "SLIPWAY_SAGA_CRASH_FILE"
	crashAt   = "SLIPWAY_SAGA_CRASH_AT"
	crashPlot = "SLIPWAY_SAGA_CRASH_PLOT"
)

// plots are what goes wrong in the world besides, and where the saga ends.
var plots = map[string]struct {
	refuses  string // the step that says no
	grudges  int    // how often the undo of reserve is refused
	want     State
	effects  string // steps that are done in the end
	timeouts bool   // the refusing step is silent instead
}{
	"all goes well":              {"", 0, Completed, "pay reserve ship", false},
	"the payment is declined":    {"pay", 0, Compensated, "", false},
	"shipping fails, undo twice": {"ship", 2, Compensated, "", false},
	"the payment is silent":      {"pay", 1, Compensated, "", true},
}

func TestNoTransitionIsLostOrMadeTwiceByAKill(t *testing.T) {
	t.Parallel()
	if os.Getenv(crashFile) != "" {
		t.Skip("this is the child")
	}
	stride := 17
	if soak() {
		stride = 1
	} else if testing.Short() {
		stride = 40
	}
	for name := range plots {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kills := 0
			for at := 1 + len(name)%stride; ; at += stride {
				file := filepath.Join(t.TempDir(), "world.db")
				if killed := child(t, file, name, at); !killed {
					break // the world ended before
				}
				kills++
				if child(t, file, name, 0) {
					t.Fatal("the successor was killed")
				}
				requireWorld(t, file, name, at)
			}
			if kills == 0 {
				t.Error("nothing was killed")
			}
			t.Logf("%d kills", kills)
		})
	}
}

// child runs a world until its end, or its death.
func child(t *testing.T, file, plot string, at int) (killed bool) {
	t.Helper()
	c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestChildOfTheKill$", "-test.v")
	c.Env = append(os.Environ(), crashFile+"="+file, crashAt+"="+strconv.Itoa(at), crashPlot+"="+plot)
	out, err := c.CombinedOutput()
	exit, failed := errors.AsType[*exec.ExitError](err)
	switch {
	case err == nil && strings.Contains(string(out), "--- PASS: TestChildOfTheKill"):
		return false
	case failed && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL:
		return true
	}
	t.Fatalf("the child ended with %v:\n%s", err, out)
	return false
}

// requireWorld judges what is on disk once the world has ended.
func requireWorld(t *testing.T, file, plot string, at int) {
	t.Helper()
	db, err := database.Open(t.Context(), "sqlite:"+file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var state, effects string
	query := `SELECT state, (SELECT coalesce(group_concat(step, ' '), '') FROM (SELECT step FROM effects WHERE done = 1 ORDER BY step)) FROM slipway_saga`
	if err := db.QueryRowContext(t.Context(), query).Scan(&state, &effects); err != nil {
		t.Fatal(err)
	}
	if p := plots[plot]; State(state) != p.want || effects != p.effects {
		t.Errorf("killed at %d: saga is %s with effects %q, want %s with %q", at, state, effects, p.want, p.effects)
	}
	var twice int // no step is asked for twice in one commit, and none is done twice
	if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM effects WHERE times > 1").Scan(&twice); err != nil || twice > 0 {
		t.Errorf("killed at %d: %d steps were done twice (%v)", at, twice, err)
	}
}

func TestChildOfTheKill(t *testing.T) {
	file := os.Getenv(crashFile)
	if file == "" {
		t.Skip("it is run by TestNoTransitionIsLostOrMadeTwiceByAKill")
	}
	at, err := strconv.Atoi(os.Getenv(crashAt))
	if err != nil {
		t.Fatal(err)
	}
	db, err := database.Open(t.Context(), "sqlite:"+file+"?mode=rwc")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	c := &cosmos{bench: open(t, db, ordering()), plot: os.Getenv(crashPlot), at: at}
	c.exec("CREATE TABLE IF NOT EXISTS wire (id TEXT, step TEXT)")
	c.exec("CREATE TABLE IF NOT EXISTS seen (id TEXT PRIMARY KEY)")
	c.exec("CREATE TABLE IF NOT EXISTS answers (id TEXT PRIMARY KEY, step TEXT, outcome TEXT)")
	c.exec("CREATE TABLE IF NOT EXISTS effects (step TEXT PRIMARY KEY, done INTEGER, times INTEGER)")
	c.live()
}

// cosmos is the child's world.
type cosmos struct {
	*bench
	plot   string
	at     int
	passed int
}

// here is a place to die.
func (c *cosmos) here() {
	if c.passed++; c.passed == c.at {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // until it arrives
	}
}

// commit is a transaction with the places around and within.
func (c *cosmos) commit(fn func(ctx context.Context, tx outbox.Tx) error) {
	c.t.Helper()
	c.here()
	err := c.do(func(ctx context.Context, tx outbox.Tx) error {
		err := fn(ctx, tx)
		c.here()
		return err
	})
	if err != nil {
		c.t.Fatal(err)
	}
	c.here()
}

// live goes on until the saga is over and nothing is on its way.
func (c *cosmos) live() {
	c.commit(func(ctx context.Context, tx outbox.Tx) error {
		if err := c.Start(ctx, tx, "o-1", purchase{}); !errors.Is(err, ErrStarted) {
			return err
		}
		return nil
	})
	for range 1000 {
		switch {
		case c.relayed(), c.carried(), c.answeredOne():
		case c.show("o-1").State.Over():
			return
		default:
			c.exec("UPDATE slipway_saga SET due = $1 WHERE due IS NOT NULL", time.Now().UnixMicro())
			c.commit(func(ctx context.Context, tx outbox.Tx) error { _, err := c.fire(ctx, tx); return err })
		}
	}
	c.t.Fatal("the saga never ends")
}

// pair reads the oldest row of a query, false if there is none.
func (c *cosmos) pair(query string) (a, b string, ok bool) {
	err := c.db.QueryRowContext(c.t.Context(), query).Scan(&a, &b)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		c.t.Fatal(err)
	}
	return a, b, err == nil
}

// relayed moves a command from the outbox to the wire: two commits, so that it
// may be there twice.
func (c *cosmos) relayed() bool {
	id, topic, ok := c.pair("SELECT id, aggregatetype FROM slipway_outbox ORDER BY seq LIMIT 1")
	if !ok {
		return false
	}
	c.commit(statement("INSERT INTO wire (id, step) VALUES ($1, $2)", id, topic))
	c.commit(statement("DELETE FROM slipway_outbox WHERE seq = (SELECT min(seq) FROM slipway_outbox)"))
	return true
}

func statement(query string, args ...any) func(context.Context, outbox.Tx) error {
	return func(ctx context.Context, tx outbox.Tx) error {
		_, err := tx.ExecContext(ctx, query, args...)
		return err
	}
}

// carried has a participant carry out a command: its inbox, its effect and its
// answer are one commit; that the command is off the wire is another.
func (c *cosmos) carried() bool {
	id, _, ok := c.pair("SELECT id, step FROM wire ORDER BY rowid LIMIT 1")
	if !ok {
		return false
	}
	parts := strings.Split(id, "/") // name, id, step, part, round
	step, undo := parts[2], parts[3] == "undo"
	round, err := strconv.Atoi(parts[4])
	if err != nil {
		c.t.Fatal(err)
	}
	c.commit(func(ctx context.Context, tx outbox.Tx) error {
		res, err := tx.ExecContext(ctx, "INSERT INTO seen (id) VALUES ($1) ON CONFLICT DO NOTHING", id)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); n == 0 || err != nil {
			return err
		}
		outcome, effect := c.decide(step, undo, round)
		if effect != "" {
			if _, err := tx.ExecContext(ctx, effect, step); err != nil {
				return err
			}
		}
		if outcome == "" {
			return nil
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO answers (id, step, outcome) VALUES ($1, $2, $3)", id, step, string(outcome))
		return err
	})
	c.commit(statement("DELETE FROM wire WHERE rowid = (SELECT min(rowid) FROM wire)"))
	return true
}

// decide is what a participant makes of a command.
func (c *cosmos) decide(step string, undo bool, round int) (Outcome, string) {
	p := plots[c.plot]
	switch {
	case undo && step == "reserve" && round < p.grudges:
		return NotUndone, ""
	case undo:
		return Undone, "INSERT INTO effects (step, done, times) VALUES ($1, 0, 0) ON CONFLICT (step) DO UPDATE SET done = 0"
	case step == p.refuses && p.timeouts:
		return "", ""
	case step == p.refuses:
		return Failed, ""
	}
	return Done, "INSERT INTO effects (step, done, times) VALUES ($1, 1, 1) ON CONFLICT (step) DO UPDATE SET done = 1, times = times + 1"
}

// answeredOne has the orchestrator take an answer, which is then removed by
// another commit, so that it may come twice.
func (c *cosmos) answeredOne() bool {
	var id, step, outcome string
	err := c.db.QueryRowContext(c.t.Context(), "SELECT id, step, outcome FROM answers ORDER BY rowid LIMIT 1").Scan(&id, &step, &outcome)
	if errors.Is(err, sql.ErrNoRows) {
		return false
	}
	if err != nil {
		c.t.Fatal(err)
	}
	c.commit(func(ctx context.Context, tx outbox.Tx) error {
		return c.Observe(ctx, tx, Event[purchase]{Saga: "o-1", Step: step, Key: id, Outcome: Outcome(outcome), Reason: fmt.Sprint(outcome, " by ", step)})
	})
	c.commit(statement("DELETE FROM answers WHERE id = $1", id))
	return true
}
