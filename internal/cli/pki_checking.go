package cli

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/cli/view"
	"github.com/slipway-go/slipway/pki/depot"
	"github.com/slipway-go/slipway/pki/inspect"
)

// A checking collects when things end, each once.
type checking struct {
	stores  *stores
	within  inspect.Within
	now     time.Time
	all     []view.Ending
	seen    map[[sha256.Size]byte]int // hash → place in all
	retired map[string]bool           // directories of generations that are over
	passed  diag.List                 // files of directories that were passed over
}

func (ch *checking) target(ctx context.Context, target string) error {
	info, err := os.Stat(target)
	switch {
	case err == nil && info.IsDir():
		return ch.directory(ctx, target)
	case err != nil && isAddress(target):
		report, err := inspect.Look(ctx, target, inspect.LookConfig{Config: inspect.Config{Now: ch.now}})
		if err != nil {
			return err
		}
		ch.certificates(target, slices.Concat(report.Path, report.Others))
		return nil
	}
	return ch.file(target)
}

func (ch *checking) file(file string) error {
	got, err := ch.stores.read(file)
	if err != nil {
		return err
	}
	ch.certificates(file, got.Certificates)
	for _, l := range got.Lists {
		if !l.NextUpdate.IsZero() {
			ch.add(file, l.Raw, view.Ending{Title: issuerOf(l), Kind: "list", Ends: l.NextUpdate, Urgent: ch.within.NearList(l, ch.now)})
		}
	}
	return nil
}

func issuerOf(l *x509.RevocationList) string { return cmp.Or(l.Issuer.CommonName, l.Issuer.String()) }

func (ch *checking) certificates(where string, all []*x509.Certificate) {
	for _, c := range all {
		kind := "certificate"
		if c.IsCA {
			kind = "authority"
		}
		ch.add(where, c.Raw, view.Ending{Title: inspect.Title(c), Kind: kind, Ends: c.NotAfter, Urgent: ch.within.Near(c, ch.now)})
	}
}

func (ch *checking) add(where string, raw []byte, e view.Ending) {
	sum := sha256.Sum256(raw)
	at, known := ch.seen[sum]
	if !known {
		at = len(ch.all)
		ch.seen[sum], ch.all = at, append(ch.all, e)
	}
	if one := &ch.all[at]; !slices.Contains(one.Where, where) {
		one.Where = append(one.Where, where)
	}
}

// endings of file names that certificates, revocation lists and keystores have.
var certificateNames = []string{".crt", ".pem", ".cer", ".der", ".crl", ".p12", ".pfx", ".jks"}

// directory looks at all files of a directory. Those that cannot be read, or hold
// something else, are told and passed over.
func (ch *checking) directory(ctx context.Context, dir string) error {
	if err := ch.leaveOut(dir); err != nil {
		return err
	}
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			return diag.New(diag.InspectFile, "%s cannot be read: %v", path, reason(err))
		case entry.IsDir() && (ch.retired[path] || path != dir && strings.HasPrefix(entry.Name(), "..")):
			return fs.SkipDir // what links lead to is looked at where the links are
		case !slices.Contains(certificateNames, strings.ToLower(filepath.Ext(path))):
			return nil
		}
		if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
			return nil //nolint:nilerr // a link to nowhere holds no certificate
		}
		for _, d := range diag.Of(ch.passable(path)) {
			d.Severity = diag.Warning
			ch.passed.Add(d.At(diag.Position{File: path}))
		}
		return nil
	})
}

// passable is file, but for files that hold only what never ends.
func (ch *checking) passable(path string) error {
	if data, err := readCertificates(path); err == nil && bytes.Contains(data, []byte("-----BEGIN ")) &&
		!bytes.Contains(data, []byte("CERTIFICATE-----")) && !bytes.Contains(data, []byte("CRL-----")) {
		return nil
	}
	return ch.file(path)
}

// leaveOut takes the generations of a depot that are over out of the check:
// nobody trusts them any more.
func (ch *checking) leaveOut(dir string) error {
	if !isFile(filepath.Join(dir, depotFile)) {
		return nil
	}
	d, err := depot.Open(dir)
	if err != nil {
		return err
	}
	s, err := d.Status()
	if err != nil {
		return err
	}
	for _, g := range s.Generations {
		if g.Role == depot.Retired {
			ch.retired[filepath.Join(dir, depotGenerations, strconv.Itoa(g.Number))] = true
		}
	}
	return nil
}
