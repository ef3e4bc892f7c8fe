package auth

import (
	"bytes"
	"context"
	"fmt"
	"strconv"

	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/secret"
)

// The SCRAM iteration counts a client accepts from a server. Kafka itself
// stores 4096 to 16384; the upper bound leaves room and still costs less than
// a second.
const (
	MinIterations = 4096
	MaxIterations = 1_000_000
)

// A Password returns the password to use for the next login.
type Password func(context.Context) (secret.Secret, error)

// Static is a password that does not change.
func Static(password secret.Secret) Password {
	return func(context.Context) (secret.Secret, error) { return password, nil }
}

// Mechanism returns the SASL mechanism for a contract's auth. It is nil for
// mTLS, where the certificate says who the client is. PLAIN hands the password
// itself to the server: use it over TLS only.
func Mechanism(kind contract.Auth, user string, password Password) (sasl.Mechanism, error) {
	credentials := func(ctx context.Context) (scram.Auth, error) {
		p, err := password(ctx)
		if err != nil {
			return scram.Auth{}, fmt.Errorf("read password of %s: %w", user, err)
		}
		return scram.Auth{User: user, Pass: p.Reveal()}, nil
	}
	switch kind {
	case contract.MTLS:
		return nil, nil
	case contract.SCRAMSHA512:
		return Capped(scram.Sha512(credentials)), nil
	case contract.SCRAMSHA256:
		return Capped(scram.Sha256(credentials)), nil
	case contract.Plain:
		return plain.Plain(func(ctx context.Context) (plain.Auth, error) {
			a, err := credentials(ctx)
			return plain.Auth{User: a.User, Pass: a.Pass}, err
		}), nil
	default:
		return nil, fmt.Errorf("authenticate %s: unknown mechanism %q", user, kind)
	}
}

// Capped wraps a SCRAM mechanism so that it refuses iteration counts outside
// [MinIterations] to [MaxIterations] before it hashes anything.
func Capped(m sasl.Mechanism) sasl.Mechanism { return capped{m} }

type capped struct{ sasl.Mechanism }

func (c capped) Authenticate(ctx context.Context, host string) (sasl.Session, []byte, error) {
	s, first, err := c.Mechanism.Authenticate(ctx, host)
	if err != nil {
		return nil, nil, err
	}
	return &cappedSession{Session: s, host: host}, first, nil
}

type cappedSession struct {
	sasl.Session
	host    string
	started bool
}

// Challenge judges the server's first message, the one that carries the
// count. A message the count cannot be read from goes on to the mechanism,
// which refuses it without hashing.
func (s *cappedSession) Challenge(msg []byte) (bool, []byte, error) {
	if !s.started {
		s.started = true
		if err := judgeIterations(msg, s.host); err != nil {
			return false, nil, err
		}
	}
	return s.Session.Challenge(msg)
}

// judgeIterations looks at every attribute i= of the message, so that it sees
// the one the mechanism will use whatever their order.
func judgeIterations(msg []byte, host string) error {
	for attr := range bytes.SplitSeq(msg, []byte(",")) {
		text, ok := bytes.CutPrefix(attr, []byte("i="))
		if !ok {
			continue
		}
		n, err := strconv.Atoi(string(text))
		if err != nil || n < MinIterations || n > MaxIterations {
			return diag.New(diag.KafkaIterations,
				"broker %s asks for %s SCRAM iterations, want %d to %d", host, text, MinIterations, MaxIterations)
		}
	}
	return nil
}
