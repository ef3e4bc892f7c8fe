package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/slipway-go/slipway/diag"
)

// Options returns what a client needs to connect as a user.
func (c *Cluster) Options(as Login) []kgo.Opt {
	return []kgo.Opt{
		kgo.SeedBrokers(c.Bootstrap()...),
		kgo.Dialer(c.network.dialTLS(c.TLS())),
		kgo.SASL(scram.Auth{User: as.User, Pass: as.Password}.AsSha512Mechanism()),
	}
}

// Ping logs in as a user. A refused login is a diagnostic; the broker itself
// only hangs up.
func (c *Cluster) Ping(ctx context.Context, as Login) error {
	opts := append(c.Options(as), kgo.RequestRetries(0), kgo.RetryTimeout(10*time.Second))
	cl, err := kgo.NewClient(opts...)
	if err != nil {
		return err
	}
	defer cl.Close()
	err = cl.Ping(ctx)
	if errors.Is(err, io.EOF) {
		return diag.New(diag.EmbeddedLoginRefused, "broker %s refused the login of user %s", c.Bootstrap()[0], as.User)
	}
	return err
}

// logger passes the broker's warnings and errors on.
type logger struct{ to *slog.Logger }

// Logf implements kfake.Logger.
func (l logger) Logf(level kfake.LogLevel, format string, args ...any) {
	switch level {
	case kfake.LogLevelError:
		l.to.Error("embedded broker", "message", fmt.Sprintf(format, args...))
	case kfake.LogLevelWarn:
		l.to.Warn("embedded broker", "message", fmt.Sprintf(format, args...))
	}
}
