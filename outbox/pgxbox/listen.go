package pgxbox

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/slipway-go/slipway/outbox"
)

// errUnparsed stands for what the parser says, which repeats what it takes for
// the host or the port, and that may be the password.
var errUnparsed = errors.New("connect to listen: the URL cannot be parsed: percent-encode what is special in user and password")

// Listen returns a function for [outbox.Config.Listen]: it has a connection of
// its own to the database of the URL, on which Postgres tells of commits while
// the relay sleeps. A connection that breaks is made again by the relay.
//
// The connection must reach the server itself or a pooler in session mode:
// poolers in transaction mode pass no notifications on. Without them the relay
// looks by itself, at every [outbox.Config.Poll].
func Listen(url string) func(ctx context.Context, wake func()) error {
	return func(ctx context.Context, wake func()) error {
		config, err := pgx.ParseConfig(url)
		if err != nil {
			return errUnparsed
		}
		conn, err := pgx.ConnectConfig(ctx, config)
		if err != nil {
			return fmt.Errorf("connect to listen: %w", err)
		}
		defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // it is over either way
		if _, err := conn.Exec(ctx, "LISTEN "+outbox.Channel); err != nil {
			return fmt.Errorf("listen: %w", err)
		}
		wake() // what was committed before
		for {
			if _, err := conn.WaitForNotification(ctx); err != nil {
				return fmt.Errorf("wait for notification: %w", err)
			}
			wake()
		}
	}
}
