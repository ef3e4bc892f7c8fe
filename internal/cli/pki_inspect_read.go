package cli

import (
	"bytes"
	"crypto"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/secret"
	"github.com/slipway-go/slipway/pki/inspect"
	"github.com/slipway-go/slipway/pki/keystore"
)

// What the depot of a cluster calls its files.
const (
	depotFile        = "depot.yaml"
	depotGenerations = "generations"
	depotList        = "ca.crl"
)

// stores reads files with certificates, those that need a password too.
type stores struct {
	cred credential
	file string // that holds the password
}

func (a *app) stores(c *cobra.Command, passwordFile string) *stores {
	return &stores{credential{getenv: a.sys.Getenv, stdin: &stdin{from: c.InOrStdin()}}, passwordFile}
}

// read reads a file of any form.
func (s *stores) read(file string) (inspect.Contents, error) {
	data, err := readCertificates(file)
	if err != nil {
		return inspect.Contents{}, err
	}
	if !sealed(data) {
		return inspect.Read(data)
	}
	var password secret.Secret
	if s.file != "" {
		text, err := s.cred.read(s.file, "password-file")
		if err != nil {
			return inspect.Contents{}, err
		}
		password = secret.New(text)
	}
	store, err := keystore.Read(data, password)
	if err != nil && s.file == "" {
		err = unlocked(err)
	}
	if err != nil {
		return inspect.Contents{}, err
	}
	got := inspect.Contents{Certificates: slices.Concat(store.Entry.Chain, store.Roots)}
	if key, ok := store.Entry.Key.(crypto.Signer); ok {
		got.Keys = append(got.Keys, key.Public())
	}
	return got, nil
}

// unlocked says what is missing where no password was given.
func unlocked(err error) error {
	if !errors.Is(err, diag.KeystoreRefused) {
		return err
	}
	return diag.New(diag.KeystoreRefused, "the keystore has a password, and none was given").WithFix("name the file that holds it with --password-file, or a variable by env:NAME")
}

// readCertificates reads a file that is small enough to be one.
func readCertificates(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, diag.New(diag.InspectFile, "%s cannot be read: %v", file, reason(err))
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || info.IsDir() {
		return nil, diag.New(diag.InspectFile, "%s is a directory", file).WithFix("name a file in it; slipway pki check looks at directories")
	}
	data, err := io.ReadAll(io.LimitReader(f, keystore.MaxSize+1))
	if err != nil {
		return nil, diag.New(diag.InspectFile, "%s cannot be read: %v", file, reason(err))
	}
	return data, nil
}

// reason is why a file cannot be read, without its name.
func reason(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err
	}
	return err
}

// sealed reports whether a file begins as JKS, or as PKCS#12: a sequence that
// begins with the number 3.
func sealed(data []byte) bool {
	for _, magic := range []string{"\xFE\xED\xFE\xED", "\xCE\xCE\xCE\xCE"} {
		if bytes.HasPrefix(data, []byte(magic)) {
			return true
		}
	}
	return bytes.HasPrefix(data, []byte{0x30}) && bytes.Contains(data[:min(len(data), 12)], []byte{2, 1, 3})
}

// isFile reports whether something of that name is there.
func isFile(target string) bool {
	_, err := os.Stat(target)
	return err == nil
}

// isAddress reports whether a target can be HOST:PORT.
func isAddress(target string) bool {
	host, port, err := net.SplitHostPort(target)
	return err == nil && host != "" && port != ""
}

// trust takes the CA and the revocation lists of a cluster: what clusters.yaml
// names, else what the depot trusts.
func (in *inspection) trust(p *pkiPlace) error {
	switch {
	case p.cluster != nil && p.cluster.CA.File != "":
		data, err := p.workspace.read(p.cluster.CA.File)
		if err != nil {
			return diag.New(diag.InspectFile, "the CA of cluster %s cannot be read from %s: %v", p.cluster.Name, p.cluster.CA.File, reason(err))
		}
		got, err := inspect.Read(data)
		if err != nil {
			return err
		}
		in.Roots = got.Certificates
	case isFile(filepath.Join(p.dir, trustFile)):
		got, err := in.stores.read(filepath.Join(p.dir, trustFile))
		if err != nil {
			return err
		}
		in.Roots = got.Certificates
	}
	lists, err := filepath.Glob(filepath.Join(p.dir, depotGenerations, "*", depotList))
	if err != nil {
		return err
	}
	for _, file := range lists {
		got, err := in.stores.read(file)
		if err != nil {
			return err
		}
		in.Lists = append(in.Lists, got.Lists...)
	}
	return nil
}
