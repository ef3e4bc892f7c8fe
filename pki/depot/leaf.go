package depot

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"path"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/pki"
)

const (
	dataLink   = "..data" // points to the version that readers see
	listBeside = "ca.crl"
)

// leafFiles are what a leaf's directory has to offer, as links into ..data.
var leafFiles = []string{pki.CertificateFile, pki.KeyFile, pki.AuthorityFile, listBeside}

var versionName = regexp.MustCompile(`^\.\.[1-9][0-9]{0,8}$`)

// A leaf is what lies in a directory below issued.
type leaf struct {
	ID
	version string // the directory that ..data points to
	files   map[string][]byte
	cert    *x509.Certificate
	gen     *generation
	entry   entry
	revoked *pki.Revoked // nil if it is not on the list
}

func leafDir(id ID) string { return path.Join(issuedDir, string(id.Kind), id.Name) }

// outside reports whether the key is with the leaf's owner.
func (l *leaf) outside() bool { return l.files[pki.KeyFile] == nil }

// live reports whether somebody may be relying on the leaf.
func (l *leaf) live(now time.Time) bool {
	return now.Before(l.cert.NotAfter) && (l.revoked == nil || l.held())
}

// held reports whether the leaf is on hold, and may become good again.
func (l *leaf) held() bool { return l.revoked != nil && Reason(l.revoked.Reason) == Hold }

// ceased reports whether the leaf was revoked because its holder is gone.
func (l *leaf) ceased() bool { return l.revoked != nil && Reason(l.revoked.Reason) == Ceased }

// request is what the leaf was made from.
func (l *leaf) request() pki.Request {
	req := pki.Request{
		CommonName: l.cert.Subject.CommonName,
		Usage:      usage(l.cert),
		DNSNames:   l.cert.DNSNames,
		Key:        keyType(l.cert.PublicKey),
		Lifetime:   l.entry.lifetime,
	}
	for _, ip := range l.cert.IPAddresses {
		addr, _ := netip.AddrFromSlice(ip) // 4 or 16 bytes, or it would not have been parsed
		req.IPs = append(req.IPs, addr.Unmap())
	}
	if req.Usage == pki.Client && pki.Aliased(req.CommonName, req.DNSNames) {
		req.DNSNames = nil // the issuer added it, and the next one may add another
	}
	return req
}

// names are the host names and addresses of the leaf.
func names(req pki.Request) []string {
	all := slices.Clone(req.DNSNames)
	for _, ip := range req.IPs {
		all = append(all, ip.String())
	}
	slices.Sort(all)
	return all
}

func usage(cert *x509.Certificate) pki.Usage {
	client := slices.Contains(cert.ExtKeyUsage, x509.ExtKeyUsageClientAuth)
	server := slices.Contains(cert.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
	switch {
	case client && server:
		return pki.Peer
	case server:
		return pki.Server
	}
	return pki.Client
}

func keyType(public crypto.PublicKey) pki.KeyType {
	switch key := public.(type) {
	case *ecdsa.PublicKey:
		return pki.KeyType(fmt.Sprintf("ecdsa-p%d", key.Curve.Params().BitSize))
	case *rsa.PublicKey:
		return pki.KeyType(fmt.Sprintf("rsa-%d", key.N.BitLen()))
	}
	return ""
}

// readLeaf reads a leaf's directory. It is nil if nothing has appeared in it yet.
func (d *disk) readLeaf(id ID, gens []*generation) (*leaf, error) {
	dir := leafDir(id)
	version, err := d.version(dir)
	if version == "" || err != nil {
		return nil, err
	}
	l := &leaf{ID: id, version: version, files: map[string][]byte{}}
	if err := d.checkDir(path.Join(dir, version)); err != nil {
		return nil, err
	}
	for _, name := range leafFiles {
		widest := readable
		if name == pki.KeyFile {
			widest = fileMode
		}
		data, err := d.read(path.Join(dir, version, name), widest)
		if err == nil {
			l.files[name] = data
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	if err := l.interpret(gens); err != nil {
		return nil, diag.New(diag.DepotDamaged, "%s: %v", dir, err).
			WithFix("remove the directory and run slipway pki issue, or bring it back from a backup")
	}
	return l, nil
}

// copied is what to do about a leaf whose links were lost on the way.
const copied = "copy the PKI with its links (cp -a, tar); %s can be removed instead: slipway pki issue makes it again"

// version returns where ..data points, empty if it is not there.
func (d *disk) version(dir string) (string, error) {
	if err := d.checkDir(dir); err != nil {
		return "", err
	}
	for _, name := range leafFiles {
		target, err := d.root.Readlink(path.Join(dir, name))
		if d.exists(path.Join(dir, name)) && (err != nil || target != path.Join(dataLink, name)) {
			return "", diag.New(diag.PKILink, "%s is not a link to %s", path.Join(dir, name), path.Join(dataLink, name)).WithFix(copied, dir)
		}
	}
	target, err := d.root.Readlink(path.Join(dir, dataLink))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil || !versionName.MatchString(target) {
		return "", diag.New(diag.PKILink, "%s is not a link to a version beside it", path.Join(dir, dataLink)).WithFix(copied, dir)
	}
	return target, nil
}

// interpret finds out what the files are: whose leaf, of which generation.
func (l *leaf) interpret(gens []*generation) error {
	chain, err := parseCertificates(l.files[pki.CertificateFile])
	if err != nil {
		return fmt.Errorf("%s: %w", pki.CertificateFile, err)
	}
	l.cert = chain[0]
	if !l.outside() {
		if _, err := tls.X509KeyPair(l.files[pki.CertificateFile], l.files[pki.KeyFile]); err != nil {
			return fmt.Errorf("%s and %s are no pair", pki.CertificateFile, pki.KeyFile) // the cause could quote the key
		}
	}
	for _, g := range gens {
		if !g.signed() || len(chain) < 2 || !chain[1].Equal(g.chain[0]) {
			continue
		}
		e, known := g.entry(hexSerial(l.cert.SerialNumber))
		if !known || e.subject != l.ID.String() {
			return fmt.Errorf("generation %d has not issued this to %s", g.number, l.ID)
		}
		l.gen, l.entry = g, e
		if i := g.list.find(e.serial); i >= 0 {
			l.revoked = &g.list.lines[i]
		}
		return nil
	}
	return errors.New("no generation of this depot has issued it")
}

// stage writes a leaf's next version, for [disk.swap] to show.
func (d *disk) stage(id ID, files map[string][]byte) error {
	dir := leafDir(id)
	for _, parent := range []string{issuedDir, path.Dir(dir), dir} {
		if err := d.mkdir(parent); err != nil {
			return err
		}
	}
	at, err := d.in(dir)
	if err != nil {
		return err
	}
	defer at.close()
	version, err := at.nextVersion()
	if err != nil {
		return err
	}
	if err := at.writeFiles(version, files); err != nil {
		return err
	}
	for _, name := range leafFiles {
		if files[name] == nil || at.exists(name) {
			continue
		}
		if err := at.symlink(path.Join(dataLink, name), name); err != nil {
			return err
		}
	}
	return at.symlink(version, dataLink+".new")
}

// swap shows what was staged: all of its files at once.
func (d *disk) swap(id ID, files map[string][]byte) error {
	dir := leafDir(id)
	if err := d.rename(path.Join(dir, dataLink+".new"), path.Join(dir, dataLink)); err != nil {
		return err
	}
	for _, name := range leafFiles {
		if files[name] == nil {
			if err := d.remove(path.Join(dir, name)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *disk) nextVersion() (string, error) {
	all, err := d.names(".")
	highest := 0
	for _, name := range all {
		if versionName.MatchString(name) {
			n, _ := strconv.Atoi(name[2:]) // digits, as the pattern says
			highest = max(highest, n)
		}
	}
	return ".." + strconv.Itoa(highest+1), err
}

// sweepLeaf removes the versions that nobody is shown any more, and the whole
// directory if nothing was shown yet. The version before the present one stays
// until then: a reader that found it may still be reading. What is not the
// depot's own is left alone.
func (d *disk) sweepLeaf(id ID) error {
	dir := leafDir(id)
	version, err := d.version(dir)
	if err != nil {
		return err
	}
	all, err := d.names(dir)
	if err != nil {
		return err
	}
	for _, name := range all {
		if name == dataLink+".new" || versionName.MatchString(name) && name != version {
			if err := d.remove(path.Join(dir, name)); err != nil {
				return err
			}
		}
	}
	if err := d.sweepLinks(dir, version); err != nil || version != "" {
		return err
	}
	return d.rmdir(dir)
}

// sweepLinks removes the links to what the version does not have; without a
// version, all.
func (d *disk) sweepLinks(dir, version string) error {
	for _, name := range leafFiles {
		if version == "" || !d.exists(path.Join(dir, version, name)) {
			if err := d.remove(path.Join(dir, name)); err != nil {
				return err
			}
		}
	}
	return nil
}
