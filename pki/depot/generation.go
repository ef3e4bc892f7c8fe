package depot

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/pki"
)

// A generation is a root, the issuer under it, and what the issuer did. One
// that is requested has only a key yet.
type generation struct {
	number   int
	root     *x509.Certificate
	chain    []*x509.Certificate // the issuer first, the root left out
	list     *list
	register []entry
	bySerial map[string]int // into register

	rootInside bool
	hasKey     bool
	authority  *pki.Authority // read when it is needed: see [session.authority]
}

func generationDir(number int) string { return path.Join(generationsDir, strconv.Itoa(number)) }

func (g *generation) path(file string) string { return path.Join(generationDir(g.number), file) }

// signed reports whether the generation has an issuer.
func (g *generation) signed() bool { return len(g.chain) > 0 }

func (g *generation) entry(serial string) (entry, bool) {
	i, ok := g.bySerial[serial]
	if !ok {
		return entry{}, false
	}
	return g.register[i], true
}

func (g *generation) remember(all []entry) {
	g.register = all
	g.bySerial = make(map[string]int, len(all))
	for i, e := range all {
		g.bySerial[e.serial] = i
	}
}

// shares reports whether another generation has the same root.
func (g *generation) shares(other *generation) bool {
	return g.root != nil && other.root != nil && g.root.Equal(other.root)
}

// readGeneration reads a generation's certificates, list and register, and
// looks whether its keys are there.
func (d *disk) readGeneration(number int) (*generation, error) {
	g := &generation{number: number}
	if err := d.checkDir(generationDir(number)); err != nil {
		return nil, err
	}
	g.hasKey, g.rootInside = d.exists(g.path(issuerKeyFile)), d.exists(g.path(rootKeyFile))
	if !d.exists(g.path(issuerFile)) && d.exists(g.path(requestFile)) {
		return g, nil
	}
	root, err := d.readCertificates(g.path(rootFile))
	if err != nil {
		return nil, err
	}
	if g.root = root[0]; len(root) != 1 || g.root.CheckSignatureFrom(g.root) != nil {
		return nil, diag.New(diag.DepotDamaged, "%s is not one root", g.path(rootFile))
	}
	if g.chain, err = d.readCertificates(g.path(issuerFile)); err != nil {
		return nil, err
	}
	for i, below := range g.chain {
		if err := below.CheckSignatureFrom(slices.Concat(g.chain, root)[i+1]); err != nil {
			return nil, diag.New(diag.DepotDamaged, "%s is not a chain up to the root: %v", g.path(issuerFile), err)
		}
	}
	return g, d.readRecords(g)
}

func (d *disk) readRecords(g *generation) error {
	data, err := d.read(g.path(listFile), readable)
	if err != nil {
		return err
	}
	if g.list, err = parseList(g.path(listFile), data, g.chain[0]); err != nil {
		return err
	}
	if data, err = d.read(g.path(registerFile), readable); err != nil {
		return err
	}
	all, err := parseRegister(g.path(registerFile), data)
	g.remember(all)
	return err
}

// readCertificates reads a file of certificates and nothing else.
func (d *disk) readCertificates(name string) ([]*x509.Certificate, error) {
	data, err := d.read(name, readable)
	if err != nil {
		return nil, err
	}
	certs, err := parseCertificates(data)
	if err != nil {
		return nil, diag.New(diag.DepotDamaged, "%s: %v", name, err)
	}
	return certs, nil
}

func parseCertificates(data []byte) ([]*x509.Certificate, error) {
	var certs []*x509.Certificate
	for rest := data; len(bytes.TrimSpace(rest)) > 0; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil || block.Type != "CERTIFICATE" {
			return nil, errors.New("it holds something besides certificates")
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		certs = append(certs, cert)
	}
	if len(certs) == 0 {
		return nil, errors.New("it holds no certificate")
	}
	return certs, nil
}

func encodeCertificates(certs ...*x509.Certificate) []byte {
	var out []byte
	for _, cert := range certs {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})...)
	}
	return out
}

// writeGeneration makes a generation of an issuer. It appears whole.
func (d *disk) writeGeneration(number int, issuer *pki.Authority, rootKey pki.Key, now time.Time) error {
	list, err := signList(issuer, 1, nil, now, now.Add(listLife))
	if err != nil {
		return err
	}
	chain := issuer.Chain()
	files := map[string][]byte{
		rootFile:      encodeCertificates(issuer.Root()),
		issuerFile:    encodeCertificates(chain[:len(chain)-1]...),
		issuerKeyFile: issuer.KeyPEM(),
		listFile:      list.pem,
		registerFile:  []byte(registerHead),
	}
	if rootKey != nil {
		files[rootKeyFile] = rootKey
	}
	return d.writeDir(generationDir(number), files)
}

// writeDir makes a directory with its files appear at once.
func (d *disk) writeDir(dir string, files map[string][]byte) error {
	tmp := fresh(dir)
	if err := d.remove(tmp); err != nil {
		return err
	}
	if parent := path.Dir(dir); parent != "." {
		if err := d.mkdir(parent); err != nil {
			return err
		}
	}
	if err := d.writeFiles(tmp, files); err != nil {
		return err
	}
	return d.publish(tmp, dir)
}

func (d *disk) writeFiles(dir string, files map[string][]byte) error {
	if err := d.mkdir(dir); err != nil {
		return err
	}
	at, err := d.in(dir)
	if err != nil {
		return err
	}
	defer at.close()
	for name, data := range files {
		if err := at.create(name, data); err != nil {
			return err
		}
	}
	return nil
}

// authority returns a generation's issuer with its key.
func (d *disk) authority(g *generation) (*pki.Authority, error) {
	if g.authority != nil {
		return g.authority, nil
	}
	if !g.signed() {
		return nil, diag.New(diag.DepotPending, "the issuer of generation %d is not signed yet", g.number)
	}
	key, err := d.read(g.path(issuerKeyFile), fileMode)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, diag.New(diag.DepotDamaged, "%s is missing", g.path(issuerKeyFile))
	}
	if err != nil {
		return nil, err
	}
	a, err := pki.ParseAuthority(encodeCertificates(slices.Concat(g.chain, []*x509.Certificate{g.root})...), key)
	if err != nil {
		return nil, fmt.Errorf("generation %d: %w", g.number, err)
	}
	g.authority = a
	return a, nil
}
