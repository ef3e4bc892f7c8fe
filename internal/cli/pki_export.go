package cli

import (
	"crypto/x509"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/cli/view"
	"github.com/slipway-go/slipway/internal/secret"
	"github.com/slipway-go/slipway/pki/depot"
	"github.com/slipway-go/slipway/pki/keystore"
)

type pkiExportArgs struct {
	pkiTarget
	what, format, out, at string
	passwordFile          string
	force                 bool
	password              func() (secret.Secret, error) // what --password-file names
}

func newPKIExportCommand(a *app) *cobra.Command {
	var args pkiExportArgs
	c := &cobra.Command{
		Use:   "export KIND/NAME|DIR",
		Short: "Write a certificate as the keystore and truststore of Kafka and Java",
		Long: `Writes keystore and truststore of a certificate: of KIND/NAME as slipway pki
status shows it, or of a directory with tls.crt, tls.key and ca.crt (./client/NAME
where it could be taken for the other). On stdout are the lines of
server.properties or client.properties that make Kafka use them.

  p12  PKCS#12, encrypted as Java 17 does it by default; the one to choose where
       PEM cannot be used. Java calls the key 1.
  pem  key, chain and roots as text, without a password: Kafka on Java 17 does not
       read an encrypted key in PEM
  jks  for what is too old for either; its encryption keeps nobody out

p12 and jks have one password for both files and the key. Without --password-file
it is made once and kept in keystore.password, mode 0600, without an end of line:
keytool reads it with -storepass:file, and Kafka by the ${directory:...} of the
lines, which hold no password. One that is given is not written anywhere.

All files have mode 0600 and appear whole or not at all. Files that hold the same
already are left alone; others are not written over without --force.` + pkiHelp,
		Example: `  slipway pki export broker/kafka-0 -c kafka-prod --out kafka-0 --at /etc/kafka/tls
  slipway pki export client/svc-orders-prod -c kafka-prod --format pem
  slipway pki export ./certs --format jks --password-file env:STORE_PASSWORD`,
		Annotations: exits(exitOK, exitError, exitRefused, exitUsage),
		Args:        arguments(1, 1, "KIND/NAME or a directory"),
		RunE: func(c *cobra.Command, rest []string) error {
			args.what = rest[0]
			cred := credential{getenv: a.sys.Getenv, stdin: &stdin{from: c.InOrStdin()}}
			args.password = func() (secret.Secret, error) {
				text, err := cred.read(args.passwordFile, "password-file")
				return secret.New(text), err
			}
			return runPKIExport(a, args)
		},
	}
	pkiFlags(c, &args.pkiTarget)
	choiceFlag(c, &args.format, "format", string(keystore.PKCS12), "what to write", string(keystore.PKCS12), string(keystore.PEM), string(keystore.JKS))
	c.Flags().StringVar(&args.out, "out", "", "directory for the files; one of the certificate's name if left out")
	c.Flags().StringVar(&args.at, "at", "", "directory where the files will lie on Kafka's machine; --out if left out")
	c.Flags().StringVar(&args.passwordFile, "password-file", "", "file with the password, env:NAME for a variable, - for standard input")
	c.Flags().BoolVar(&args.force, "force", false, "write over files that hold something else")
	outputFlag(c, a, view.Table, view.JSON, view.YAML, view.Name)
	return c
}

func runPKIExport(a *app, args pkiExportArgs) error {
	if args.passwordFile != "" && args.format == string(keystore.PEM) {
		return usage("--password-file is given, and pem has no password").WithFix("leave it out, or use --format p12")
	}
	dir, name, err := a.exportSource(args)
	if err != nil {
		return err
	}
	entry, roots, err := a.readPair(dir)
	if err != nil {
		return err
	}
	if args.out == "" {
		args.out = name
	}
	e := &export{format: keystore.Format(args.format), entry: entry, roots: roots, dir: args.out, force: args.force}
	shown, err := e.shown(args.at)
	if err != nil {
		return err
	}
	if err := e.write(args); err != nil {
		return err
	}
	if e.format.Legacy() {
		a.warn(diag.List{diag.Warn(diag.KeystoreLegacy, "%s and %s are JKS", e.file("keystore"), e.file("truststore"))})
	}
	shown.Files = e.files
	if err := a.view.Keystore(shown); err != nil {
		return err
	}
	if e.format.Sealed() && args.passwordFile != "" {
		a.view.Note("\nKafka expects the password in %s, without an end of line.", shown.PasswordAt)
	}
	return nil
}

// exportSource is where the certificate lies, and what to call it.
func (a *app) exportSource(args pkiExportArgs) (dir, name string, err error) {
	if kind, _, found := strings.Cut(args.what, "/"); !found || !slices.Contains(depot.Kinds, depot.Kind(kind)) {
		whole, err := filepath.Abs(args.what)
		return args.what, filepath.Base(whole), err
	}
	id, err := depot.ParseID(args.what)
	if err != nil {
		return "", "", err
	}
	p, err := a.pkiPlace(args.pkiTarget)
	if err != nil {
		return "", "", err
	}
	d, s, err := p.open()
	if err != nil {
		return "", "", err
	}
	if !slices.ContainsFunc(s.Leaves, func(l depot.Leaf) bool { return l.ID == id }) {
		return "", "", p.unissued(id, s)
	}
	return d.LeafDir(id), id.Name, nil
}

// unissued is the error about a certificate that the depot does not have.
func (p *pkiPlace) unissued(id depot.ID, s depot.Status) error {
	d := diag.New(diag.KeystoreSource, "%s has not been issued", id)
	var known []string
	for _, l := range s.Leaves {
		known = append(known, l.ID.String())
	}
	if near := nearest(id.String(), known); near != "" {
		return d.WithFix("did you mean %s?", near)
	}
	return d.WithFix("slipway pki issue%s issues what nodes and contracts call for", p.flags())
}

// shown is what to tell of the files that are about to be written, and where Kafka
// will find them.
func (e *export) shown(at string) (view.Keystore, error) {
	if at == "" {
		whole, err := filepath.Abs(e.dir)
		if err != nil {
			return view.Keystore{}, err
		}
		at = whole
	}
	lines, err := keystore.Files{Format: e.format, Dir: filepath.ToSlash(at)}.Properties()
	if err != nil {
		return view.Keystore{}, err
	}
	leaf := e.entry.Chain[0]
	k := view.Keystore{
		Name: leaf.Subject.CommonName, Format: string(e.format), NotAfter: leaf.NotAfter,
		Properties: append([]string{"security.protocol=SSL"}, lines...),
		For:        "client.properties",
		PasswordAt: filepath.ToSlash(filepath.Join(at, keystore.PasswordFile)),
	}
	if slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageServerAuth) {
		k.For, k.Properties = "server.properties", append(lines, "ssl.client.auth=required")
	}
	return k, nil
}

// notThere tells a file that is missing from all else.
func notThere(err error) bool { return errors.Is(err, fs.ErrNotExist) }
