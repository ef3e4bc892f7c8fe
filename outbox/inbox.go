package outbox

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/slipway-go/slipway"
)

// inboxTables make the table of handled messages. A row is kept until it
// expires, in milliseconds since 1970: whoever writes it knows the contract's
// ttl, whoever deletes it need not.
var inboxTables = migration{
	Postgres: {
		`CREATE TABLE IF NOT EXISTS slipway_inbox (
	consumer text   NOT NULL,
	id       text   NOT NULL,
	expires  bigint NOT NULL,
	PRIMARY KEY (consumer, id)
)`,
		inboxIndex,
	},
	SQLite: {
		`CREATE TABLE IF NOT EXISTS slipway_inbox (
	consumer TEXT    NOT NULL,
	id       TEXT    NOT NULL,
	expires  INTEGER NOT NULL,
	PRIMARY KEY (consumer, id)
) WITHOUT ROWID`,
		inboxIndex,
	},
}

const inboxIndex = `CREATE INDEX IF NOT EXISTS slipway_inbox_expires ON slipway_inbox (expires)`

const insertInbox = "INSERT INTO slipway_inbox (consumer, id, expires) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"

// remember writes the ids of the messages. It reports whether any of them is
// new: where another transaction is about to write the same id, it waits for
// what becomes of that.
func (o *once) remember(ctx context.Context, tx *sql.Tx) (fresh bool, err error) {
	if len(o.messages) == 0 {
		return true, nil
	}
	o.done = make([]bool, len(o.messages))
	for i, m := range o.messages {
		result, err := tx.ExecContext(ctx, insertInbox, consumerOf(m), idOf(m), time.Now().Add(m.Keep).UnixMilli())
		if err != nil {
			return false, fmt.Errorf("write inbox: %w", err)
		}
		rows, err := result.RowsAffected()
		if err != nil {
			return false, fmt.Errorf("write inbox: %w", err)
		}
		o.done[i] = rows == 0
		fresh = fresh || rows > 0
		if rows == 0 && !o.inDoubt { // else it may be this call's own
			inboxOf(o.db).duplicates.Add(1)
		}
	}
	return fresh, nil
}

// consumerOf is whose message it is: one event may come to several groups, and
// to a group under two entries.
func consumerOf(d slipway.Delivery) string { return d.Group + "/" + d.Entry }

// maxID is the longest id that is kept as it is.
const maxID = 255

// idOf is a delivery's id as a database takes it. One that is very long, or is
// no text, is kept by its hash: ids come from outside.
func idOf(d slipway.Delivery) string {
	if len(d.ID) <= maxID && utf8.ValidString(d.ID) && !strings.ContainsRune(d.ID, 0) {
		return d.ID
	}
	sum := sha256.Sum256([]byte(d.ID))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// An inbox is what is known of a database's inbox in this process.
type inbox struct {
	duplicates atomic.Int64 // messages that came again and were done already
	forgotten  atomic.Int64 // ids that were deleted after their time
}

// inboxes are those of this process, by database: Do knows nothing else.
var inboxes sync.Map

func inboxOf(db *sql.DB) *inbox {
	if known, ok := inboxes.Load(db); ok {
		return known.(*inbox)
	}
	fresh, _ := inboxes.LoadOrStore(db, new(inbox))
	return fresh.(*inbox)
}

// How ids are deleted whose time is over: now and then, a few at a time, so
// that no handler waits for it and no log grows by it.
const (
	forgetEvery = time.Minute
	forgetRest  = 50 * time.Millisecond
	forgetStep  = 1000
)

const deleteInbox = `DELETE FROM slipway_inbox WHERE (consumer, id) IN
	(SELECT consumer, id FROM slipway_inbox WHERE expires < $1 ORDER BY expires LIMIT $2)`

// forget deletes expired ids until ctx ends. Instances may do so side by side.
func forget(ctx context.Context, db *sql.DB, log *slog.Logger) error {
	for {
		rest := forgetEvery
		switch n, err := forgetSome(ctx, db, time.Now()); {
		case ctx.Err() != nil:
			return nil //nolint:nilerr // the end that was asked for
		case err != nil:
			log.Warn("ids of handled messages could not be deleted, trying again", "error", err, "wait", rest)
		case n == forgetStep:
			rest = forgetRest
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(rest):
		}
	}
}

// forgetSome deletes one step of what has expired by now.
func forgetSome(ctx context.Context, db *sql.DB, now time.Time) (int64, error) {
	result, err := db.ExecContext(ctx, deleteInbox, now.UnixMilli(), forgetStep)
	if err != nil {
		return 0, fmt.Errorf("delete from inbox: %w", err)
	}
	n, err := result.RowsAffected()
	inboxOf(db).forgotten.Add(n)
	return n, err
}
