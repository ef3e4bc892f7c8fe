package outbox_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"strings"
	"testing"

	"github.com/slipway-go/slipway/internal/database"
)

// A hook is told of every statement and commit of a database, before and after
// it. An error of it is the statement's.
type hook func(when, what string) error

const (
	before = "before "
	behind = "behind "
)

// What the relay and its writers do, as a hook is told.
const (
	doSend        = "send"
	doSendCommit  = "the commit of a send"
	doRead        = "reading rows"
	doMark        = "deleting published rows"
	doMarkCommit  = "the commit of a deletion"
	doLease       = "renewing leases"
	doLeaseCommit = "the commit of leases"
	doElse        = "something else"
)

// what tells statements apart.
func what(query string) string {
	for prefix, does := range map[string]string{
		"INSERT INTO slipway_outbox (":     doSend,
		"WITH turn AS":                     doSend,
		"SELECT shard, seq":                doRead,
		"SELECT o.*":                       doRead,
		"DELETE FROM slipway_outbox ":      doMark,
		"INSERT INTO slipway_outbox_relay": doLease,
	} {
		if strings.HasPrefix(query, prefix) {
			return does
		}
	}
	return doElse
}

// hooked opens a SQLite file so that a hook is told of what is done.
func hooked(t testing.TB, file string, told hook) *sql.DB {
	t.Helper()
	plain, err := database.Open(t.Context(), "sqlite:"+file+"?mode=rwc")
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	db := sql.OpenDB(&hookConnector{plain.Driver(), "file:" + file + "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_txlock=immediate", told, nil})
	t.Cleanup(func() { db.Close() })
	return db
}

type hookConnector struct {
	real driver.Driver
	name string
	told hook

	stall func(ctx context.Context, does string) error // in place of statements that it has an error for
}

func (c *hookConnector) Driver() driver.Driver { return c.real }

func (c *hookConnector) Connect(context.Context) (driver.Conn, error) {
	conn, err := c.real.Open(c.name)
	if err != nil {
		return nil, err
	}
	return &hookConn{Conn: conn, told: c.told, stall: c.stall}, nil
}

type hookConn struct {
	driver.Conn
	told  hook
	stall func(context.Context, string) error
	in    string // what the transaction did
}

func (c *hookConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (result driver.Result, err error) {
	err = c.around(ctx, query, func() error {
		result, err = c.Conn.(driver.ExecerContext).ExecContext(ctx, query, args)
		return err
	})
	return result, err
}

func (c *hookConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (rows driver.Rows, err error) {
	err = c.around(ctx, query, func() error {
		rows, err = c.Conn.(driver.QueryerContext).QueryContext(ctx, query, args)
		return err
	})
	return rows, err
}

func (c *hookConn) around(ctx context.Context, query string, do func() error) error {
	does := what(query)
	if c.stall != nil {
		if err := c.stall(ctx, does); err != nil {
			return err
		}
	}
	if does != doElse && does != doRead {
		c.in = does
	}
	if err := c.told(before, does); err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	return c.told(behind, does)
}

func (c *hookConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	c.in = doElse
	tx, err := c.Conn.(driver.ConnBeginTx).BeginTx(ctx, opts)
	if err != nil {
		return nil, err
	}
	return &hookTx{tx, c}, nil
}

type hookTx struct {
	driver.Tx
	conn *hookConn
}

func (t *hookTx) Commit() error {
	does := map[string]string{doSend: doSendCommit, doMark: doMarkCommit, doLease: doLeaseCommit}[t.conn.in]
	if err := t.conn.told(before, does); err != nil {
		_ = t.Rollback() // err says why
		return err
	}
	if err := t.Tx.Commit(); err != nil {
		return err
	}
	return t.conn.told(behind, does)
}
