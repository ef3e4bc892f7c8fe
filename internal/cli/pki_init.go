package cli

import (
	"context"
	"net"
	"net/netip"
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

type pkiInitArgs struct {
	pkiTarget
	root
	unconstrained bool
	request       string // file
}

// root says where the key of a root goes.
type root struct {
	dir, source string
	passphrase  secret.Secret
}

func rootFlags(c *cobra.Command, r *root) {
	c.Flags().StringVar(&r.dir, "root", "", "directory for the root's key, on a medium that is taken away afterwards")
	c.Flags().StringVar(&r.source, "root-passphrase-file", "", "file, env:NAME or - with the passphrase of the root's key")
}

// fill reads the passphrase. Without a directory of its own the key of a root
// lies beside that of the issuer, and must not be readable there.
func (r *root) fill(a *app, c *cobra.Command) error {
	if r.dir == "" && r.source == "" {
		return usage("--root or --root-passphrase-file is missing: the root's key must not lie readable beside the issuer's").
			WithFix("--root DIR writes it onto a medium that you take away; --root-passphrase-file FILE keeps it here, encrypted; both do both")
	}
	var err error
	r.passphrase, err = a.newPassphrase(c, r.source, "root-passphrase-file")
	return err
}

// apart refuses a directory for the root's key that lies in the depot.
func (r *root) apart(from string) error {
	if r.dir == "" {
		return nil
	}
	own, err := filepath.Abs(r.dir)
	if err != nil {
		return directoryProblem(r.dir, err)
	}
	inside, err := filepath.Abs(from)
	if err != nil {
		return directoryProblem(from, err)
	}
	if own == inside || strings.HasPrefix(own, inside+string(filepath.Separator)) {
		return usage("--root: %s is in the PKI's own directory %s", r.dir, from).WithFix("name a directory on a medium that you take away")
	}
	return nil
}

// used reports whether the directory for the root's key holds one that init would
// use.
func (r *root) used() bool {
	if r.dir == "" {
		return false
	}
	_, err := os.Stat(filepath.Join(r.dir, "1", pki.AuthorityFile))
	return err == nil
}

func (r *root) key() depot.RootKey { return depot.RootKey{Dir: r.dir, Passphrase: r.passphrase} }

func newPKIInitCommand(a *app) *cobra.Command {
	var args pkiInitArgs
	c := &cobra.Command{
		Use:   "init",
		Short: "Make the authorities of a cluster: a root, and the issuer under it",
		Long: `Makes a root, whose key signs issuers and nothing else, and an issuer, whose key
signs the certificates of brokers, services and administrators. So the root's key
can lie where no process reaches it: --root writes it into a directory on a medium
that you take away, --root-passphrase-file keeps it encrypted. It is needed again for
slipway pki rotate ca.

What the issuer may sign is bounded by the hosts of nodes and bootstrap and by
cidrs in clusters.yaml: their domains and networks become name constraints, which
every verifier keeps. --unconstrained leaves them out.

With --request FILE an organisation's own authority signs the issuer: the signing
request is written to FILE, and slipway pki import SIGNED takes the answer.` + pkiHelp,
		Example: `  slipway pki init -c kafka-prod --root /media/usb/kafka-prod
  slipway pki init -c kafka-prod --root-passphrase-file env:ROOT_PASSPHRASE
  slipway pki init -c kafka-prod --request kafka-prod.csr`,
		Annotations: exits(exitOK, exitError, exitRefused, exitUsage),
		Args:        arguments(0, 0, "nothing"),
		RunE: func(c *cobra.Command, _ []string) error {
			if args.request == "" {
				if err := args.fill(a, c); err != nil {
					return err
				}
			} else if args.root.dir+args.source != "" {
				return usage("--request goes without --root and --root-passphrase-file: the root is the organisation's")
			}
			return runPKIInit(c.Context(), a, args)
		},
	}
	pkiFlags(c, &args.pkiTarget)
	rootFlags(c, &args.root)
	c.Flags().BoolVar(&args.unconstrained, "unconstrained", false, "let the issuer sign for any host")
	c.Flags().StringVar(&args.request, "request", "", "write a signing request for the issuer to this file instead of making a root")
	outputFlag(c, a, view.Table, view.JSON, view.YAML)
	return c
}

func runPKIInit(_ context.Context, a *app, args pkiInitArgs) error {
	p, err := a.pkiPlace(args.pkiTarget)
	if err != nil {
		return err
	}
	if p.cluster == nil {
		return diag.New(diag.DepotNoCluster, "%s has no %s", args.pkiTarget.dir, contract.ClustersFile)
	}
	if err := args.apart(p.dir); err != nil {
		return err
	}
	cfg := depot.Config{Cluster: p.cluster.Name, Policy: p.policy(args.unconstrained, nil), RootKey: args.key()}
	if args.request != "" {
		return a.requested(p, args.request, func() ([]byte, error) {
			_, csr, err := depot.InitRequest(p.dir, cfg)
			return csr, err
		})
	}
	again := args.used()
	d, err := depot.Init(p.dir, cfg)
	if err != nil {
		return err
	}
	if err := a.pkiStatus(p, d); err != nil {
		return err
	}
	if again {
		a.view.Note("\nThe root is the one that lay in %s already. If its authority has been replaced meanwhile, nobody trusts it any more:", args.root.dir)
		a.view.Note("  slipway pki import --from %s brings a later one along, and another --root makes a new one.", args.root.dir+"/N")
	}
	a.pkiMade(p, args.root)
	return nil
}

// requested writes a signing request to a file, and tells what to do with it.
func (a *app) requested(p *pkiPlace, file string, ask func() ([]byte, error)) error {
	if known, err := os.Stat(file); err == nil && !known.Mode().IsRegular() {
		return diag.New(diag.CommandOverwrite, "%s exists and is no regular file", file).WithFix("name another file")
	}
	csr, err := ask()
	if err != nil {
		return err
	}
	if known, err := os.ReadFile(file); err == nil && string(known) != string(csr) {
		return diag.New(diag.CommandOverwrite, "%s exists and holds something else", file).WithFix("name another file with --request; it is the same request then")
	}
	if err := os.WriteFile(file, csr, 0o600); err != nil {
		return diag.New(diag.CommandDirectory, "write the signing request: %v", err)
	}
	if err := a.view.PKIRequested(p.name(), file); err != nil {
		return err
	}
	a.view.Note("\nNext: have %s signed as an authority that signs leaves (CA:TRUE, pathlen:0), then", file)
	a.view.Note("  slipway pki import SIGNED.pem ROOT.pem%s", p.flags())
	return nil
}

// pkiMade tells what to keep where, and what comes next.
func (a *app) pkiMade(p *pkiPlace, r root) {
	a.view.Note("\nKeep:")
	switch {
	case r.dir != "":
		a.view.Note("  %s   the root's key. Only slipway pki rotate ca needs it: take it away now, and keep a copy elsewhere.", r.dir)
	default:
		a.view.Note("  the passphrase of the root's key, apart from %s. Only slipway pki rotate ca needs it, and nothing can replace it.", p.dir)
	}
	a.view.Note("  %s   the issuer's key, which signs for every service: not into Git, and onto a disk that is backed up and encrypted.", p.dir)
	a.view.Note("Next:")
	a.view.Note("  slipway pki issue%s", p.flags())
	a.pkiTrusted(p)
}

// pkiTrusted says how clusters.yaml comes to name what the depot trusts.
func (a *app) pkiTrusted(p *pkiPlace) {
	if p.cluster != nil && p.cluster.CA.File == "" {
		a.view.Note("  ca: pki/%s/trust.crt below clusters/%s in %s, so that every command trusts the brokers", p.name(), p.name(), contract.ClustersFile)
	}
}

func (p *pkiPlace) name() string {
	if p.cluster == nil {
		return ""
	}
	return p.cluster.Name
}

// policy is what the authorities of a cluster are like. Names that leaves have
// already stay within the constraints, or they could not be issued again.
func (p *pkiPlace) policy(unconstrained bool, leaves []depot.Leaf) depot.Policy {
	policy := depot.Policy{}
	if p.cluster == nil {
		return policy
	}
	policy.Key = pki.KeyType(p.cluster.PKI.Key)
	if unconstrained {
		return policy
	}
	if p.nameless() {
		return policy
	}
	hosts := p.hosts()
	for _, l := range leaves {
		hosts = append(hosts, l.Names...)
	}
	policy.Constraints = constraints(hosts, p.cluster.CIDRs)
	return policy
}

// nameless reports whether a node has addresses alone. Java holds the common
// name of a certificate without DNS names against constraints as if it were one,
// so with constraints the others would refuse that node.
func (p *pkiPlace) nameless() bool {
	return slices.ContainsFunc(p.cluster.Nodes, func(n contract.Node) bool {
		return !slices.ContainsFunc(n.Hosts, func(h string) bool { _, err := netip.ParseAddr(h); return err != nil })
	})
}

// hosts are what clients and nodes of the cluster dial.
func (p *pkiPlace) hosts() []string {
	var hosts []string
	for _, n := range p.cluster.Nodes {
		hosts = append(hosts, n.Hosts...)
	}
	b := p.cluster.Bootstrap
	for _, list := range []string{b.MTLS, b.SCRAM, b.Plain} {
		for address := range strings.SplitSeq(list, ",") {
			if host, _, err := net.SplitHostPort(strings.TrimSpace(address)); err == nil {
				hosts = append(hosts, host)
			}
		}
	}
	return hosts
}

// constraints are the domains that hosts are in and the networks of cidrs,
// with single addresses that are in none of them. A cluster without cidrs may
// be at any address. Without a domain nothing is constrained: to leave names
// out would exclude all of them, those that clients are given too.
func constraints(hosts, cidrs []string) pki.Constraints {
	var c pki.Constraints
	for _, cidr := range cidrs {
		if network, err := netip.ParsePrefix(cidr); err == nil {
			c.IPRanges = append(c.IPRanges, network.Masked())
		}
	}
	if len(c.IPRanges) == 0 {
		c.IPRanges = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}
	}
	for _, host := range hosts {
		ip, err := netip.ParseAddr(host)
		switch {
		case err != nil:
			c.DNSDomains = append(c.DNSDomains, domain(host))
		case !slices.ContainsFunc(c.IPRanges, func(r netip.Prefix) bool { return r.Contains(ip) }):
			c.IPRanges = append(c.IPRanges, netip.PrefixFrom(ip, ip.BitLen()))
		}
	}
	if len(c.DNSDomains) == 0 {
		return pki.Constraints{}
	}
	slices.Sort(c.DNSDomains)
	c.DNSDomains = slices.Compact(c.DNSDomains)
	return c
}

// domain is what a host is in: kafka-0.prod.example is in prod.example. One of
// two labels is its own domain, because what is above it is not its owner's.
func domain(host string) string {
	host = strings.ToLower(host)
	if _, above, found := strings.Cut(host, "."); found && strings.Contains(above, ".") {
		return above
	}
	return host
}
