package consul

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/slipway-go/slipway/config"
	"github.com/slipway-go/slipway/diag"
)

const (
	// DefaultWait is how long a blocking query waits for a change.
	DefaultWait = 5 * time.Minute

	// breath is the least time between two blocking queries, so that an index
	// which moves all the time does not keep the server busy.
	breath = time.Second

	longestPause = 30 * time.Second
)

// A Config says what to read, and as whom.
type Config struct {
	// Address is the URL of an agent or a server, such as
	// https://consul.example:8501.
	Address string

	// Prefix is what all keys of the service begin with, such as
	// config/orders.
	Prefix string

	// CA is a PEM file with the authorities that sign the server's certificate.
	//
	// Defaults to those of the system.
	CA string

	// Datacenter defaults to the agent's.
	Datacenter string

	// Dialer replaces the way connections are opened; TLS is spoken over what
	// it returns.
	Dialer func(ctx context.Context, network, address string) (net.Conn, error)

	// Name is what messages and the provenance of values call the source.
	//
	// Defaults to "consul".
	Name string

	// TokenFile has the ACL token; it needs key:read on the prefix (key_prefix
	// in rules). Empty means the anonymous token.
	TokenFile string

	// Wait is how long a blocking query waits for a change.
	//
	// Defaults to [DefaultWait]. At most 10 minutes, which is Consul's bound.
	Wait time.Duration
}

func (c Config) validate() error {
	var errs []error
	if strings.Trim(c.Prefix, "/") == "" {
		errs = append(errs, diag.New(diag.ConfigSourceSetup, "%s: Prefix is empty: every service would read every other's keys", c.Name))
	}
	if c.Wait < time.Second || c.Wait > 10*time.Minute {
		errs = append(errs, diag.New(diag.ConfigSourceSetup, "%s: Wait is %s, want 1s to 10m", c.Name, c.Wait))
	}
	return errors.Join(errs...)
}

// A Source gives what is below a prefix. It is safe for concurrent use.
type Source struct {
	cfg    Config
	client *client

	mu    sync.Mutex
	given [sha256.Size]byte // of the last load
	index uint64
}

var (
	_ config.Source  = (*Source)(nil)
	_ config.Watcher = (*Source)(nil)
)

// New returns a source. It reads the CA file and nothing else yet.
func New(cfg Config) (*Source, error) {
	cfg.Name = cmp.Or(cfg.Name, "consul")
	cfg.Wait = cmp.Or(cfg.Wait, DefaultWait)
	client, err := newClient(cfg)
	if err := errors.Join(cfg.validate(), err); err != nil {
		return nil, err
	}
	return &Source{cfg: cfg, client: client}, nil
}

// Name implements [config.Source].
func (s *Source) Name() string { return s.cfg.Name }

// Load implements [config.Source].
func (s *Source) Load(ctx context.Context) ([]config.Given, error) {
	given, index, err := s.client.read(ctx, 0)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.given, s.index = fingerprint(given), index
	return given, nil
}

// Watch implements [config.Watcher].
func (s *Source) Watch(ctx context.Context, changed func()) error {
	s.mu.Lock()
	index := s.index
	s.mu.Unlock()
	pause := breath
	for {
		given, next, err := s.client.read(ctx, index)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		missing := errors.Is(err, diag.ConfigSourceMissing)
		if next < index {
			next = 0 // the store was restored: begin anew, as the protocol asks
		}
		index = next
		if (err == nil || missing) && s.another(given, missing) {
			changed()
		}
		if pause = min(2*pause, longestPause); err == nil || missing {
			pause = breath
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause):
		}
	}
}

// another reports that there is something else than what was loaded. That there
// is nothing any more is for Load to tell, as an error.
func (s *Source) another(given []config.Given, missing bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	sum := fingerprint(given)
	if missing {
		sum = [sha256.Size]byte{}
	}
	if sum == s.given {
		return false
	}
	s.given = sum
	return true
}

// fingerprint tells one state of keys from another without keeping it.
func fingerprint(given []config.Given) (sum [sha256.Size]byte) {
	h := sha256.New()
	for _, g := range given {
		_, _ = fmt.Fprintf(h, "%q %q\n", g.Key, g.Text)
	}
	h.Sum(sum[:0])
	return sum
}
