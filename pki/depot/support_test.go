package depot_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io/fs"
	"math/big"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slipway-go/slipway/pki"
	"github.com/slipway-go/slipway/pki/depot"
)

// epoch is when the tests' time begins.
var epoch = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)

// A clock is moved by the test.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: epoch} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// A place is a depot with what belongs to it.
type place struct {
	*depot.Depot
	dir, roots string
	clock      *clock
	step       func(op, path string)
}

func newPlace(tb testing.TB) place {
	tb.Helper()
	p := place{dir: filepath.Join(tb.TempDir(), "pki"), roots: filepath.Join(tb.TempDir(), "roots"), clock: newClock()}
	d, err := depot.Init(p.dir, p.config())
	if err != nil {
		tb.Fatal(err)
	}
	p.Depot = d
	return p
}

func (p place) config() depot.Config {
	return depot.Config{Cluster: "kafka-test", Clock: p.clock.Now, RootKey: depot.RootKey{Dir: p.roots}}
}

func (p place) replacement() depot.Replacement {
	return depot.Replacement{RootKey: depot.RootKey{Dir: p.roots}}
}

func client(name string) depot.Want {
	return depot.Want{ID: depot.ID{Kind: depot.Client, Name: name}, Request: pki.Request{CommonName: name, Usage: pki.Client}}
}

func broker(name string) depot.Want {
	return depot.Want{ID: depot.ID{Kind: depot.Broker, Name: name}, Request: pki.Request{
		CommonName: name, Usage: pki.Peer, DNSNames: []string{name + ".test", "kafka.test"}, IPs: []netip.Addr{netip.MustParseAddr("10.0.0.4")},
	}}
}

func issue(tb testing.TB, d *depot.Depot, wants ...depot.Want) []depot.Change {
	tb.Helper()
	changes, err := d.Issue(tb.Context(), wants)
	if err != nil {
		tb.Fatal(err)
	}
	return changes
}

// actions writes changes down as one would tell them.
func actions(changes []depot.Change) string {
	var all []string
	for _, c := range changes {
		text := fmt.Sprintf("%s %s", c.Action, c.ID)
		if c.Reason != "" {
			text += " (" + c.Reason + ")"
		}
		all = append(all, text)
	}
	return strings.Join(all, "; ")
}

// A holder is a leaf as its holder finds it: through the links.
type holder struct {
	cert  *x509.Certificate
	roots []*x509.Certificate
	lists []*x509.RevocationList
	key   bool
}

// hold reads a leaf's directory as a service does.
func hold(dir string) (holder, error) {
	var h holder
	read := func(name string) []byte {
		data, _ := os.ReadFile(filepath.Join(dir, name))
		return data
	}
	chain, key := read("tls.crt"), read("tls.key")
	if h.key = key != nil; h.key {
		if _, err := tls.X509KeyPair(chain, key); err != nil {
			return h, fmt.Errorf("%s: %w", dir, err)
		}
	}
	certs, err := certificates(chain)
	if err != nil {
		return h, fmt.Errorf("%s: %w", dir, err)
	}
	h.cert = certs[0]
	if h.roots, err = certificates(read("ca.crt")); err != nil {
		return h, fmt.Errorf("%s: %w", dir, err)
	}
	if h.lists, err = lists(read("ca.crl")); err != nil {
		return h, fmt.Errorf("%s: %w", dir, err)
	}
	return h, verify(dir, certs, h.roots)
}

func lists(data []byte) ([]*x509.RevocationList, error) {
	var all []*x509.RevocationList
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		list, err := x509.ParseRevocationList(block.Bytes)
		if err != nil {
			return nil, err
		}
		all = append(all, list)
	}
	return all, nil
}

// listsOf are the lists of all generations of a depot.
func listsOf(dir string) []*x509.RevocationList {
	var all []*x509.RevocationList
	files, _ := filepath.Glob(filepath.Join(dir, "generations", "*", "ca.crl"))
	for _, name := range files {
		data, _ := os.ReadFile(name)
		found, _ := lists(data)
		all = append(all, found...)
	}
	return all
}

func (h holder) on(lists []*x509.RevocationList) bool {
	for _, list := range lists {
		for _, e := range list.RevokedCertificateEntries {
			if bytes.Equal(list.RawIssuer, h.cert.RawIssuer) && e.SerialNumber.Cmp(h.cert.SerialNumber) == 0 {
				return true
			}
		}
	}
	return false
}

func (h holder) serial() string { return hex.EncodeToString(h.cert.SerialNumber.Bytes()) }

// verify holds a chain against roots, at the leaf's own time.
func verify(what string, chain, roots []*x509.Certificate) error {
	pool, between := x509.NewCertPool(), x509.NewCertPool()
	for _, r := range roots {
		pool.AddCert(r)
	}
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{
		Roots: pool, Intermediates: between, CurrentTime: chain[0].NotAfter.Add(-time.Second),
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

func certificates(data []byte) ([]*x509.Certificate, error) {
	var certs []*x509.Certificate
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		certs = append(certs, cert)
	}
	if len(certs) == 0 {
		return nil, fmt.Errorf("no certificate in %d bytes", len(data))
	}
	return certs, nil
}

// leafDirs are the directories of all leaves that have appeared.
func leafDirs(dir string) []string {
	found, _ := filepath.Glob(filepath.Join(dir, "issued", "*", "*", "..data"))
	for i, name := range found {
		found[i] = filepath.Dir(name)
	}
	return found
}

// sound says what is wrong with a depot's files at any time, also between the
// steps of a command: a pair that is none, a leaf that is neither revoked nor
// accepted by the roots beside it and by trust.crt, modes that let others in.
func sound(dir string, now time.Time) error {
	if err := closed(dir); err != nil {
		return err
	}
	trust, _ := os.ReadFile(filepath.Join(dir, "trust.crt"))
	if trust == nil && len(leafDirs(dir)) == 0 {
		return nil // nobody relies on anything yet
	}
	roots, err := certificates(trust)
	if err != nil {
		return err
	}
	for _, leaf := range leafDirs(dir) {
		h, err := hold(leaf)
		if h.cert != nil && (h.on(listsOf(dir)) || !now.Before(h.cert.NotAfter)) {
			continue
		}
		if err != nil {
			return err
		}
		chain, _ := os.ReadFile(filepath.Join(leaf, "tls.crt"))
		certs, err := certificates(chain)
		if err != nil {
			return err
		}
		if err := verify(leaf+" by trust.crt", certs, roots); err != nil {
			return err
		}
	}
	return nil
}

// closed says what below a directory is open to others.
func closed(dir string) error {
	return filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		switch {
		case err != nil:
			return err
		case info.Mode()&fs.ModeSymlink != 0:
			return nil
		case info.IsDir() && info.Mode().Perm() != 0o700, !info.IsDir() && info.Mode().Perm() != 0o600:
			return fmt.Errorf("%s has mode %04o", name, info.Mode().Perm())
		}
		return nil
	})
}

// litter lists what a command that came to its end has no business to leave:
// temporary names, and more versions than a command makes: it may settle twice.
func litter(dir string) []string {
	var all []string
	filepath.WalkDir(dir, func(name string, _ fs.DirEntry, _ error) error {
		if strings.HasSuffix(name, ".new") {
			all = append(all, name)
		}
		return nil
	})
	for _, leaf := range leafDirs(dir) {
		versions, _ := filepath.Glob(filepath.Join(leaf, "..[0-9]*"))
		if len(versions) > 3 {
			all = append(all, versions...)
		}
	}
	return all
}

// snapshot is every file below a directory with its content, apart from the
// versions that nobody is shown.
func snapshot(tb testing.TB, dir string) map[string]string {
	tb.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, name)
		switch {
		case entry.Type()&fs.ModeSymlink != 0:
			all[rel], err = os.Readlink(name)
		case entry.IsDir() && strings.HasPrefix(entry.Name(), ".."):
			shown, _ := os.Readlink(filepath.Join(filepath.Dir(name), "..data"))
			if shown != entry.Name() {
				return fs.SkipDir
			}
		case entry.Type().IsRegular() && entry.Name() != "lock":
			var data []byte
			data, err = os.ReadFile(name)
			all[rel] = string(data)
		}
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return all
}

// differing lists the files that two snapshots do not agree about. Their
// contents are keys.
func differing(before, after map[string]string) []string {
	var all []string
	for name := range before {
		if after[name] != before[name] {
			all = append(all, name)
		}
	}
	for name := range after {
		if _, there := before[name]; !there {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

// An org is an organisation's own authority: a root that signs issuers.
type org struct {
	cert *x509.Certificate
	key  crypto.Signer
}

func organisation(tb testing.TB, now time.Time) org {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	template := authority("Example Corp root", now, 2)
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		tb.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		tb.Fatal(err)
	}
	return org{cert, key}
}

// sign makes an issuer of a signing request and returns it with its root.
func (o org) sign(tb testing.TB, csr []byte) []byte {
	tb.Helper()
	block, _ := pem.Decode(csr)
	req, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		tb.Fatal(err)
	}
	template := authority(req.Subject.CommonName, o.cert.NotBefore, 0)
	der, err := x509.CreateCertificate(rand.Reader, template, o.cert, req.PublicKey, o.key)
	if err != nil {
		tb.Fatal(err)
	}
	var out []byte
	for _, raw := range [][]byte{der, o.cert.Raw} {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw})...)
	}
	return out
}

func authority(name string, from time.Time, below int) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(from.UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: from.Add(-time.Minute), NotAfter: from.AddDate(5, 0, 0),
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, BasicConstraintsValid: true, IsCA: true,
		MaxPathLen: below, MaxPathLenZero: below == 0,
	}
}
