package cli

import (
	"context"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/cli/view"
	"github.com/slipway-go/slipway/pki"
	"github.com/slipway-go/slipway/pki/inspect"
)

type pkiInspectArgs struct {
	pkiTarget
	targets          []string
	ca, crl          []string // files
	cert, key        string   // files
	host, use, rules string
	passwordFile     string
	timeout          time.Duration
	within           inspect.Within
}

// uses are what --for takes.
var uses = map[string]pki.Usage{"": 0, "broker": pki.Peer, "server": pki.Server, "client": pki.Client}

func newPKIInspectCommand(a *app) *cobra.Command {
	var args pkiInspectArgs
	c := &cobra.Command{
		Use:   "inspect FILE|HOST:PORT...",
		Short: "Show a certificate, and say what is wrong with it",
		Long: `Shows the chain of a certificate from its root down, whom it is for, which
principal brokers make of it, how long it is valid, and everything that is wrong
with it, each with what to do.

A FILE is PEM or DER with certificates, keys (of which only the public half is
read) and revocation lists, or a PKCS#12 or JKS keystore. HOST:PORT is any
listener with TLS, Kafka's SSL and SASL_SSL among them, without a login: beside
its certificate it is told whether client certificates are asked for and of which
authorities, which version and suite are agreed on, whether sessions are resumed,
and whether old versions or weak suites are taken. Where there is no TLS, it says
what there is.

With -c or -e, the CA, the revocation lists and the rules for principals are those
of the cluster in clusters.yaml. --ca, --crl and --rules name others. Without
either nothing is said about trust, and the principal is the common name.`,
		Example: `  slipway pki inspect kafka-0.example.com:9093 -c kafka-prod
  slipway pki inspect tls.crt --key tls.key --ca ca.crt --for broker --host kafka-0.example.com
  slipway pki inspect keystore.p12 --password-file keystore.password
  slipway pki inspect 10.20.0.4:9093 --cert tls.crt --key tls.key --ca ca.crt -o json`,
		Annotations: exits(exitOK, exitError, exitFindings, exitUsage, exitInterrupted),
		Args:        arguments(1, 100, "a FILE or HOST:PORT"),
		RunE: func(c *cobra.Command, rest []string) error {
			args.targets = rest
			return a.inspect(c, args)
		},
	}
	pkiFlags(c, &args.pkiTarget)
	c.Flags().StringArrayVar(&args.ca, "ca", nil, "file with the CAs to trust; may be repeated")
	c.Flags().StringArrayVar(&args.crl, "crl", nil, "file with revocation lists; may be repeated")
	c.Flags().StringVar(&args.cert, "cert", "", "file with the client certificate to show to a listener, its chain behind it")
	c.Flags().StringVar(&args.key, "key", "", "file with the key of --cert, or with one that should belong to FILE")
	c.Flags().StringVar(&args.host, "host", "", "name or address that clients dial; that of HOST:PORT if left out")
	choiceFlag(c, &args.use, "for", "", "what the certificate is used for", "broker", "server", "client")
	c.Flags().StringVar(&args.rules, "rules", "", "ssl.principal.mapping.rules of the brokers")
	c.Flags().StringVar(&args.passwordFile, "password-file", "", "file with the password of a keystore, env:NAME for a variable, - for standard input")
	withinFlag(c, &args.within)
	timeoutFlag(c, &args.timeout, time.Minute)
	outputFlag(c, a, view.Table, view.JSON, view.YAML, view.Name)
	return c
}

func (a *app) inspect(c *cobra.Command, args pkiInspectArgs) error {
	in := inspection{stores: a.stores(c, args.passwordFile)}
	in.Usage, in.Host, in.Within, in.Timeout, in.Now = uses[args.use], args.host, args.within, args.patience(c), time.Now()
	if err := a.fillInspection(&in, args); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.Context(), args.timeout)
	defer cancel()
	var seen []view.Inspection
	var failures diag.List
	for _, target := range args.targets {
		one, err := in.one(ctx, target)
		if c.Context().Err() != nil {
			return context.Cause(c.Context())
		}
		if err != nil {
			failures = append(failures, located(err, target)...)
			continue
		}
		one.Target, one.Judged, one.Rules, one.Now = target, len(in.Roots) > 0, in.rules, in.Now
		seen = append(seen, one)
	}
	if len(seen) > 0 {
		if err := a.view.Inspections(seen); err != nil {
			return err
		}
	}
	if len(failures) > 0 {
		return failures
	}
	if slices.ContainsFunc(seen, func(i view.Inspection) bool { return i.Report.Findings.Failed() }) {
		return errFindings
	}
	return nil
}

// patience is how long one connection may take: as long as the command, if that
// was said.
func (args pkiInspectArgs) patience(c *cobra.Command) time.Duration {
	if c.Flags().Changed("timeout") {
		return args.timeout
	}
	return 0
}
