package cli

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/cli/view"
	"github.com/slipway-go/slipway/internal/principal"
	"github.com/slipway-go/slipway/pki"
	"github.com/slipway-go/slipway/pki/depot"
)

type pkiIssueArgs struct {
	pkiTarget
	kind     depot.Kind
	names    []string
	csr, out string
}

func newPKIIssueCommand(a *app) *cobra.Command {
	var args pkiIssueArgs
	c := &cobra.Command{
		Use:   "issue [broker|controller|client|admin [NAME...]]",
		Short: "Issue the certificates that contracts and clusters.yaml call for",
		Long: `Issues a certificate for every node that clusters.yaml lists, for every service
that comes to the cluster by mTLS and for the work on its dead letters, and for
the administrators of each environment. One that still says what is called for,
and has more than a third of its life before it, is kept; so the command can be
run as often as you like.

A kind, and names of that kind, narrow it down. One that was revoked because its
holder is gone (cessationOfOperation) is issued again only if it is named. Nobody types names: one that is
not declared is refused. A program of others gets a certificate by its name if
external.yaml lists it under principals.

With --csr the key stays with its owner. What the request says about names and
usage counts for nothing; what the contracts say does. The chain goes to --out
or into the depot.

Each certificate is a directory PKI/issued/KIND/NAME with tls.crt, tls.key, ca.crt
and ca.crl, which change all at once, so that it can be mounted as it is.` + pkiHelp,
		Example: `  slipway pki issue -c kafka-prod
  slipway pki issue client svc-orders-prod -c kafka-prod
  slipway pki issue client svc-orders-prod --csr orders.csr --out orders.crt -c kafka-prod`,
		Annotations: exits(exitOK, exitError, exitRefused, exitUsage, exitInterrupted),
		Args:        cobra.ArbitraryArgs,
		ValidArgs:   []cobra.Completion{"broker", "controller", "client", "admin"},
		RunE: func(c *cobra.Command, rest []string) error {
			if err := args.which(rest); err != nil {
				return err
			}
			return runPKIIssue(c.Context(), a, args)
		},
	}
	pkiFlags(c, &args.pkiTarget)
	c.Flags().StringVar(&args.csr, "csr", "", "issue for the key of this signing request; needs a kind and a name")
	c.Flags().StringVar(&args.out, "out", "", "file for the chain of a certificate issued by --csr")
	outputFlag(c, a, view.Table, view.JSON, view.YAML, view.Name)
	return c
}

func (args *pkiIssueArgs) which(rest []string) error {
	if len(rest) > 0 {
		args.kind, args.names = depot.Kind(rest[0]), rest[1:]
		if kind, name, found := strings.Cut(rest[0], "/"); found && len(rest) == 1 { // as status writes it
			args.kind, args.names = depot.Kind(kind), []string{name}
		}
		if !slices.Contains(depot.Kinds, args.kind) {
			return usage("there is no kind %q of certificate", args.kind).WithFix("use one of %s", join(depot.Kinds))
		}
	}
	switch {
	case args.csr != "" && len(args.names) != 1:
		return usage("--csr needs to know whom the certificate is for").WithFix("name the kind and one name, such as client svc-orders-prod")
	case args.csr == "" && args.out != "":
		return usage("--out is given without --csr").WithFix("what is issued with a key lies in the PKI's directory; slipway pki export writes other formats")
	}
	return nil
}

func runPKIIssue(ctx context.Context, a *app, args pkiIssueArgs) error {
	p, err := a.pkiPlace(args.pkiTarget)
	if err != nil {
		return err
	}
	if p.cluster == nil {
		return diag.New(diag.DepotNoCluster, "%s has no %s", args.pkiTarget.dir, contract.ClustersFile)
	}
	estate, err := a.calling(p, args)
	if err != nil {
		return err
	}
	d, _, err := p.open()
	if err != nil {
		return err
	}
	w := &wanted{pkiPlace: p, estate: estate}
	wants, err := w.choose(args.kind, args.names)
	if err != nil {
		return err
	}
	if args.csr != "" {
		return a.issueFrom(ctx, d, w, wants[0], args)
	}
	for i := range wants {
		wants[i].Again = len(args.names) > 0
	}
	changes, err := d.Issue(ctx, wants)
	if err != nil {
		return err
	}
	if err := a.view.PKIIssued(w.rows(changes, wants)); err != nil {
		return err
	}
	a.issuedWhere(p, args.kind, changes)
	return nil
}

// calling is the estate that says who needs a certificate. Nodes and
// administrators need one before there is a contract.
func (a *app) calling(p *pkiPlace, args pkiIssueArgs) (*contract.Estate, error) {
	estate, problems := p.workspace.validate()
	others := slices.DeleteFunc(slices.Clone(problems), func(d diag.Diagnostic) bool { return d.Code == diag.EstateEmpty })
	if len(others) == len(problems) || others.Failed() || args.kind == depot.Client && len(args.names) == 0 {
		if err := problems.Err(); err != nil {
			return nil, err
		}
		a.warn(problems)
		return estate, nil
	}
	a.warn(append(others, estate.Validate()...))
	if args.kind == "" {
		a.view.Note("There is no slipway.yaml in %s or below, so services get no certificate.\n", p.target.dir)
	}
	return estate, nil
}

// issuedWhere tells where certificates are, and what may have been forgotten.
func (a *app) issuedWhere(p *pkiPlace, kind depot.Kind, changes []depot.Change) {
	if len(p.cluster.Nodes) == 0 && (kind == "" || kind == depot.Broker || kind == depot.Controller) {
		a.view.Note("clusters.yaml lists no nodes of %s, so there is no certificate for brokers.", p.name())
	}
	if len(changes) > 0 {
		a.view.Note("\nThey are in %s; deliver each directory to its owner alone.", filepath.Join(p.dir, "issued"))
	}
	a.pkiTrusted(p)
}

func (a *app) issueFrom(ctx context.Context, d *depot.Depot, w *wanted, want depot.Want, args pkiIssueArgs) error {
	csr, err := readSmall(args.csr)
	if err != nil {
		return err
	}
	change, err := d.IssueFrom(ctx, csr, want)
	if err != nil {
		return err
	}
	if args.out != "" {
		if err := copyChain(filepath.Join(d.LeafDir(want.ID), pki.CertificateFile), args.out); err != nil {
			return err
		}
	}
	if err := a.view.PKIIssued(w.rows([]depot.Change{change}, []depot.Want{want})); err != nil {
		return err
	}
	request, err := pki.ParseSigningRequest(csr)
	if err != nil {
		return err
	}
	for _, asked := range request.Withheld(want.Request) {
		a.view.Note("asked for and not granted: %s", asked)
	}
	return nil
}

// copyChain writes a certificate with its chain where its owner asked for it.
func copyChain(from, to string) error {
	chain, err := os.ReadFile(from)
	if err != nil {
		return fileProblem(from, err)
	}
	if err := os.WriteFile(to, chain, 0o600); err != nil { //nolint:gosec // where the user says
		return diag.New(diag.CommandDirectory, "write the certificate: %v", err)
	}
	return nil
}

// maxPEM bounds what is read from a file that a flag names.
const maxPEM = 1 << 20

func readSmall(file string) ([]byte, error) {
	info, err := os.Stat(file)
	switch {
	case err != nil:
		return nil, fileProblem(file, err)
	case !info.Mode().IsRegular():
		return nil, diag.New(diag.PKIFile, "%s is no regular file", file)
	case info.Size() > maxPEM:
		return nil, diag.New(diag.PKIFile, "%s has %d bytes, at most %d", file, info.Size(), maxPEM)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fileProblem(file, err)
	}
	return text, nil
}

func fileProblem(file string, err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		err = path.Err
	}
	return diag.New(diag.PKIFile, "read %s: %v", file, err).WithFix("name a file that is there and that you may read")
}

// wanted are the certificates that an estate calls for on a cluster.
type wanted struct {
	*pkiPlace
	estate *contract.Estate
	rules  principal.Rules
}

// choose returns the wanted ones of a kind, or those that are named. The
// principals of all are judged first: two that meet are a fault of either.
func (w *wanted) choose(kind depot.Kind, names []string) ([]depot.Want, error) {
	all, err := depot.Derive(w.estate, w.cluster.Name, w.envs...)
	if err != nil {
		return nil, err
	}
	all = append(all, w.external(kind, names, all)...)
	if err := w.principals(all); err != nil {
		return nil, err
	}
	chosen := slices.DeleteFunc(slices.Clone(all), func(want depot.Want) bool {
		return kind != "" && want.Kind != kind || len(names) > 0 && !slices.Contains(names, want.Name)
	})
	for _, name := range names {
		if !slices.ContainsFunc(chosen, func(want depot.Want) bool { return want.Name == name }) {
			return nil, undeclared(depot.ID{Kind: kind, Name: name}, all)
		}
	}
	return chosen, nil
}

// external are the programs of others that are named and that external.yaml
// lists.
func (w *wanted) external(kind depot.Kind, names []string, known []depot.Want) []depot.Want {
	var found []depot.Want
	for _, p := range w.estate.External.Principals {
		name := strings.TrimPrefix(p, "User:")
		id := depot.ID{Kind: depot.Client, Name: name}
		if kind != depot.Client || !slices.Contains(names, name) || slices.ContainsFunc(known, func(k depot.Want) bool { return k.ID == id }) {
			continue
		}
		found = append(found, depot.Want{ID: id, Why: "external.yaml lists " + p, Request: pki.Request{
			CommonName: name, Usage: pki.Client, Lifetime: w.cluster.PKI.Clients, Key: pki.KeyType(w.cluster.PKI.Key),
		}})
	}
	return found
}

func undeclared(id depot.ID, all []depot.Want) error {
	d := diag.New(diag.DepotUndeclared, "no contract and no node calls for %s", id)
	var known []string
	for _, want := range all {
		if want.Kind == id.Kind {
			known = append(known, want.Name)
		}
	}
	if near := nearest(id.Name, known); near != "" {
		return d.WithFix("did you mean %s?", near)
	}
	if len(known) > 0 {
		return d.WithFix("declare whom it is for; of kind %s there are %s", id.Kind, strings.Join(known, ", "))
	}
	return d
}

// principals judges that brokers take the common name of every service for its
// principal, and no two common names for the same one.
func (w *wanted) principals(all []depot.Want) error {
	place := w.clusters.Position("clusters/" + w.cluster.Name + "/pki/principals")
	rules, err := principal.Parse(w.cluster.PKI.Principals)
	if err != nil {
		list := diag.Of(err)
		for i, d := range list {
			list[i] = d.At(place)
		}
		return list.Err()
	}
	w.rules = rules
	whose := map[string]string{} // principal → common name
	var faults diag.List
	for _, want := range all {
		cn := want.Request.CommonName
		got, err := rules.Apply("CN=" + cn)
		other, taken := whose[got]
		switch {
		case err != nil:
			faults.Add(diag.New(diag.DepotPrincipal, "the rules make no principal of CN=%s: %v", cn, err).At(place))
		case want.Kind == depot.Client && got != cn:
			faults.Add(diag.New(diag.DepotPrincipal, "the rules make User:%s of CN=%s, and the rights are for User:%s", got, cn, cn).At(place))
		case taken && other != cn:
			faults.Add(diag.New(diag.DepotPrincipal, "the rules make User:%s of both CN=%s and CN=%s", got, other, cn).At(place))
		default:
			whose[got] = cn
		}
	}
	return faults.Err()
}

// rows are changes as they are shown.
func (w *wanted) rows(changes []depot.Change, wants []depot.Want) []view.PKIChange {
	rows := make([]view.PKIChange, len(changes))
	for i, c := range changes {
		rows[i] = view.PKIChange{Change: c}
		for _, want := range wants {
			if want.ID != c.ID {
				continue
			}
			if name, err := w.rules.Apply("CN=" + want.Request.CommonName); err == nil {
				rows[i].Principal = "User:" + name
			}
			rows[i].Names = slices.Clone(want.Request.DNSNames)
			for _, ip := range want.Request.IPs {
				rows[i].Names = append(rows[i].Names, ip.String())
			}
			rows[i].Why = want.Why
		}
	}
	return rows
}
