package secure

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// A FilesConfig names the files that [Files] follows.
type FilesConfig struct {
	// CA is the PEM bundle of the authorities to trust. Text between the
	// certificates is allowed.
	CA string

	// Cert and Key are the own certificate with its chain, and its private key,
	// in PEM. Both, or neither for a side that shows no certificate.
	Cert, Key string

	// CRL is the file of revocation lists. It need not exist.
	//
	// Defaults to ca.crl in the directory of CA.
	CRL string

	// Logger is told of changes and faults.
	//
	// Defaults to slog.Default().
	Logger *slog.Logger
}

// Files are the authorities, the own certificate and the revocation lists of a
// process, as the files that hold them are now. It is safe for concurrent use,
// has no goroutine and need not be closed: the files are looked at when somebody
// asks, which costs a stat for each and a readlink for their directory.
//
// The three are judged apart. What cannot be used changes nothing: the one before
// stays, whoever asks gets that one, and the fault is logged and counted once
// for each change of the files. A certificate that is not valid yet is taken when
// it becomes so.
type Files struct {
	cfg  FilesConfig
	ages ages

	mu      sync.Mutex
	marks   []mark // of the files when they were read
	settled bool   // the marks tell a change
	roots   kept[authorities]
	pair    keptPair
	denied  kept[*Denylist]
	changes func() // see OnChange
	refused int64  // changes that were not taken
	told    told
}

// NewFiles reads the files. It fails with a [Fault] if the authorities or the certificate cannot
// be used, or revocation lists that are there: there is nothing before to keep.
func NewFiles(cfg FilesConfig) (*Files, error) {
	cfg.CRL = cmp.Or(cfg.CRL, filepath.Join(filepath.Dir(cfg.CA), "ca.crl"))
	cfg.Logger = cmp.Or(cfg.Logger, slog.Default())
	if (cfg.Cert == "") != (cfg.Key == "") {
		return nil, errors.New("a certificate needs its key, and a key its certificate")
	}
	f := &Files{cfg: cfg}
	f.look(time.Now())
	if faults := f.faults(); len(faults) > 0 {
		return nil, faults[0]
	}
	return f, nil
}

// Format names the files, whatever the verb: the key is nobody's business.
func (f *Files) Format(s fmt.State, _ rune) { fmt.Fprintf(s, "files beside %s", f.cfg.CA) }

// OnChange has a function called after something else than before is in use, from
// whoever noticed it. It must not block. It is set before the files are shared.
func (f *Files) OnChange(changed func()) { f.changes = changed }

// Material is what a listener uses now: a [Source] for [Server].
func (f *Files) Material() (Material, error) {
	now := f.now()
	m := Material{Roots: now.roots.pool, Denied: now.denied.Verify}
	if now.pair.cert != nil {
		m.Certificate = now.pair.cert
	}
	return m, nil
}

// Client returns the configuration of a client that talks to a server of that
// name, as the files are now. It is for one connection: kept, it goes stale. It
// resumes no sessions, which would show the certificate of an earlier time.
func (f *Files) Client(serverName string) *tls.Config { return f.now().client(serverName) }

// A moment is what one handshake uses.
type moment struct {
	roots  authorities
	pair   pair
	denied *Denylist
}

func (m moment) client(serverName string) *tls.Config {
	cfg := Client(m.roots.pool)
	cfg.ServerName = serverName
	cfg.VerifyConnection = m.denied.Verify
	if m.pair.cert != nil {
		// It is shown whatever authorities the server names: what is wrong with it
		// is then said of it, and not that there is none.
		cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return m.pair.cert, nil }
	}
	return cfg
}

// now looks at the files and returns what to use.
func (f *Files) now() moment {
	f.mu.Lock()
	changed := f.look(time.Now())
	m := moment{roots: f.roots.value, pair: f.pair.value, denied: f.denied.value}
	f.mu.Unlock()
	if changed && f.changes != nil {
		f.changes()
	}
	return m
}

// look reads the files if they have changed, and reports whether something else
// is in use since. The lock is held.
func (f *Files) look(now time.Time) (changed bool) {
	if marks, settled := f.cfg.marks(now); !f.settled || !same(marks, f.marks) {
		f.marks, f.settled = marks, settled
		f.offer(f.cfg.read())
	}
	f.pair.judge(now)
	changed = f.roots.take(now) || changed
	changed = f.pair.take(now) || changed
	changed = f.denied.take(now) || changed
	f.tell(now)
	return changed
}

// offer parses what is new. The lock is held.
func (f *Files) offer(got contents) {
	if f.roots.offer(got.ca) {
		f.roots.parsed(parseAuthorities(got.ca))
	}
	if f.cfg.Cert != "" && f.pair.offer(got.cert, got.key) {
		f.pair.parsed(parsePair(got.cert, got.key))
	}
	if f.denied.offer(got.crl) {
		f.denied.parsed(f.parseDenylist(got.crl))
	}
}

// parseDenylist takes a list that is not there for none, unless there was one:
// what is denied is not allowed again by a file that is gone.
func (f *Files) parseDenylist(crl content) (*Denylist, error) {
	if !f.denied.has && errors.Is(crl.err, fs.ErrNotExist) {
		return nil, nil
	}
	if crl.err != nil {
		return nil, crl.err
	}
	issuers := slices.Clone(f.roots.latest().certs)
	if p := f.pair.latest(); p.cert != nil {
		issuers = append(issuers, p.chain[1:]...)
	}
	d, err := ParseDenylist(crl.data, issuers)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", crl.file, err)
	}
	if err := d.newer(f.denied.value); err != nil {
		return nil, fmt.Errorf("%s: %w", crl.file, err)
	}
	return d.after(f.denied.value), nil
}
