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

// openSQLite opens a file with one connection that writes and a few that read.
func openSQLite(ctx context.Context, path string, schema []string) (*pool, error) {
	dsn, err := dsnOf(path)
	if err != nil {
		return nil, err
	}
	p := new(pool)
	if p.write, err = sql.Open("sqlite", dsn+"&_txlock=immediate"); err != nil {
		return nil, err
	}
	if p.read, err = sql.Open("sqlite", dsn+"&_pragma=query_only(1)"); err != nil {
		return nil, errors.Join(err, p.write.Close())
	}
	p.write.SetMaxOpenConns(1)
	p.read.SetMaxOpenConns(readers)
	p.read.SetMaxIdleConns(readers)
	for _, statements := range schema {
		if strings.HasPrefix(statements, OnPostgres) {
			continue
		}
		text := strings.ReplaceAll(statements, Serial, "INTEGER PRIMARY KEY AUTOINCREMENT")
		if _, err := p.write.ExecContext(ctx, text); err != nil {
			return nil, errors.Join(fmt.Errorf("apply schema to %s: %w", path, err), p.Close())
		}
	}
	return p, nil
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
