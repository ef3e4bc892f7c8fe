package cli

import (
	"context"
	"crypto/sha256"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/cli/view"
	"github.com/slipway-go/slipway/pki/inspect"
)

type pkiCheckArgs struct {
	pkiTarget
	targets      []string
	within       inspect.Within
	passwordFile string
	timeout      time.Duration
}

func newPKICheckCommand(a *app) *cobra.Command {
	var args pkiCheckArgs
	c := &cobra.Command{
		Use:   "check [FILE|DIR|HOST:PORT...]",
		Short: "Exit 2 if a certificate ends soon",
		Long: `Looks when certificates and revocation lists end, the soonest first, and exits 2 if
one does within --within: a time, or a part of its life. A revocation list lives
for days, so of its life only the last fifth counts. It judges nothing else;
slipway pki inspect does.

Without arguments it looks at the PKI of the cluster: authorities that are in
use, their revocation lists and all that is issued. Of a DIR it takes files that
are called like certificates, revocation lists and keystores (.crt, .pem, .cer,
.der, .crl, .p12, .pfx, .jks), also those behind links as Kubernetes mounts them.` + pkiHelp,
		Example: `  slipway pki check -c kafka-prod --within 7d
  slipway pki check /etc/kafka/tls kafka-0.example.com:9093 --within 20%`,
		Annotations: exits(exitOK, exitError, exitFindings, exitRefused, exitUsage, exitInterrupted),
		Args:        arguments(0, 1000, ""),
		RunE: func(c *cobra.Command, rest []string) error {
			args.targets = rest
			return a.check(c, args)
		},
	}
	pkiFlags(c, &args.pkiTarget)
	withinFlag(c, &args.within)
	c.Flags().StringVar(&args.passwordFile, "password-file", "", "file with the password of keystores, env:NAME for a variable, - for standard input")
	timeoutFlag(c, &args.timeout, time.Minute)
	outputFlag(c, a, view.Table, view.Wide, view.JSON, view.YAML, view.Name)
	return c
}

func (a *app) check(c *cobra.Command, args pkiCheckArgs) error {
	ch := &checking{
		stores: a.stores(c, args.passwordFile), within: args.within, now: time.Now(),
		seen: map[[sha256.Size]byte]int{}, retired: map[string]bool{},
	}
	targets := args.targets
	if len(targets) == 0 {
		p, err := a.pkiPlace(args.pkiTarget)
		if err != nil {
			return err
		}
		if _, _, err := p.open(); err != nil {
			return err
		}
		targets = []string{p.dir}
	}
	ctx, cancel := context.WithTimeout(c.Context(), args.timeout)
	defer cancel()
	var failures diag.List
	for _, target := range targets {
		if err := ch.target(ctx, target); err != nil {
			failures = append(failures, located(err, target)...)
		}
		if c.Context().Err() != nil {
			return context.Cause(c.Context())
		}
	}
	slices.SortStableFunc(ch.all, func(x, y view.Ending) int { return x.Ends.Compare(y.Ends) })
	a.warn(ch.passed)
	if err := a.view.Endings(view.Endings{Within: args.within, Now: ch.now, All: ch.all}); err != nil {
		return err
	}
	if len(failures) > 0 {
		return failures
	}
	if len(ch.all) == 0 { // a timer must not take that for good news
		return diag.New(diag.InspectFile, "nothing in %s could be checked: no certificate, revocation list or keystore was read", strings.Join(targets, ", ")).
			WithFix("name what holds certificates; those in keystores are read with --password-file")
	}
	if slices.ContainsFunc(ch.all, func(e view.Ending) bool { return e.Urgent }) {
		return errFindings
	}
	return nil
}

func withinFlag(c *cobra.Command, w *inspect.Within) {
	c.Flags().Var(withinValue{w}, "within", "tell what ends within a time (30d, 12h) or a part of its life (20%)")
}

type withinValue struct{ to *inspect.Within }

func (v withinValue) String() string {
	if v.to == nil {
		return ""
	}
	return v.to.String()
}

func (v withinValue) Type() string { return "time" }

func (v withinValue) Set(text string) error {
	w, err := inspect.ParseWithin(text)
	if err != nil {
		return usage("--within: %v", err).WithFix("write it like 30d, 12h or 20%%")
	}
	*v.to = w
	return nil
}
