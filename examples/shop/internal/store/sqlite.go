package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"

	_ "modernc.org/sqlite" // the driver "sqlite", in Go alone
)

const readers = 4 // connections that read beside the one that writes

// A sqlite is a file with one connection that writes and a few that read.
// Statements of the writing connection are prepared once and kept.
type sqlite struct {
	write, read *sql.DB
	conn        *sql.Conn
	turn        chan struct{} // holds one token: the right to use conn
	stmts       map[string]*sql.Stmt
}

func openSQLite(ctx context.Context, path string, schema []string) (*sqlite, error) {
	dsn, err := dsnOf(path)
	if err != nil {
		return nil, err
	}
	s := &sqlite{turn: make(chan struct{}, 1), stmts: make(map[string]*sql.Stmt)}
	if s.write, err = sql.Open("sqlite", dsn); err != nil {
		return nil, err
	}
	if s.read, err = sql.Open("sqlite", dsn+"&_pragma=query_only(1)"); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.write.SetMaxOpenConns(1)
	s.read.SetMaxOpenConns(readers)
	s.read.SetMaxIdleConns(readers)
	if s.conn, err = s.write.Conn(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	for _, statements := range schema {
		text := strings.ReplaceAll(statements, Serial, "INTEGER PRIMARY KEY AUTOINCREMENT")
		if _, err := s.conn.ExecContext(ctx, text); err != nil {
			return nil, errors.Join(fmt.Errorf("apply schema: %w", err), s.Close())
		}
	}
	s.turn <- struct{}{}
	return s, nil
}

// dsnOf is the driver's name for the file, with the settings every connection
// begins with. ?synchronous=FULL in the URL trades speed for safety against a
// power cut.
func dsnOf(path string) (string, error) {
	file, query, _ := strings.Cut(path, "?")
	if file == "" {
		return "", errors.New("the URL names no file")
	}
	options, err := url.ParseQuery(query)
	if err != nil {
		return "", err
	}
	level := cmp.Or(options.Get("synchronous"), "NORMAL")
	if level != "NORMAL" && level != "FULL" {
		return "", fmt.Errorf("synchronous is %q, want NORMAL or FULL", level)
	}
	name := url.URL{Scheme: "file", Opaque: (&url.URL{Path: file}).EscapedPath()}
	return name.String() + "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(" + level + ")", nil
}

// Update implements [DB].
func (s *sqlite) Update(ctx context.Context, fn func(context.Context, Tx) error) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-s.turn:
	}
	defer func() { s.turn <- struct{}{} }()
	ctx = context.WithoutCancel(ctx) // never stop half-way through a commit
	if _, err := s.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("begin transaction: %w", err)
	}
	committed := false
	defer func() {
		if !committed { // fn failed or panicked
			_, _ = s.ExecContext(ctx, "ROLLBACK")
		}
	}()
	if err := fn(ctx, s); err != nil {
		return err
	}
	if _, err := s.ExecContext(ctx, "COMMIT"); err != nil {
		return fmt.Errorf("commit transaction: %w", err)
	}
	committed = true
	return nil
}

// Reader implements [DB].
func (s *sqlite) Reader() Querier { return s.read }

// Close implements [DB].
func (s *sqlite) Close() error {
	var errs []error
	for _, stmt := range s.stmts {
		errs = append(errs, stmt.Close())
	}
	if s.conn != nil {
		errs = append(errs, s.conn.Close())
	}
	for _, db := range []*sql.DB{s.read, s.write} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}

// The rest makes a sqlite the [Tx] of whoever has the turn.

// ExecContext implements [Tx].
func (s *sqlite) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	stmt, err := s.prepared(ctx, query) //nolint:sqlclosecheck // kept, and closed by Close
	if err != nil {
		return nil, err
	}
	return stmt.ExecContext(ctx, args...)
}

// QueryContext implements [Querier].
func (s *sqlite) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	stmt, err := s.prepared(ctx, query) //nolint:sqlclosecheck // kept, and closed by Close
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, args...)
}

// QueryRowContext implements [Querier].
func (s *sqlite) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	stmt, err := s.prepared(ctx, query) //nolint:sqlclosecheck // kept, and closed by Close
	if err != nil {
		return s.conn.QueryRowContext(ctx, query, args...) // which carries the error
	}
	return stmt.QueryRowContext(ctx, args...)
}

func (s *sqlite) prepared(ctx context.Context, query string) (*sql.Stmt, error) {
	if stmt := s.stmts[query]; stmt != nil {
		return stmt, nil
	}
	stmt, err := s.conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	s.stmts[query] = stmt
	return stmt, nil
}
