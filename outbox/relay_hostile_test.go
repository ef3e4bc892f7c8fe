package outbox_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/diag"
)

// The fix that SLP-OBX-004 names for a record that is to be given up: delete its
// row. The key goes on, and health forgets it.
func TestAStuckRowThatIsDeletedIsForgotten(t *testing.T) {
	t.Parallel()
	db := openSQLite(t)
	migrated(t, db)
	topic := newSink()
	topic.refuse = func(*kgo.Record) error { return kerr.MessageTooLarge }
	r, _ := start(t, db, topic, quick)
	put(t, db, "k", "0")
	eventually(t, "the row to be stuck", func() bool { return strings.Contains(r.Problem(time.Now()), string(diag.OutboxStuck)) })
	if _, err := db.ExecContext(t.Context(), `DELETE FROM slipway_outbox`); err != nil {
		t.Fatal(err)
	}
	eventually(t, "health", func() bool { return r.Problem(time.Now()) == "" })
	topic.setRefuse(nil)
	put(t, db, "k", "1")
	topic.await(t, 1)
}

// A row of a topic that the contract does not have (any more) waits for somebody
// to mend that, so it is told.
func TestARowOfATopicThatIsNotProducedIsTold(t *testing.T) {
	t.Parallel()
	db := openSQLite(t)
	migrated(t, db)
	topic := newSink()
	topic.refuse = func(*kgo.Record) error { return diag.New(diag.RuntimeNotProduced, "publish to orders") }
	r, _ := start(t, db, topic, quick)
	put(t, db, "k", "1")
	eventually(t, "the row to be told", func() bool {
		stuck, err := r.Box().Stuck(t.Context())
		return err == nil && len(stuck) == 1 && strings.Contains(stuck[0].Problem, string(diag.RuntimeNotProduced))
	})
}

// Leases whose renewal gets no answer, such as behind a lock that somebody holds,
// do not hold up the shutdown.
func TestARenewalWithoutAnAnswerDoesNotHoldUpTheShutdown(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "service.db")
	plain := hooked(t, file, func(string, string) error { return nil })
	migrated(t, plain)
	var silent atomic.Bool
	stalled := make(chan struct{}, 100)
	connector := plain.Driver()
	db := sql.OpenDB(&hookConnector{connector, "file:" + file + "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_txlock=immediate",
		func(string, string) error { return nil },
		func(ctx context.Context, does string) error {
			if !silent.Load() || does != doLease {
				return nil
			}
			stalled <- struct{}{}
			<-ctx.Done()
			return context.Cause(ctx)
		}})
	t.Cleanup(func() { db.Close() })
	topic := newSink()
	r, stop := start(t, db, topic, quick)
	put(t, db, "k", "1")
	topic.await(t, 1)
	silent.Store(true)
	<-stalled
	r.Box().Wake()
	<-time.After(100 * time.Millisecond) // so that the loop is past its rest
	over := make(chan struct{})
	go func() { defer close(over); stop() }()
	select {
	case <-over:
	case <-time.After(30 * time.Second):
		t.Fatal("the relay has not ended half a minute after it was told to")
	}
}
