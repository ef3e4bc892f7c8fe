package outbox_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const relayCrashEnv = "SLIPWAY_TEST_RELAY_CRASH" // directory, rows, point, hit and way

const doPublish, doAck = "publishing", "the acknowledgement"

// crashPoints are where a process ends that writes to its outbox and relays it.
var crashPoints = slices.Concat(
	both(doSend), both(doSendCommit), both(doRead), both(doPublish), []string{behind + doAck},
	both(doMark), both(doMarkCommit), both(doLease), both(doLeaseCommit),
)

func both(does string) []string { return []string{before + does, behind + does} }

// A process that writes to its outbox and relays it ends at a point, in a way,
// when it comes there for the n-th time; another one goes on. All that was
// committed is published, in order per key. SLIPWAY_SOAK=1 tries all points,
// hits and ways with 1,000 rows.
func TestACrashLosesNothing(t *testing.T) {
	t.Parallel()
	rows, hits, ways := 40, []int{2}, []string{"kill"}
	if os.Getenv("SLIPWAY_SOAK") == "1" {
		rows, hits, ways = 1000, []int{1, 2, 17}, []string{"kill", "panic", "exit"}
	} else if testing.Short() {
		rows = 10
	}
	var runs, again atomic.Int64
	t.Cleanup(func() { t.Logf("%d crashes, %d records published again", runs.Load(), again.Load()) })
	for _, point := range crashPoints {
		for _, hit := range hits {
			for _, way := range ways {
				t.Run(fmt.Sprintf("%s %d %s", point, hit, way), func(t *testing.T) {
					t.Parallel()
					n := crashAt(t, rows, point, hit, way)
					runs.Add(1)
					again.Add(int64(n))
				})
			}
		}
	}
}

// crashAt returns how many records were published twice.
func crashAt(t *testing.T, rows int, point string, hit int, way string) int {
	dir := t.TempDir()
	db := openFile(t, filepath.Join(dir, "service.db"))
	migrated(t, db)
	if _, err := db.ExecContext(t.Context(), `CREATE TABLE counter (key integer PRIMARY KEY, n integer NOT NULL)`); err != nil {
		t.Fatal(err)
	}
	for key := range crashKeys {
		if _, err := db.ExecContext(t.Context(), `INSERT INTO counter VALUES ($1, 0)`, key); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	child := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestRelayCrashChild$")
	child.Env = append(os.Environ(), relayCrashEnv+"="+strings.Join([]string{dir, strconv.Itoa(rows), point, strconv.Itoa(hit), way}, "|"))
	out, err := child.CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || way == "exit" && exit.ExitCode() != 7 || way == "panic" && !bytes.Contains(out, []byte("the test's panic")) {
		t.Fatalf("the process did not end at the point: %v\n%s", err, out)
	}
	topic := &fileSink{file: filepath.Join(dir, "topic"), hit: func(string) {}}
	start(t, db, topic, quick)
	if err := countMany(t.Context(), db, rows/2); err != nil { // others go on writing
		t.Fatal(err)
	}
	empty(t, db)
	return topic.check(t, db)
}

const crashKeys = 7

func countMany(ctx context.Context, db *sql.DB, rows int) error {
	random := rand.New(rand.NewPCG(1, 2))
	for range rows {
		if err := countOnce(ctx, db, random, crashKeys); err != nil {
			return err
		}
	}
	return nil
}

// TestRelayCrashChild is the process that ends. It is no test by itself.
func TestRelayCrashChild(t *testing.T) {
	args := strings.Split(os.Getenv(relayCrashEnv), "|")
	if len(args) != 5 {
		t.Skip("is run by TestACrashLosesNothing")
	}
	rows, _ := strconv.Atoi(args[1])
	hit, _ := strconv.Atoi(args[3])
	var hits atomic.Int64
	reached := func(point string) {
		if point == args[2] && hits.Add(1) == int64(hit) {
			end(args[4])
		}
	}
	db := hooked(t, filepath.Join(args[0], "service.db"), func(when, does string) error {
		reached(when + does)
		return nil
	})
	start(t, db, &fileSink{file: filepath.Join(args[0], "topic"), hit: reached}, quick)
	for range 100 { // one row after the other, until the point is reached
		if err := countMany(t.Context(), db, rows); err != nil {
			t.Fatal(err)
		}
		empty(t, db)
		rows = 1
	}
	<-time.After(time.Minute) // leases are renewed
}

func end(way string) {
	switch way {
	case "panic":
		panic("the test's panic")
	case "exit":
		os.Exit(7)
	}
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

// A fileSink is a topic that outlives its process.
type fileSink struct {
	file string
	hit  func(point string)
	mu   sync.Mutex
}

func (s *fileSink) Publish(_ context.Context, rec *kgo.Record, done func(error)) {
	s.hit(before + doPublish)
	done(s.write(fmt.Appendf(nil, "%s %s\n", rec.Key, rec.Value)))
	s.hit(behind + doAck)
}

func (s *fileSink) write(line []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := os.OpenFile(s.file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(line)
	s.hit(behind + doPublish)
	return errors.Join(err, f.Close())
}

// check compares the topic with what the service counted, and returns how many
// records came again.
func (s *fileSink) check(t *testing.T, db *sql.DB) (again int) {
	t.Helper()
	text, err := os.ReadFile(s.file)
	if err != nil {
		t.Fatal(err)
	}
	next := map[string]int{}
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		n, err := strconv.Atoi(value)
		switch {
		case err != nil:
			t.Fatal(err)
		case n == next[key]+1:
			next[key] = n
		case n <= next[key]:
			again++
		default:
			t.Errorf("key %s: %d follows %d", key, n, next[key])
		}
	}
	for key := range crashKeys {
		var n int
		if err := db.QueryRowContext(t.Context(), `SELECT n FROM counter WHERE key = $1`, key).Scan(&n); err != nil {
			t.Fatal(err)
		}
		if got := next[strconv.Itoa(key)]; got != n {
			t.Errorf("key %d: %d of %d committed records are published", key, got, n)
		}
	}
	return again
}
