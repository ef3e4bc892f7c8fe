package user

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"net/mail"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/slipway-go/slipway/outbox"

	"example.com/shop/internal/store"
	"example.com/shop/internal/web"
)

const createdTopic = "users.created.v1"

// Created is the event that somebody signed up.
type Created struct {
	UserID    string    `avro:"user_id"`
	Email     string    `avro:"email"`
	Name      string    `avro:"name"`
	CreatedAt time.Time `avro:"created_at"`
}

// A User is somebody who signed up.
type User struct {
	ID        string    `json:"user_id"`
	Email     string    `json:"email"`
	Name      string    `json:"name"`
	CreatedAt time.Time `json:"created_at"`
}

// A Request is what somebody fills in.
type Request struct {
	Email string `json:"email"`
	Name  string `json:"name"`
}

const schema = `
CREATE TABLE IF NOT EXISTS users (
	id              TEXT   PRIMARY KEY,
	idempotency_key TEXT   NOT NULL UNIQUE,
	email           TEXT   NOT NULL UNIQUE,
	name            TEXT   NOT NULL,
	created_at      BIGINT NOT NULL
);`

// The address goes into the header of a mail, so nothing gets in that could end
// a line there.
var emailPattern = regexp.MustCompile(`^[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9.-]{1,190}$`)

const maxName = 100

func (r Request) validate() error {
	if _, err := mail.ParseAddress(r.Email); err != nil || !emailPattern.MatchString(r.Email) {
		return web.BadRequest("email_invalid", "email is %.80q, want an address such as ann@example.com", r.Email)
	}
	odd := func(c rune) bool { return c < ' ' || c == utf8.RuneError }
	if r.Name == "" || utf8.RuneCountInString(r.Name) > maxName || strings.ContainsFunc(r.Name, odd) {
		return web.BadRequest("name_invalid", "name is %.80q, want up to %d characters on one line", r.Name, maxName)
	}
	return nil
}

var errUnknown = errors.New("user is unknown")

// SignUp signs somebody up, once for each idempotency key: with a key it has
// seen it returns the user of that key, and false.
func (s *Service) SignUp(ctx context.Context, key string, r Request) (User, bool, error) {
	if err := r.validate(); err != nil {
		return User{}, false, err
	}
	u := User{ID: "u-" + strings.ToLower(rand.Text()), Email: strings.ToLower(r.Email), Name: r.Name, CreatedAt: time.Now().UTC()}
	fresh := false
	err := outbox.Do(ctx, s.db.SQL(), func(ctx context.Context, tx *sql.Tx) error {
		n, err := store.Changed(tx.ExecContext(ctx,
			`INSERT INTO users (id, idempotency_key, email, name, created_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
			u.ID, key, u.Email, u.Name, u.CreatedAt.UnixNano()))
		if fresh = n == 1; err != nil || !fresh {
			return err
		}
		return outbox.Send(ctx, tx, s.created, &Created{UserID: u.ID, Email: u.Email, Name: u.Name, CreatedAt: u.CreatedAt})
	})
	if err != nil || fresh {
		return u, fresh, err
	}
	return s.known(ctx, key, u)
}

// known is who signed up with the key before.
func (s *Service) known(ctx context.Context, key string, u User) (User, bool, error) {
	before, err := find(ctx, s.db.Reader(), `idempotency_key`, key)
	switch {
	case errors.Is(err, errUnknown):
		return User{}, false, web.Conflict("email_taken", "somebody has signed up with %s", u.Email)
	case err != nil:
		return User{}, false, err
	case before.Email != u.Email || before.Name != u.Name:
		return User{}, false, web.Conflict("idempotency_key_reused", "the idempotency key belongs to user %s, who is another", before.ID)
	}
	return before, false, nil
}

// find finds a user by what a unique column holds.
func find(ctx context.Context, q store.Querier, column, value string) (User, error) {
	var u User
	var at int64
	err := q.QueryRowContext(ctx, `SELECT id, email, name, created_at FROM users WHERE `+column+` = $1`, value).
		Scan(&u.ID, &u.Email, &u.Name, &at)
	if errors.Is(err, sql.ErrNoRows) {
		return User{}, errUnknown
	}
	u.CreatedAt = time.Unix(0, at).UTC()
	return u, err
}
