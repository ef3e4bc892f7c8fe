package up

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/database"
	"github.com/slipway-go/slipway/internal/postgres"
)

// The stores a run can give its services. The URL of a Postgres server is one
// too.
const (
	SQLiteStore   = "sqlite"   // a file for each service
	PostgresStore = "postgres" // a server of the run's own, with a database for each service
)

// storeTimeout bounds what is asked of a server to make or remove databases.
const storeTimeout = 30 * time.Second

// A store is where the services of a run have their databases.
type store struct {
	files string // the directory of SQLite's files, without a server

	admin  *sql.DB // on the server, as whoever may create
	server *url.URL
	run    string // what the names of this run begin with
	made   []string
	stop   func() error
}

// openStore starts or reaches what the run keeps databases in.
func (r *run) openStore(ctx context.Context) (*store, error) {
	switch r.cfg.Store {
	case "", SQLiteStore:
		return &store{files: filepath.Join(r.state.run(), "databases")}, nil
	case PostgresStore:
		return r.startPostgres(ctx)
	}
	return reachPostgres(ctx, r.cfg.Store, func() error { return nil })
}

// startPostgres starts a server that lasts as long as the run.
func (r *run) startPostgres(ctx context.Context) (*store, error) {
	began := time.Now()
	dir := filepath.Join(r.state.run(), "postgres")
	if os.Geteuid() == 0 {
		// Postgres does not run as root, and whom it runs as may not enter the
		// run's directory.
		outside, err := os.MkdirTemp("", "slipway-up-postgres-")
		if err != nil {
			return nil, stateFault(err)
		}
		dir = outside
	}
	server, err := postgres.Start(ctx, postgres.Config{Dir: dir, Settings: map[string]string{"max_connections": "300"}})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	r.observe(Note{Text: fmt.Sprintf("postgres is up after %v: 127.0.0.1:%d", time.Since(began).Round(time.Millisecond), server.Port())})
	return reachPostgres(ctx, server.URL("postgres"), func() error { return errors.Join(server.Stop(), os.RemoveAll(dir)) })
}

// reachPostgres connects to a server as whoever the URL says, who has to be able
// to create roles and databases there.
func reachPostgres(ctx context.Context, address string, stop func() error) (*store, error) {
	server, err := url.Parse(address)
	if err == nil {
		var admin *sql.DB
		if admin, err = database.Open(ctx, address); err == nil {
			return &store{admin: admin, server: server, run: "slipway_" + strings.ToLower(rand.Text()[:8]), stop: stop}, nil
		}
	}
	return nil, errors.Join(diag.New(diag.UpStore, "the store cannot be reached").WithEvidence("%v", err), stop())
}

// database makes the database of a service, and returns its URL. On a server the
// service is a role of its own, which may do anything in this database and may
// not enter another's.
func (s *store) database(ctx context.Context, service string) (string, error) {
	if s.admin == nil {
		dir := filepath.Join(s.files, service)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return "", stateFault(err)
		}
		return "sqlite:" + filepath.Join(dir, service+".db"), nil
	}
	name := s.run + "_" + strings.ReplaceAll(service, "-", "_") // a service's name is a DNS label of at most 40 characters
	password := rand.Text()
	s.made = append(s.made, name)
	for _, statement := range []string{
		fmt.Sprintf(`CREATE ROLE %s LOGIN PASSWORD '%s'`, name, password),
		fmt.Sprintf(`GRANT %s TO CURRENT_USER`, name), // to own a database for it, where the creator is no superuser
		fmt.Sprintf(`CREATE DATABASE %s OWNER %s`, name, name),
		fmt.Sprintf(`REVOKE ALL ON DATABASE %s FROM PUBLIC`, name),
	} {
		if err := s.exec(ctx, statement); err != nil {
			return "", diag.New(diag.UpStore, "no database could be made for %s", service).
				WithEvidence("%s", strings.ReplaceAll(err.Error(), password, "***"))
		}
	}
	own := *s.server
	own.User, own.Path = url.UserPassword(name, password), "/"+name
	return own.String(), nil
}

func (s *store) exec(ctx context.Context, statement string) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	_, err := s.admin.ExecContext(ctx, statement)
	return err
}

// close removes what the run made, and stops the server if it is the run's own.
func (s *store) close() error {
	if s.admin == nil {
		return nil
	}
	var errs []error
	for _, name := range slices.Backward(s.made) {
		for _, statement := range []string{
			fmt.Sprintf(`DROP DATABASE IF EXISTS %s WITH (FORCE)`, name),
			fmt.Sprintf(`DROP ROLE IF EXISTS %s`, name),
		} {
			if err := s.exec(context.Background(), statement); err != nil { // the run's own context has ended
				errs = append(errs, diag.New(diag.UpStore, "database %s could not be removed", name).WithEvidence("%v", err).
					WithFix("remove it by hand: DROP DATABASE %s WITH (FORCE); DROP ROLE %s", name, name))
			}
		}
	}
	return errors.Join(append(errs, s.admin.Close(), s.stop())...)
}

// checkStore reports a store that is none.
func checkStore(name string) error {
	switch name {
	case "", SQLiteStore, PostgresStore:
		return nil
	}
	if u, err := url.Parse(name); err == nil && (u.Scheme == "postgres" || u.Scheme == "postgresql") && u.Host != "" {
		return nil
	}
	return diag.New(diag.UpStore, "there is no store %q", database.Redacted(name))
}
