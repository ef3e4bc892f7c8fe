package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite", in Go alone
)

// Open opens the database that a URL names: postgres://user@host/name, or
// sqlite:/path/to/file.db, which has to exist already unless the URL says
// ?mode=rwc. It returns once the database has answered. No error carries the
// URL's password.
func Open(ctx context.Context, rawURL string) (*sql.DB, error) {
	scheme, rest, _ := strings.Cut(rawURL, ":")
	var db *sql.DB
	var err error
	switch scheme {
	case "postgres", "postgresql":
		db, err = sql.Open("pgx", rawURL)
	case "sqlite":
		db, err = openSQLite(rest)
	case "":
		return nil, errors.New("open database: the URL is empty: want postgres://user@host/name or sqlite:/path/to/file.db")
	default:
		if !strings.HasPrefix(rest, "//") || strings.ContainsAny(scheme, " =@/") { // it may hold a password, so it is not repeated
			return nil, errors.New("open database: this is no URL: want postgres://user@host/name or sqlite:/path/to/file.db")
		}
		return nil, fmt.Errorf("open database: the URL has the scheme %q: want postgres://user@host/name or sqlite:/path/to/file.db", scheme)
	}
	if err != nil {
		return nil, fmt.Errorf("open database %s: %s", Redacted(rawURL), hide(err, rawURL))
	}
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open database %s: %s", Redacted(rawURL), hide(err, rawURL)), db.Close())
	}
	return db, nil
}

// openSQLite opens a file as services do: with a write-ahead log, and waiting
// for the turn to write. Transactions that may write take it at once, so that
// none fails for having read before.
func openSQLite(path string) (*sql.DB, error) {
	file, query, _ := strings.Cut(path, "?")
	if file == "" {
		return nil, errors.New("the URL names no file")
	}
	options, err := url.ParseQuery(query)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(file); err != nil && options.Get("mode") != "rwc" {
		return nil, err
	}
	name := url.URL{Scheme: "file", Opaque: (&url.URL{Path: file}).EscapedPath()}
	pragmas := "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_txlock=immediate"
	if level := options.Get("synchronous"); level == "FULL" {
		pragmas = strings.Replace(pragmas, "NORMAL", level, 1)
	}
	return sql.Open("sqlite", name.String()+pragmas)
}

// Redacted is a database's URL without its password, to be shown.
func Redacted(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil {
		scheme, _, _ := strings.Cut(rawURL, ":")
		return scheme + ":…"
	}
	q := u.Query()
	for _, secret := range []string{"password", "sslpassword"} {
		if q.Has(secret) {
			q.Set(secret, "xxxxx")
			u.RawQuery = q.Encode()
		}
	}
	return u.Redacted()
}

// queryPassword finds a password in the query of a URL, also of one that cannot
// be parsed.
var queryPassword = regexp.MustCompile("(?i)(password=)[^&\\s`]+")

// hide takes a URL and its password out of what a driver says, and its lines
// together.
func hide(err error, rawURL string) string {
	text := strings.ReplaceAll(err.Error(), rawURL, Redacted(rawURL))
	if u, parse := url.Parse(rawURL); parse == nil {
		if password, ok := u.User.Password(); ok && password != "" {
			text = strings.ReplaceAll(text, password, "xxxxx")
		}
	}
	return strings.Join(strings.Fields(queryPassword.ReplaceAllString(text, "${1}xxxxx")), " ")
}
