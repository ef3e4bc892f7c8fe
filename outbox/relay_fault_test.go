package outbox_test

import (
	"errors"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"
)

// What a database refuses for a while (a full disk, too many connections, a
// standby) is tried again, at most ten times a second, and loses nothing.
func TestADatabaseThatRefusesIsNotPressed(t *testing.T) {
	t.Parallel()
	for _, does := range []string{doRead, doMark, doMarkCommit} {
		t.Run(does, func(t *testing.T) {
			t.Parallel()
			var failing atomic.Bool
			var tries atomic.Int64
			failing.Store(true)
			db := hooked(t, filepath.Join(t.TempDir(), "service.db"), func(when, what string) error {
				if when != before || what != does || !failing.Load() {
					return nil
				}
				tries.Add(1)
				return errors.New("could not extend file: No space left on device (SQLSTATE 53100)")
			})
			migrated(t, db)
			topic := newSink()
			r, _ := start(t, db, topic, quick)
			put(t, db, "k", "1")
			<-time.After(time.Second)
			if n := tries.Load(); n < 2 || n > 10 {
				t.Errorf("the database was asked %d times in a second, want 2 to 10", n)
			}
			if problem := r.Problem(time.Now().Add(40 * time.Second)); problem == "" {
				t.Error("health says nothing after 40 seconds of failures")
			}
			failing.Store(false)
			topic.await(t, 1)
			empty(t, db)
			topic.inOrder(t)
		})
	}
}
