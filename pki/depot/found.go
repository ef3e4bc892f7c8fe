package depot

import (
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/secret"
	"github.com/slipway-go/slipway/pki"
)

// Init makes a depot in dir: a root, an issuer under it, and nothing issued.
// The directory must be absent, empty, or that of an Init which did not come to
// its end. It fails with [diag.DepotExists] where there is a depot.
func Init(dir string, cfg Config) (*Depot, error) {
	cfg = cfg.withDefaults()
	d := &Depot{dir: dir, clock: cfg.Clock, step: cfg.step}
	err := d.create(cfg, func(s *session) error {
		if s.st.phase != "" {
			return diag.New(diag.DepotExists, "there is a depot for cluster %s in %s", s.st.cluster, dir)
		}
		s.st.cluster = cfg.Cluster
		if err := s.found(1, Replacement{From: cfg.From, Policy: cfg.Policy, RootKey: cfg.RootKey}); err != nil {
			return err
		}
		first := state{cluster: cfg.Cluster, phase: Steady, current: 1, last: 1}
		g, err := s.readGeneration(1)
		if err != nil {
			return err
		}
		// The roots come before depot.yaml: a depot that can be opened has them.
		s.gens = []*generation{g}
		if err := s.replace(trustFile, encodeCertificates(g.root)); err != nil {
			return err
		}
		return s.writeState(first)
	})
	if err != nil {
		return nil, fmt.Errorf("make depot %s: %w", dir, err)
	}
	return d, nil
}

// InitRequest makes a depot whose issuer an organisation's own authority is to
// sign, and returns the signing request as PEM. The depot issues nothing before
// [Depot.Complete] got the answer. Called again it returns the same request.
func InitRequest(dir string, cfg Config) (*Depot, []byte, error) {
	cfg = cfg.withDefaults()
	d := &Depot{dir: dir, clock: cfg.Clock, step: cfg.step}
	var csr []byte
	err := d.create(cfg, func(s *session) error {
		first := state{cluster: cfg.Cluster, phase: Pending, requested: 1, last: 1}
		if s.st.phase != "" && s.st != first {
			return diag.New(diag.DepotExists, "there is a depot for cluster %s in %s", s.st.cluster, dir)
		}
		s.st.cluster = cfg.Cluster
		var err error
		if csr, err = s.request(1, cfg.Policy); err != nil {
			return err
		}
		return s.writeState(first)
	})
	if err != nil {
		return nil, nil, fmt.Errorf("make depot %s: %w", dir, err)
	}
	return d, csr, nil
}

// create has work fill a directory that holds nothing, what an interrupted
// Init left, or a depot.
func (d *Depot) create(cfg Config, work func(*session) error) error {
	if err := cfg.validate(); err != nil {
		return err
	}
	if err := os.MkdirAll(d.dir, dirMode); err != nil {
		return err
	}
	return d.locked(func(s *session) error {
		if err := s.readState(); err != nil && !errors.Is(err, diag.DepotMissing) {
			return err
		}
		if s.st.phase == "" {
			if err := s.checkEmpty(); err != nil {
				return err
			}
			if err := errors.Join(s.sweep(), syncDir(filepath.Dir(filepath.Clean(d.dir)))); err != nil {
				return err
			}
		}
		return work(s)
	})
}

// checkEmpty refuses a directory with anything that Init has not made there.
func (s *session) checkEmpty() error {
	all, err := s.names(".")
	if err != nil {
		return err
	}
	for _, name := range all {
		if !slices.Contains([]string{lockFile, trustFile, generationsDir, fresh(trustFile), fresh(stateFile)}, name) {
			return diag.New(diag.DepotForeign, "%s lies there, and no %s", name, stateFile)
		}
	}
	numbers, err := s.generationNumbers()
	if err == nil && len(numbers) > 0 && numbers[len(numbers)-1] > 1 {
		return diag.New(diag.DepotForeign, "%s lies there, and no %s", generationDir(numbers[len(numbers)-1]), stateFile)
	}
	return err
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// found makes a generation, unless an interrupted command has made it already.
func (s *session) found(number int, r Replacement) error {
	if s.exists(generationDir(number)) {
		return s.adopt(number, r)
	}
	issuer, rootKey, err := s.newIssuer(number, r)
	if err != nil {
		return err
	}
	return s.writeGeneration(number, issuer, rootKey, s.now)
}

// adopt accepts the generation that an interrupted command made, if this one
// would have made the same.
func (s *session) adopt(number int, r Replacement) error {
	g, err := s.readGeneration(number)
	if err != nil {
		return damaged(generationDir(number), err)
	}
	a, err := s.authority(g)
	if err != nil {
		return err
	}
	if err := s.sameAs(g, a, r); err != nil {
		return diag.New(diag.DepotForeign, "%s lies there and was made in another way: %v", generationDir(number), err).
			WithFix("repeat the command that was interrupted as it was given, or remove the directory")
	}
	return nil
}

func (s *session) sameAs(g *generation, a *pki.Authority, r Replacement) error {
	switch {
	case r.From != nil && !a.Root().Equal(r.From.Root()):
		return errors.New("its root is another than that of the authority given")
	case r.From != nil:
		return nil
	case r.KeepRoot && !g.shares(s.generation(s.st.current)):
		return errors.New("its root is a new one")
	case r.KeepRoot:
		return nil
	case g.root.Subject.CommonName != s.rootName(g.number):
		return errors.New("its root is called " + g.root.Subject.CommonName)
	}
	_, err := s.rootAuthority(g.root, r.RootKey, []*generation{g})
	return err
}

func (s *session) rootName(number int) string { return fmt.Sprintf("%s root %d", s.st.cluster, number) }
func (s *session) issuerName(number int) string {
	return fmt.Sprintf("%s issuer %d", s.st.cluster, number)
}

// newIssuer makes the authority that signs leaves, and the root where there is
// to be a new one. The root's key is returned encrypted if it is to stay here.
func (s *session) newIssuer(number int, r Replacement) (*pki.Authority, pki.Key, error) {
	var (
		root   *pki.Authority
		inside pki.Key
		err    error
	)
	switch {
	case r.From != nil && len(r.From.Chain()) > 1:
		return r.From, nil, nil
	case r.From != nil:
		root = r.From
	case r.KeepRoot:
		current := s.generation(s.st.current)
		root, err = s.rootAuthority(current.root, r.RootKey, slices.DeleteFunc(slices.Clone(s.gens), func(g *generation) bool { return !g.shares(current) }))
	case r.RootKey.Dir != "":
		root, err = s.rootApart(number, r)
	default:
		root, inside, err = s.rootInside(number, r)
	}
	if err != nil {
		return nil, nil, err
	}
	issuer, err := root.Intermediate(s.issuerName(number), s.now, pki.WithKey(r.Policy.Key),
		pki.WithLifetime(r.Policy.IssuerLifetime), pki.WithConstraints(r.Policy.Constraints))
	return issuer, inside, err
}

func (s *session) newRoot(number int, p Policy) (*pki.Authority, error) {
	return pki.NewAuthority(s.rootName(number), s.now, pki.WithKey(p.Key), pki.WithLifetime(p.RootLifetime))
}

func (s *session) rootInside(number int, r Replacement) (*pki.Authority, pki.Key, error) {
	if r.RootKey.Passphrase.Empty() {
		return nil, nil, diag.New(diag.DepotRootKey, "there is nowhere to keep the root's key").
			WithFix("name a directory to take away, or give a passphrase to keep it encrypted in the depot")
	}
	root, err := s.newRoot(number, r.Policy)
	if err != nil {
		return nil, nil, err
	}
	key, err := root.KeyPEM().Encrypt(r.RootKey.Passphrase)
	return root, key, err
}

// rootApart makes the root in a directory outside of the depot, or uses the one
// that an interrupted command made there.
func (s *session) rootApart(number int, r Replacement) (*pki.Authority, error) {
	m, err := s.medium(r.RootKey.Dir)
	if err != nil {
		return nil, err
	}
	defer m.close()
	dir := fmt.Sprint(number)
	if m.exists(dir) {
		root, err := m.readRoot(dir, r.RootKey.Passphrase)
		if err == nil && (root.Name() != s.rootName(number) || !s.now.Before(root.NotAfter())) {
			err = diag.New(diag.DepotRootKey, "%s holds another root, %s", filepath.Join(r.RootKey.Dir, dir), root.Name()).
				WithFix("name a directory of this cluster's own, on the same medium if you like")
		}
		return root, err
	}
	root, err := s.newRoot(number, r.Policy)
	if err != nil {
		return nil, err
	}
	key := root.KeyPEM()
	if !r.RootKey.Passphrase.Empty() {
		if key, err = key.Encrypt(r.RootKey.Passphrase); err != nil {
			return nil, err
		}
	}
	return root, m.writeDir(dir, map[string][]byte{pki.AuthorityFile: root.PEM(), pki.AuthorityKeyFile: key})
}

// medium opens the directory where roots' keys are kept. Its own mode is not
// looked at, because it may be where a medium is mounted; those of the
// directories in it are.
func (s *session) medium(dir string) (*disk, error) {
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return nil, fmt.Errorf("%w: %w", diag.New(diag.DepotRootKey, "the directory for the root's key cannot be made"), err)
	}
	if inside, err := s.within(dir); err != nil || inside {
		return nil, errors.Join(err, diag.New(diag.DepotRootKey, "%s is in the depot, and the root's key is to be apart from it", dir))
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &disk{root: root, dirty: map[string]bool{}, step: s.step}, nil
}

func (s *session) within(dir string) (bool, error) {
	for at, err := filepath.EvalSymlinks(dir); ; at = filepath.Dir(at) {
		if err != nil {
			return false, err
		}
		if at, err = filepath.Abs(at); err != nil {
			return false, err
		}
		info, err := os.Stat(at)
		if err != nil {
			return false, err
		}
		own, err := s.root.Stat(".")
		if err != nil || os.SameFile(own, info) {
			return err == nil, err
		}
		if at == filepath.Dir(at) {
			return false, nil
		}
	}
}

// readRoot reads a root with its key.
func (d *disk) readRoot(dir string, passphrase secret.Secret) (*pki.Authority, error) {
	if err := d.checkDir(dir); err != nil {
		return nil, err
	}
	return d.readPair(filepath.Join(dir, pki.AuthorityFile), filepath.Join(dir, pki.AuthorityKeyFile), passphrase)
}

func (d *disk) readPair(certFile, keyFile string, passphrase secret.Secret) (*pki.Authority, error) {
	cert, err := d.read(certFile, readable)
	if err != nil {
		return nil, err
	}
	data, err := d.read(keyFile, fileMode)
	if err != nil {
		return nil, err
	}
	key := pki.Key(data)
	if key.Encrypted() {
		if key, err = key.Decrypt(passphrase); err != nil {
			return nil, err
		}
	}
	return pki.ParseAuthority(cert, key)
}

// rootAuthority finds the key of a root: in the directory that was named, below
// the number of a generation that has the root or as it is, or in the depot.
func (s *session) rootAuthority(root *x509.Certificate, at RootKey, gens []*generation) (*pki.Authority, error) {
	if at.Dir == "" {
		return s.rootFromInside(root, at, gens)
	}
	m, err := s.medium(at.Dir)
	if err != nil {
		return nil, err
	}
	defer m.close()
	var dirs []string
	for _, g := range gens {
		dirs = append(dirs, fmt.Sprint(g.number))
	}
	for _, dir := range append(dirs, ".") {
		if !m.exists(filepath.Join(dir, pki.AuthorityKeyFile)) {
			continue
		}
		a, err := m.readRoot(dir, at.Passphrase)
		if err != nil {
			return nil, err
		}
		if a.Root().Equal(root) {
			return a, nil
		}
	}
	return nil, diag.New(diag.DepotRootKey, "%s does not hold the key of %s", at.Dir, root.Subject.CommonName)
}

func (s *session) rootFromInside(root *x509.Certificate, at RootKey, gens []*generation) (*pki.Authority, error) {
	for _, g := range gens {
		if g.rootInside {
			return s.readPair(g.path(rootFile), g.path(rootKeyFile), at.Passphrase)
		}
	}
	return nil, diag.New(diag.DepotRootKey, "the key of %s is not in the depot", root.Subject.CommonName).
		WithFix("name the directory where it is kept")
}
