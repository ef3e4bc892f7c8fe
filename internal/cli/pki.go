package cli

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/secret"
	"github.com/slipway-go/slipway/pki/depot"
)

func newPKICommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "pki",
		Short: "Make, issue, replace and look at the certificates of a cluster",
		Long: `Makes the certificates of a cluster and keeps them. Who needs one, and which
names stand in it, follows from the contracts and from clusters.yaml: nobody
types names.

What belongs to the PKI of a cluster lies in the directory pki/CLUSTER beside
clusters.yaml, or where --pki says: the authorities with their keys, and below
issued/ what services and brokers mount. It holds private keys, so it belongs
onto an encrypted disk, and not into Git.`,
		Example: `  slipway pki init -c kafka-prod --root /media/usb/kafka-prod
  slipway pki issue -c kafka-prod
  slipway pki status -c kafka-prod`,
		Annotations: exits(exitOK, exitUsage),
	}
	c.AddCommand(newPKIInitCommand(a), newPKIImportCommand(a), newPKIIssueCommand(a), newPKIRotateCommand(a),
		newPKIRevokeCommand(a), newPKIReloadCommand(a), newPKIStatusCommand(a), newPKIExportCommand(a),
		newPKIInspectCommand(a), newPKICheckCommand(a))
	return c
}

// A pkiTarget says whose PKI a command is about.
type pkiTarget struct{ dir, env, cluster, pki string }

const pkiHelp = `

The cluster is that of -c or of the environment -e, or the only one that
clusters.yaml lists.`

func pkiFlags(c *cobra.Command, t *pkiTarget) {
	c.Flags().StringVar(&t.dir, "dir", ".", "directory of the estate")
	environmentFlag(c, &t.env)
	clusterFlag(c, &t.cluster)
	depotFlag(c, &t.pki)
}

func depotFlag(c *cobra.Command, dir *string) {
	c.Flags().StringVar(dir, "pki", "", "directory of the cluster's PKI; pki/CLUSTER beside clusters.yaml if left out")
}

// A pkiPlace is a cluster of clusters.yaml and the directory of its PKI.
type pkiPlace struct {
	workspace *workspace
	clusters  *contract.Clusters // nil where only --pki is known
	cluster   *contract.Cluster  // nil where only --pki is known
	envs      []string           // that are bound to the cluster, or the one of -e
	dir       string
	target    pkiTarget // as it was given
}

// pkiPlace finds the cluster of a target. Where there is no clusters.yaml,
// --pki alone will do for what concerns nothing but the directory.
func (a *app) pkiPlace(t pkiTarget) (*pkiPlace, error) {
	w, err := a.open(t.dir)
	if err != nil {
		return nil, err
	}
	if _, err := fs.Stat(w.fsys, contract.ClustersFile); errors.Is(err, fs.ErrNotExist) {
		if t.pki != "" && t.cluster == "" && t.env == "" {
			return &pkiPlace{workspace: w, dir: t.pki, target: t}, nil
		}
		return nil, diag.New(diag.DepotNoCluster, "%s has no %s", t.dir, contract.ClustersFile)
	}
	clusters, list := contract.ParseClusters(w.fsys, contract.ClustersFile)
	if err := list.Err(); err != nil {
		return nil, err
	}
	p := &pkiPlace{workspace: w, clusters: clusters, target: t}
	if err := p.choose(t); err != nil {
		return nil, err
	}
	p.dir = filepath.Join(t.dir, "pki", p.cluster.Name)
	if t.pki != "" {
		p.dir = t.pki
	}
	return p, nil
}

func (p *pkiPlace) choose(t pkiTarget) error {
	if t.env != "" && p.clusters.Environments[t.env] == nil {
		return diag.New(diag.ClusterEnvironment, "there is no environment %q", t.env).
			WithFix("use one of %s", strings.Join(slices.Sorted(maps.Keys(p.clusters.Environments)), ", "))
	}
	name := t.cluster
	if name == "" {
		all := p.listed(t.env)
		if len(all) == 0 {
			return diag.New(diag.DepotNoCluster, "%s lists no cluster%s", contract.ClustersFile, of(t.env))
		}
		if len(all) > 1 {
			return usage("--cluster is missing: there are the clusters %s", strings.Join(all, ", ")).WithFix("name one of them with -c")
		}
		name = all[0]
	}
	if name == contract.Embedded || name == contract.Local {
		return diag.New(diag.DepotNoCluster, "the %s cluster has certificates of its own", name)
	}
	if p.cluster = p.clusters.Clusters[name]; p.cluster == nil {
		return diag.New(diag.PlanUnknownCluster, "%s lists no cluster %q", contract.ClustersFile, name).
			WithFix("use one of %s", strings.Join(p.listed(""), ", "))
	}
	p.envs = p.bound(name)
	if t.env == "" {
		return nil
	}
	if !slices.Contains(p.envs, t.env) {
		return usage("environment %s is not on cluster %s", t.env, name).WithFix("leave out one of -e and -c")
	}
	p.envs = []string{t.env}
	return nil
}

func of(env string) string {
	if env == "" {
		return ""
	}
	return " for environment " + env
}

// listed are the clusters with an entry, those of one environment if it is
// named, sorted.
func (p *pkiPlace) listed(env string) []string {
	if env == "" {
		return slices.Sorted(maps.Keys(p.clusters.Clusters))
	}
	var all []string
	for _, b := range p.clusters.Environments[env] {
		if p.clusters.Clusters[b.Cluster] != nil {
			all = append(all, b.Cluster)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// bound are the environments that are on a cluster, sorted.
func (p *pkiPlace) bound(cluster string) []string {
	var envs []string
	for env, aliases := range p.clusters.Environments {
		for _, b := range aliases {
			if b.Cluster == cluster && !slices.Contains(envs, env) {
				envs = append(envs, env)
			}
		}
	}
	slices.Sort(envs)
	return envs
}

// flags are those that have a later command find the same PKI. That of reload
// is the estate's alone.
func (p *pkiPlace) flags() string {
	flags := p.estateFlags()
	if p.target.pki != "" {
		flags += " --pki " + p.target.pki
	}
	return flags
}

func (p *pkiPlace) estateFlags() (flags string) {
	if p.name() != "" {
		flags = " -c " + p.name()
	}
	if p.target.dir != "" && p.target.dir != "." {
		flags += " --dir " + p.target.dir
	}
	return flags
}

// open opens the depot, which must be the cluster's.
func (p *pkiPlace) open() (*depot.Depot, depot.Status, error) {
	d, err := depot.Open(p.dir)
	if err != nil {
		return nil, depot.Status{}, p.unopened(err)
	}
	s, err := d.Status()
	if err != nil {
		return nil, depot.Status{}, p.unopened(err)
	}
	if p.cluster != nil && s.Cluster != p.cluster.Name {
		return nil, s, diag.New(diag.DepotForeign, "the PKI in %s is that of cluster %s, not of %s", p.dir, s.Cluster, p.cluster.Name).
			WithFix("name the directory of %s with --pki", p.cluster.Name)
	}
	return d, s, nil
}

// unopened says which depot an error is about, whose own places are within it.
func (p *pkiPlace) unopened(err error) error {
	if errors.Is(err, diag.DepotMissing) {
		return diag.New(diag.DepotMissing, "there is no PKI in %s", p.dir).
			WithFix("make it with slipway pki init%s, or name the directory with --pki", p.flags())
	}
	var told diag.List
	for _, d := range diag.Of(err) {
		if d.Code == diag.PKILoose { // where one mode is wrong, those of a copy all are
			d = d.WithFix("chmod -R go= %s; if others have accounts on this machine, consider its keys known and replace them", p.dir)
		}
		told.Add(d.WithEvidence("in the PKI's directory %s", p.dir))
	}
	if len(told) == 0 {
		return err
	}
	return told
}

// minPassphrase is how long a passphrase is at least that is to guard a root.
const minPassphrase = 12

// passphrase returns what a flag names: a file, a variable or standard input.
// One that others can read guards nothing.
func (a *app) passphrase(c *cobra.Command, source, flag string) (secret.Secret, error) {
	if source == "" {
		return secret.Secret{}, nil
	}
	if info, err := os.Stat(source); err == nil && !strings.HasPrefix(source, variablePrefix) && source != "-" {
		if info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 {
			return secret.Secret{}, diag.New(diag.DepotPassphrase, "others can read the file of --%s: its mode is %04o", flag, info.Mode().Perm()).
				WithFix("chmod 600 it; take another passphrase if anyone else uses this machine")
		}
	}
	cred := credential{getenv: a.sys.Getenv, stdin: &stdin{from: c.InOrStdin()}}
	text, err := cred.read(source, flag)
	return secret.New(text), inOneLine(err, "passphrase")
}

// inOneLine is an error of a credential, but for what it says to do: nobody logs
// in here.
func inOneLine(err error, what string) error {
	d, ok := errors.AsType[diag.Diagnostic](err)
	if !ok || d.Code != diag.CommandCredential {
		return err
	}
	return d.WithFix("give the %s as one line: in a file, by env:NAME in a variable that is set, or with - on standard input", what)
}

// newPassphrase is a passphrase for a key that is yet to be made.
func (a *app) newPassphrase(c *cobra.Command, source, flag string) (secret.Secret, error) {
	phrase, err := a.passphrase(c, source, flag)
	if n := len([]rune(phrase.Reveal())); err == nil && source != "" && n < minPassphrase {
		return secret.Secret{}, diag.New(diag.DepotPassphrase, "the passphrase of --%s has %d characters, want %d or more", flag, n, minPassphrase)
	}
	return phrase, err
}
