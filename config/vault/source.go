package vault

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/slipway-go/slipway/config"
	"github.com/slipway-go/slipway/diag"
)

const (
	// DefaultPoll is how often secrets are looked at that do not tell of their
	// changes.
	DefaultPoll = 30 * time.Second

	// LoginPause is the least time between a login that was refused and the
	// next one.
	LoginPause = 5 * time.Second

	// requestTimeout bounds what is done at once outside of Load, which has a
	// context of its own.
	requestTimeout = 10 * time.Second
)

// A Config says what to read, and as whom.
type Config struct {
	// Address is the server's URL, such as https://vault.example:8200.
	Address string

	// Auth is how the service logs in: [TokenFile], [Kubernetes] or [AppRole].
	Auth Auth

	// CA is a PEM file with the authorities that sign the server's certificate.
	//
	// Defaults to those of the system.
	CA string

	// Dialer replaces the way connections are opened; TLS is spoken over what
	// it returns.
	Dialer func(ctx context.Context, network, address string) (net.Conn, error)

	// Dynamic are credentials that are made for this service.
	Dynamic []Dynamic

	// KV are secrets of KV version 2. A key that several give is refused.
	KV []KV

	// Name is what messages and the provenance of values call the source.
	//
	// Defaults to "vault".
	Name string

	// Namespace is one of Vault Enterprise or OpenBao.
	Namespace string

	// Poll is how often [Source.Watch] looks at secrets of KV.
	//
	// Defaults to [DefaultPoll]. At least 1 second.
	Poll time.Duration
}

func (c Config) validate() error {
	var errs []error
	add := func(format string, args ...any) {
		errs = append(errs, diag.New(diag.ConfigSourceSetup, format, args...))
	}
	if c.Auth == nil {
		add("%s: Auth is not given", c.Name)
	}
	if len(c.KV)+len(c.Dynamic) == 0 {
		add("%s: neither KV nor Dynamic is given, so there is nothing to read", c.Name)
	}
	for i, kv := range c.KV {
		if kv.Path == "" {
			add("%s: KV %d has no Path", c.Name, i)
		}
	}
	for i, d := range c.Dynamic {
		if d.Path == "" || len(d.Keys) == 0 {
			add("%s: Dynamic %d needs Path and Keys", c.Name, i)
		}
	}
	if c.Poll < time.Second {
		add("%s: Poll is %s, want at least 1s", c.Name, c.Poll)
	}
	return errors.Join(errs...)
}

// A Source gives what Vault has. It is safe for concurrent use.
type Source struct {
	cfg    Config
	client *client

	turn    chan struct{} // of one: whoever holds it may use what is below
	session *session
	logins  int       // sessions there have been
	refused error     // why the last login failed
	again   time.Time // when another is allowed
	leases  []*lease  // by index of cfg.Dynamic; nil until loaded
	given   [sha256.Size]byte
	polled  time.Time
}

var (
	_ config.Source  = (*Source)(nil)
	_ config.Watcher = (*Source)(nil)
)

// New returns a source. It reads the CA file and nothing else yet.
func New(cfg Config) (*Source, error) {
	cfg.Name = cmp.Or(cfg.Name, "vault")
	cfg.Poll = cmp.Or(cfg.Poll, DefaultPoll)
	client, err := newClient(cfg)
	if err := errors.Join(cfg.validate(), err); err != nil {
		return nil, err
	}
	cfg.KV, cfg.Dynamic = slices.Clone(cfg.KV), slices.Clone(cfg.Dynamic)
	return &Source{cfg: cfg, client: client, turn: make(chan struct{}, 1), leases: make([]*lease, len(cfg.Dynamic))}, nil
}

// Name implements [config.Source].
func (s *Source) Name() string { return s.cfg.Name }

// Load implements [config.Source]. It gives all or nothing.
func (s *Source) Load(ctx context.Context) ([]config.Given, error) {
	if err := s.take(ctx); err != nil {
		return nil, err
	}
	defer s.release()
	given, err := s.readKV(ctx)
	if err != nil {
		return nil, err
	}
	s.given, s.polled = fingerprint(given), time.Now()
	for i, d := range s.cfg.Dynamic {
		more, err := s.credential(ctx, i, d)
		if err != nil {
			return nil, err
		}
		given = append(given, more...)
	}
	return given, nil
}

// take waits for its turn. A mutex would not mind the context.
func (s *Source) take(ctx context.Context) error {
	select {
	case s.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *Source) release() { <-s.turn }

func (s *Source) readKV(ctx context.Context) ([]config.Given, error) {
	var all []config.Given
	for _, kv := range s.cfg.KV {
		given, err := s.secret(ctx, kv)
		if err != nil {
			return nil, err
		}
		all = append(all, given...)
	}
	return all, nil
}

// fingerprint tells one state of secrets from another without keeping them.
func fingerprint(given []config.Given) (sum [sha256.Size]byte) {
	h := sha256.New()
	for _, g := range given {
		_, _ = fmt.Fprintf(h, "%q %q %q\n", g.Key, g.Text, g.Items)
	}
	h.Sum(sum[:0])
	return sum
}
