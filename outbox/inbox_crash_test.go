package outbox_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/slipway-go/slipway/outbox"
)

// The points at which a process is killed while it handles a message.
const (
	beforeBegin  = "before the transaction"
	behindInbox  = "behind the inbox row"
	behindEffect = "behind the effect"
	beforeCommit = "before the commit"
	behindCommit = "behind the commit"
)

const crashEnv = "SLIPWAY_TEST_CRASH" // point, file and message

// A message whose handler's process gets SIGKILL, at any point, is delivered
// again to the next process, and has had its effect once in the end.
// SLIPWAY_SOAK=1 kills 2,000 processes at each point.
func TestAKilledHandlerHasItsEffectOnce(t *testing.T) {
	t.Parallel()
	times := 4
	if os.Getenv("SLIPWAY_SOAK") == "1" {
		times = 2000
	}
	for _, point := range []string{beforeBegin, behindInbox, behindEffect, beforeCommit, behindCommit} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "service.db")
			db := withEffects(t, openFile(t, file))
			for i := range times {
				id := strconv.Itoa(i)
				crash(t, point, file, id)
				if left := number(t, db, "SELECT count(*) FROM effects WHERE id = $1", id); (left == 1) != (point == behindCommit) {
					t.Fatalf("%d effects are left of a process that was killed %s", left, point)
				}
				if err := outbox.Do(from(t.Context(), id), db, effect(id)); err != nil { // it is delivered again
					t.Fatal(err)
				}
				requireEffects(t, db, id, 1)
			}
		})
	}
}

// crash handles a message in a process that is killed at the point.
func crash(t *testing.T, point, file, id string) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledChild$")
	child.Env = append(os.Environ(), crashEnv+"="+strings.Join([]string{point, file, id}, "|"))
	out, err := child.CombinedOutput()
	if status, ok := child.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Signaled() || status.Signal() != syscall.SIGKILL {
		t.Fatalf("the child was not killed %s: %v\n%s", point, err, out)
	}
}

// TestKilledChild is the process that is killed.
func TestKilledChild(t *testing.T) {
	parts := strings.Split(os.Getenv(crashEnv), "|")
	if len(parts) != 3 {
		t.Skip("it runs as a child of TestAKilledHandlerHasItsEffectOnce")
	}
	point, file, id := parts[0], parts[1], parts[2]
	die := func(at string) {
		if at == point {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // until it has arrived
		}
	}
	db := withCommits(t, file, func(tx driver.Tx) error {
		die(beforeCommit)
		err := tx.Commit()
		die(behindCommit)
		return err
	})
	die(beforeBegin)
	err := outbox.Do(from(t.Context(), id), db, func(ctx context.Context, tx *sql.Tx) error {
		die(behindInbox)
		if err := effect(id)(ctx, tx); err != nil {
			return err
		}
		die(behindEffect)
		return nil
	})
	t.Fatal(fmt.Sprintf("it was not killed %s", point), err)
}
