package outbox

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"time"

	"github.com/slipway-go/slipway"
)

// How often, and after how long, a transaction is tried again: about four
// seconds in all, after which the contract's retry goes on.
const (
	maxTries   = 10
	firstPause = 10 * time.Millisecond
	lastPause  = time.Second
)

// pause waits before another try, and reports whether there is time for it.
func pause(ctx context.Context, try int) bool {
	wait := min(firstPause<<(try-1), lastPause)
	wait = wait/2 + rand.N(wait/2+1) //nolint:gosec // a pause is no secret
	select {
	case <-ctx.Done():
		return false
	case <-time.After(wait):
		return true
	}
}

// passing reports whether a try failed for a reason that passes by itself. What
// the handler has decided is left as it is.
func passing(err error) bool {
	if slipway.Decided(err) {
		return false
	}
	if errors.Is(err, ErrUnknownOutcome) {
		return true
	}
	if state, ok := sqlState(err); ok {
		switch state {
		case "40001", "40P01", // serialization failure, deadlock
			"55P03",                   // a lock was not to be had in time
			"53300",                   // too many connections
			"57P01", "57P02", "57P03": // the server goes down, or is not up yet
			return true
		}
		return strings.HasPrefix(state, "08") // connection exceptions
	}
	if code, ok := sqliteCode(err); ok {
		return code&0xff == 5 || code&0xff == 6 // SQLITE_BUSY, SQLITE_LOCKED
	}
	_, mine := errors.AsType[*lostError](err)
	return mine || errors.Is(err, driver.ErrBadConn)
}

// lostError is the failure of a try whose connection broke.
type lostError struct{ err error }

func (l *lostError) Error() string { return l.err.Error() }
func (l *lostError) Unwrap() error { return l.err }

// lost judges an error of the function: one of the network may come from the
// database or from anywhere else, so the transaction is asked whether it still
// has its connection.
func lost(ctx context.Context, tx *sql.Tx, err error) error {
	if !broken(err) || ctx.Err() != nil || slipway.Decided(err) {
		return err
	}
	_, dead := tx.ExecContext(ctx, "SELECT 1")
	if _, answered := sqlState(dead); dead == nil || answered {
		return err
	}
	return &lostError{err}
}

// certain reports whether the failure of a commit says that nothing was
// committed: the database said so itself, and not in its last breath.
func certain(err error) bool {
	if state, ok := sqlState(err); ok {
		return !strings.HasPrefix(state, "08") && !strings.HasPrefix(state, "57P")
	}
	if _, ok := sqliteCode(err); ok {
		return true
	}
	// Of pgx: the transaction had failed before, and the function kept it to
	// itself. Of database/sql: it is over.
	return strings.HasSuffix(err.Error(), "commit unexpectedly resulted in rollback") || errors.Is(err, sql.ErrTxDone)
}

// sqlState is the SQLSTATE of an error, as the drivers of Postgres have it.
func sqlState(err error) (string, bool) {
	var e interface{ SQLState() string }
	if errors.As(err, &e) {
		return e.SQLState(), true
	}
	return "", false
}

// sqliteCode is the result code of an error, as modernc.org/sqlite has it.
func sqliteCode(err error) (int, bool) {
	type coded interface {
		error
		Code() int
	}
	if e, ok := errors.AsType[coded](err); ok {
		return e.Code(), true
	}
	return 0, false
}

// broken reports whether the connection is to blame.
func broken(err error) bool {
	if _, ok := errors.AsType[net.Error](err); ok && !errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	for _, e := range []error{driver.ErrBadConn, sql.ErrConnDone, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed} {
		if errors.Is(err, e) {
			return true
		}
	}
	return strings.HasSuffix(err.Error(), "conn closed") // of pgx
}
