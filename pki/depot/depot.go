package depot

import (
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/slipway-go/slipway/internal/secret"
	"github.com/slipway-go/slipway/pki"
)

const defaultIssuerLifetime = 3 * 365 * 24 * time.Hour

// A Depot is the PKI of one cluster in a directory. It holds no state of its
// own: every method reads the directory, and those that change it lock it and
// fail with [diag.DepotLocked] while somebody else has it. So a Depot is safe
// for concurrent use, within a process and between processes.
//
// Methods that change a depot first finish what an earlier process left undone,
// and do nothing that is done already: the same call again is how an
// interrupted one is completed.
type Depot struct {
	dir   string
	clock func() time.Time
	step  func(op, path string) // see [disk]
}

// A Policy says how authorities are made. The zero Policy makes sound ones.
type Policy struct {
	// Constraints are the names that the issuer may sign; a leaf with another
	// is refused, here and by whoever verifies it.
	Constraints pki.Constraints

	// IssuerLifetime is how long an issuer lives.
	//
	// Defaults to three years.
	IssuerLifetime time.Duration

	// Key is the type of the authorities' keys.
	//
	// Defaults to [pki.ECDSAP256].
	Key pki.KeyType

	// RootLifetime is how long a root lives.
	//
	// Defaults to [pki.MaxAuthorityLifetime].
	RootLifetime time.Duration
}

// A RootKey says where the key of a root is kept. It signs issuers and nothing
// else, so that it can lie where no process reaches it: it is needed for [Init]
// and [Depot.Begin] alone.
type RootKey struct {
	// Dir is a directory outside of the depot, a medium to be taken away after
	// use. The root goes into its subdirectory NUMBER, which is that of its
	// generation, as ca.crt and ca.key. Where it holds the root already (an
	// interrupted Init, a second issuer under the same root) that one is used.
	//
	// Empty keeps the key in the depot; then there must be a Passphrase.
	Dir string

	// Passphrase encrypts the key.
	Passphrase secret.Secret
}

// A Config says how a depot begins.
type Config struct {
	// Cluster is the cluster's name. The authorities are named after it.
	Cluster string

	// Clock tells the time.
	//
	// Defaults to time.Now.
	Clock func() time.Time

	// From is an authority that exists already, as [pki.Import] reads it. An
	// intermediate becomes the depot's issuer; a root signs a new one, and its
	// key stays where it came from. RootKey is not used.
	From *pki.Authority

	// Policy is what the authorities are like.
	Policy Policy

	// RootKey is where the key of the new root goes.
	RootKey RootKey

	step func(op, path string) // see [disk]
}

func (c Config) withDefaults() Config {
	if c.Clock == nil {
		c.Clock = time.Now
	}
	c.Policy = c.Policy.withDefaults()
	return c
}

func (c Config) validate() error {
	return errors.Join(checkCluster(c.Cluster), c.Policy.validate())
}

func (p Policy) withDefaults() Policy {
	p.IssuerLifetime = cmp.Or(p.IssuerLifetime, defaultIssuerLifetime)
	p.RootLifetime = cmp.Or(p.RootLifetime, pki.MaxAuthorityLifetime)
	return p
}

// validate refuses an issuer that would outlive its root by design; what else
// can be wrong package pki says.
func (p Policy) validate() error {
	if p.IssuerLifetime > p.RootLifetime {
		return fmt.Errorf("IssuerLifetime is %v, want at most RootLifetime, %v", p.IssuerLifetime, p.RootLifetime)
	}
	return nil
}

// An Option varies how [Open] opens a depot.
type Option interface{ apply(*Depot) }

type clock func() time.Time

func (c clock) apply(d *Depot) { d.clock = c }

// WithClock has the depot take the time from now instead of from time.Now.
func WithClock(now func() time.Time) Option { return clock(now) }

// Open opens the depot in dir. It fails with [fs.ErrNotExist] and
// [diag.DepotMissing] where there is none, and with [pki.ErrLoose] where others
// could have read or replaced what is in it.
func Open(dir string, opts ...Option) (*Depot, error) {
	d := &Depot{dir: dir, clock: time.Now}
	for _, opt := range opts {
		opt.apply(d)
	}
	if err := d.look(func(*session) error { return nil }); err != nil {
		return nil, fmt.Errorf("open depot %s: %w", dir, err)
	}
	return d, nil
}

// Dir returns the depot's directory.
func (d *Depot) Dir() string { return d.dir }

// Trust returns the roots that everybody trusts now, as trust.crt has them.
func (d *Depot) Trust() ([]*x509.Certificate, error) {
	var roots []*x509.Certificate
	err := d.look(func(s *session) error {
		roots = s.roots(s.st)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read roots of %s: %w", d.dir, err)
	}
	return roots, nil
}

// LeafDir returns the directory of a leaf's files, whether it exists or not.
func (d *Depot) LeafDir(id ID) string { return filepath.Join(d.dir, filepath.FromSlash(leafDir(id))) }
