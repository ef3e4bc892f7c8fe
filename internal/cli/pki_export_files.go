package cli

import (
	"bytes"
	"crypto/x509"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/cli/view"
	"github.com/slipway-go/slipway/internal/secret"
	"github.com/slipway-go/slipway/pki"
	"github.com/slipway-go/slipway/pki/keystore"
)

// readPair reads tls.crt, tls.key and ca.crt, all of one version where a link
// called ..data swaps them.
func (a *app) readPair(dir string) (keystore.Entry, []*x509.Certificate, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return keystore.Entry{}, nil, sourceProblem(dir, err)
	}
	defer root.Close()
	if version, err := root.OpenRoot("..data"); err == nil {
		defer version.Close()
		root = version
	}
	texts := map[string][]byte{}
	for _, name := range []string{pki.CertificateFile, pki.KeyFile, pki.AuthorityFile} {
		if texts[name], err = a.readSource(root, dir, name); err != nil {
			return keystore.Entry{}, nil, err
		}
	}
	own, err := keystore.Read(slices.Concat(texts[pki.KeyFile], []byte("\n"), texts[pki.CertificateFile]), secret.Secret{})
	if err != nil {
		return keystore.Entry{}, nil, inFiles(dir, pki.KeyFile+" and "+pki.CertificateFile, err)
	}
	trust, err := keystore.Read(texts[pki.AuthorityFile], secret.Secret{})
	if err == nil && len(trust.Roots) == 0 {
		err = diag.New(diag.KeystoreSource, "it holds a key, where what to trust belongs")
	}
	return own.Entry, trust.Roots, inFiles(dir, pki.AuthorityFile, err)
}

func (a *app) readSource(root *os.Root, dir, name string) ([]byte, error) {
	f, err := root.Open(name)
	if err != nil {
		return nil, sourceProblem(filepath.Join(dir, name), err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is no regular file")
	}
	if err != nil {
		return nil, sourceProblem(filepath.Join(dir, name), err)
	}
	if name == pki.KeyFile && info.Mode().Perm()&0o077 != 0 {
		a.warn(diag.List{diag.Warn(diag.PKILoose, "others can read %s: its mode is %04o", filepath.Join(dir, name), info.Mode().Perm())})
	}
	text, err := io.ReadAll(io.LimitReader(f, keystore.MaxSize+1))
	if err != nil {
		return nil, sourceProblem(filepath.Join(dir, name), err)
	}
	return text, nil
}

func sourceProblem(path string, err error) error {
	if known, ok := errors.AsType[*fs.PathError](err); ok {
		err = known.Err
	}
	d := diag.New(diag.KeystoreSource, "read %s: %v", path, err)
	if errors.Is(err, fs.ErrPermission) {
		return d.WithFix("run the command as the owner of the file")
	}
	return d
}

// inFiles says in which file a problem is.
func inFiles(dir, names string, err error) error {
	var told diag.List
	for _, d := range diag.Of(err) {
		told.Add(d.WithEvidence("in %s of %s", names, dir))
	}
	return told.Err()
}

// An export is a certificate on its way into files of another format.
type export struct {
	format keystore.Format
	entry  keystore.Entry
	roots  []*x509.Certificate
	dir    string
	force  bool

	root  *os.Root
	files []view.KeystoreFile
}

func (e *export) file(name string) string { return filepath.Join(e.dir, e.format.File(name)) }

// write puts the password there first, because nothing can be read without it,
// then what to trust, and the key last. Whatever stands in the way is found before
// the first file is written.
func (e *export) write(args pkiExportArgs) error {
	if err := os.MkdirAll(e.dir, 0o700); err != nil {
		return exportProblem(err)
	}
	root, err := os.OpenRoot(e.dir)
	if err != nil {
		return exportProblem(err)
	}
	defer root.Close()
	e.root = root
	password, made, err := e.password(args)
	if err != nil {
		return err
	}
	trust, err := keystore.Truststore(e.format, e.roots, password)
	if err != nil {
		return err
	}
	store, err := keystore.Keystore(e.format, e.entry, password)
	if err != nil {
		return err
	}
	writes := []*fileWrite{{name: e.format.File("truststore"), data: trust}, {name: e.format.File("keystore"), data: store}}
	if made {
		writes = slices.Insert(writes, 0, &fileWrite{name: keystore.PasswordFile, data: []byte(password.Reveal())})
	}
	if err := e.compare(writes, password); err != nil {
		return err
	}
	for _, w := range writes {
		if err := e.put(w); err != nil {
			return err
		}
	}
	return nil
}

type fileWrite struct {
	name string
	data []byte
	kept bool // the file holds the same already
}

// compare keeps what holds the same already, and refuses to lose what does not.
func (e *export) compare(writes []*fileWrite, password secret.Secret) error {
	var taken diag.List
	for _, w := range writes {
		known, err := e.root.ReadFile(w.name)
		if notThere(err) {
			continue
		}
		if w.kept = err == nil && same(known, w.data, password); !w.kept && !e.force {
			taken.Add(diag.New(diag.CommandOverwrite, "%s holds something else", filepath.Join(e.dir, w.name)).
				WithFix("name another directory with --out, or write over it with --force"))
		}
	}
	return taken.Err()
}

// same compares what files hold: their salts differ every time.
func same(known, fresh []byte, password secret.Secret) bool {
	if bytes.Equal(known, fresh) {
		return true
	}
	a, err := keystore.Read(known, password)
	if err != nil {
		return false
	}
	b, err := keystore.Read(fresh, password)
	return err == nil && a.Equal(b)
}

// password returns what was given, or what an earlier export has made, or a new
// one that is yet to be written.
func (e *export) password(args pkiExportArgs) (password secret.Secret, made bool, err error) {
	if !e.format.Sealed() {
		return secret.Secret{}, false, nil
	}
	known, err := e.knownPassword()
	if err != nil {
		return secret.Secret{}, false, err
	}
	if args.passwordFile == "" {
		if known.Empty() {
			return secret.Generate(), true, nil
		}
		return known, false, nil
	}
	if password, err = args.password(); err != nil {
		return secret.Secret{}, false, err
	}
	if !known.Empty() && !known.Equal(password) {
		return secret.Secret{}, false, diag.New(diag.CommandOverwrite, "%s holds another password than --password-file gives", filepath.Join(e.dir, keystore.PasswordFile)).
			WithFix("remove that file, or leave --password-file out to use what is in it")
	}
	return password, false, nil
}

func (e *export) knownPassword() (secret.Secret, error) {
	info, err := e.root.Lstat(keystore.PasswordFile)
	if notThere(err) {
		return secret.Secret{}, nil
	}
	if err != nil {
		return secret.Secret{}, exportProblem(err)
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0 || info.Size() == 0 || info.Size() > maxSecret {
		return secret.Secret{}, diag.New(diag.KeystorePassword, "%s is open to others, or does not hold a password", filepath.Join(e.dir, keystore.PasswordFile)).
			WithFix("remove it, and have another password made")
	}
	text, err := e.root.ReadFile(keystore.PasswordFile)
	if err != nil {
		return secret.Secret{}, exportProblem(err)
	}
	return secret.New(string(text)), nil
}

// put makes a file appear whole or not at all, and stay.
func (e *export) put(w *fileWrite) error {
	e.files = append(e.files, view.KeystoreFile{Path: filepath.Join(e.dir, w.name), Kept: w.kept})
	if w.kept {
		return nil
	}
	fresh := "." + w.name + ".new"
	if err := e.root.Remove(fresh); err != nil && !notThere(err) {
		return exportProblem(err)
	}
	f, err := e.root.OpenFile(fresh, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return exportProblem(err)
	}
	_, err = f.Write(w.data)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return exportProblem(errors.Join(err, e.root.Remove(fresh))) // it holds a part of a key
	}
	if err := e.root.Rename(fresh, w.name); err != nil {
		return exportProblem(err)
	}
	dir, err := e.root.Open(".")
	if err != nil {
		return exportProblem(err)
	}
	defer dir.Close()
	if err := dir.Sync(); err != nil {
		return exportProblem(err)
	}
	return nil
}

func exportProblem(err error) error {
	return diag.New(diag.CommandFailed, "write keystore: %v", err)
}
