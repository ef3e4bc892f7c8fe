package cli

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/cli/view"
	"github.com/slipway-go/slipway/internal/secret"
	"github.com/slipway-go/slipway/pki"
	"github.com/slipway-go/slipway/pki/depot"
)

type pkiImportArgs struct {
	pkiTarget
	from       []string // files and directories of an authority
	signed     []string // the answer to a request
	source     string
	passphrase secret.Secret
}

func newPKIImportCommand(a *app) *cobra.Command {
	var args pkiImportArgs
	c := &cobra.Command{
		Use:   "import [SIGNED...]",
		Short: "Bring an existing authority along, or the answer to a signing request",
		Long: `With --from the PKI of a cluster begins with an authority that is there already:
files of cfssl (ca.pem and ca-key.pem, or its JSON), the directory of step (certs
and secrets) or plain PEM. An intermediate with its key becomes the issuer, and
the root's key stays where it is; a root with its key signs a new issuer. What the
authority has issued so far stays valid.

With SIGNED it takes what an organisation's authority made of the request that
slipway pki init --request wrote: the issuer's certificate first, then those above
it up to the root, in one file or several. It ends a rotate ca --request likewise.` + pkiHelp,
		Example: `  slipway pki import --from ~/.step --passphrase-file step.password -c kafka-prod
  slipway pki import --from ca.pem --from ca-key.pem -c kafka-prod
  slipway pki import issuer.pem root.pem -c kafka-prod`,
		Annotations: exits(exitOK, exitError, exitRefused, exitUsage),
		Args:        cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, rest []string) error {
			args.signed = rest
			if (len(args.from) == 0) == (len(rest) == 0) {
				return usage("one of --from and SIGNED is needed").WithFix("--from names an authority with its key, SIGNED the answer to a signing request")
			}
			var err error
			if args.passphrase, err = a.passphrase(c, args.source, "passphrase-file"); err != nil {
				return err
			}
			return runPKIImport(c.Context(), a, args)
		},
	}
	pkiFlags(c, &args.pkiTarget)
	c.Flags().StringArrayVar(&args.from, "from", nil, "file or directory of the authority; may be repeated")
	c.Flags().StringVar(&args.source, "passphrase-file", "", "file, env:NAME or - with the passphrase of the authority's key")
	outputFlag(c, a, view.Table, view.JSON, view.YAML)
	return c
}

func runPKIImport(ctx context.Context, a *app, args pkiImportArgs) error {
	p, err := a.pkiPlace(args.pkiTarget)
	if err != nil {
		return err
	}
	if len(args.signed) > 0 {
		return a.complete(ctx, p, args.signed)
	}
	if p.cluster == nil {
		return diag.New(diag.DepotNoCluster, "%s has no %s", args.pkiTarget.dir, contract.ClustersFile)
	}
	from, err := importAuthority(args.from, args.passphrase)
	if err != nil {
		return err
	}
	a.warn(looseKeys(args.from))
	d, err := depot.Init(p.dir, depot.Config{Cluster: p.cluster.Name, From: from, Policy: p.policy(false, nil)})
	if err != nil {
		return err
	}
	if err := a.pkiStatus(p, d); err != nil {
		return err
	}
	a.view.Note("\nWhat the authority has issued so far stays valid. Next:")
	a.view.Note("  slipway pki issue%s", p.flags())
	a.pkiTrusted(p)
	return nil
}

// complete hands the depot what was made of its signing request.
func (a *app) complete(ctx context.Context, p *pkiPlace, files []string) error {
	d, _, err := p.open()
	if err != nil {
		return err
	}
	var chain bytes.Buffer
	for _, file := range files {
		text, err := readSmall(file)
		if err != nil {
			return err
		}
		chain.Write(append(bytes.TrimSpace(text), '\n'))
	}
	progress, err := d.Complete(ctx, chain.Bytes())
	if err != nil {
		return err
	}
	if progress.To == depot.Steady {
		if err := a.pkiStatus(p, d); err != nil {
			return err
		}
		a.view.Note("\nNext:\n  slipway pki issue%s", p.flags())
		return nil
	}
	return a.view.PKIStep(p.step(progress))
}

// importAuthority reads the files of an authority, or those of its directory.
func importAuthority(paths []string, passphrase secret.Secret) (*pki.Authority, error) {
	files := map[string][]byte{}
	for _, path := range paths {
		if err := gather(path, files); err != nil {
			return nil, err
		}
	}
	return pki.Import(files, passphrase)
}

// looseKeys are the named files with a key that others can read: what an
// authority has been is not undone by a copy that is kept well.
func looseKeys(paths []string) (loose diag.List) {
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil || !info.Mode().IsRegular() || info.Mode().Perm()&0o044 == 0 {
			continue
		}
		if text, err := readSmall(path); err == nil && bytes.Contains(text, []byte("PRIVATE KEY")) {
			loose.Add(diag.Warn(diag.PKILoose, "others can read %s: its mode is %04o", path, info.Mode().Perm()).
				WithFix("if others have accounts on that machine, consider the key known and replace the authority: slipway pki rotate ca"))
		}
	}
	return loose
}

// maxImported bounds how many files of a directory are looked at: an
// authority has a handful.
const maxImported = 100

// authorityFiles are the names that the files of an authority have; others of a
// directory, such as configurations and databases, are none of its files.
var authorityFiles = []string{".pem", ".crt", ".cer", ".key", ".json", ""}

func gather(path string, into map[string][]byte) error {
	info, err := os.Stat(path)
	if err != nil {
		return fileProblem(path, err)
	}
	if !info.IsDir() {
		into[path], err = readSmall(path)
		return err
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return fileProblem(path, err)
	}
	defer root.Close()
	err = fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != "." && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "db"):
			return fs.SkipDir
		case !entry.Type().IsRegular() || strings.HasPrefix(entry.Name(), ".") || !slices.Contains(authorityFiles, filepath.Ext(name)):
			return nil
		case len(into) == maxImported:
			return diag.New(diag.PKIImport, "%s holds more than %d files", path, maxImported).WithFix("name the files of the authority one by one with --from")
		}
		text, err := readSmall(filepath.Join(path, name))
		if err == nil && belongsToAuthority(text) {
			into[filepath.Join(path, name)] = text
		}
		return err
	})
	if err != nil && len(diag.Of(err)) == 0 {
		return fileProblem(path, err)
	}
	return err
}

// belongsToAuthority tells PEM and cfssl's JSON from what else lies around, such
// as the configuration of step.
func belongsToAuthority(text []byte) bool {
	return bytes.Contains(text, []byte("-----BEGIN "))
}
