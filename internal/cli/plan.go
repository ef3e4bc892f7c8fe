package cli

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/cli/view"
	"github.com/slipway-go/slipway/plan"
)

// planTimeout is the usual time for a plan or an apply: a large estate on a
// slow registry fits, a firewall that swallows packets does not hold anyone up.
const planTimeout = 2 * time.Minute

const administratorHelp = `

A cluster that slipway up runs is found by the estate's directory, and needs no
login. Elsewhere the login is the administrator's. Secrets are named by file, by
env:NAME for a variable or by - for standard input, and never given; what no flag
gives is taken from SLIPWAY_TLS_CERT, SLIPWAY_TLS_KEY, SLIPWAY_SASL_USER,
SLIPWAY_SASL_PASSWORD_FILE, SLIPWAY_SASL_MECHANISM, SLIPWAY_REGISTRY_AUTH_FILE.`

type planArgs struct {
	target
	selection
	exitCode bool
	only     []string
	out      string
}

func newPlanCommand(a *app) *cobra.Command {
	var args planArgs
	c := &cobra.Command{
		Use:   "plan [DIR]",
		Short: "Show what a cluster lacks of what the contracts call for, and why",
		Long: `Compares what the contracts in DIR call for in an environment with what its
cluster has: topics, users, access rights, quotas, settings of groups, schemas
and connectors. Shows each difference with its class (safe, disruptive,
destructive, impossible) and the contract entries it follows from, and beside
them the orphans: what is the estate's by its name and in no contract. Changes
nothing.

Nothing is deleted that was not named: --allow with the name that an orphan is
listed with makes its deletion part of the plan.

--out keeps the plan in a file for slipway apply FILE, which applies exactly it
or nothing: the plan is refused if contracts or cluster are others by then. A
plan that apply would refuse is not kept. The form of the file and of -o json is
in docs/plan-format.md.` + administratorHelp,
		Example: `  slipway plan -e prod --tls-cert admin.crt --tls-key admin.key
  slipway plan -e prod --sasl-user admin --sasl-password-file admin.password
  slipway plan -e prod --service orders --only topic,acl
  slipway plan -e prod --out prod.plan --allow delete:topic/svc-gone-prod.orders.created.v1.dlq
  slipway plan -e prod --exit-code -o json     exits 2 if something is to do`,
		Annotations: exits(exitOK, exitError, exitFindings, exitRefused, exitUsage, exitInterrupted),
		Args:        arguments(0, 1, "no more than a directory"),
		RunE: func(c *cobra.Command, rest []string) error {
			args.dir = directory(rest, 0)
			if err := args.credential.fill(c, a.sys.Getenv); err != nil {
				return err
			}
			return bounded(c.Context(), args.timeout, func(ctx context.Context) error { return runPlan(ctx, a, args) })
		},
	}
	targetFlags(c, &args.target)
	allowFlag(c, &args.allow)
	c.Flags().BoolVar(&args.exitCode, "exit-code", false, "exit 2 if something is to do")
	onlyFlag(c, &args.only)
	c.Flags().StringVar(&args.out, "out", "", "keep the plan in this file, for slipway apply FILE")
	serviceFlag(c, &args.services)
	outputFlag(c, a, view.Table, view.Wide, view.JSON, view.YAML, view.Name)
	return c
}

func targetFlags(c *cobra.Command, t *target) {
	environmentFlag(c, &t.env)
	clusterFlag(c, &t.cluster)
	timeoutFlag(c, &t.timeout, planTimeout)
	credentialFlags(c, &t.credential)
}

func runPlan(ctx context.Context, a *app, args planArgs) error {
	s, err := a.connect(ctx, args.target)
	if err != nil {
		return err
	}
	defer s.Close()
	seen, err := s.look(ctx, args.selection)
	if err != nil {
		return err
	}
	seen.plan.Meet(ctx, s.kafka, time.Now())
	shown, err := only(seen.plan, args.only)
	if err != nil {
		return err
	}
	if err := a.view.Plan(shown); err != nil {
		return err
	}
	if err := a.keep(seen, args); err != nil {
		return err
	}
	if args.exitCode && !seen.plan.Empty() {
		return errFindings
	}
	return nil
}

// keep judges a plan that is meant to be applied, and saves it.
func (a *app) keep(seen *look, args planArgs) error {
	if args.out == "" && len(args.allow) == 0 {
		return nil
	}
	if err := plan.Guard(seen.plan, args.allow); err != nil || args.out == "" {
		return err
	}
	if err := plan.Save(args.out, seen.saved()); err != nil {
		return err
	}
	a.view.Note("the plan is in %s; slipway apply %s applies exactly it", args.out, args.out)
	return nil
}

// bounded runs f for at most so long, and says so if that was not enough.
func bounded(ctx context.Context, timeout time.Duration, f func(context.Context) error) error {
	if timeout <= 0 {
		return usage("--timeout is not a time to come").WithFix("write it like 30s or 2m")
	}
	over := diag.New(diag.CommandTimeout, "not done after %s", timeout)
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, over)
	defer cancel()
	err := f(ctx)
	if err == nil || !errors.Is(context.Cause(ctx), diag.CommandTimeout) {
		return err
	}
	// What gave up names the cause itself, and may name where it was and what else failed.
	if seen := strings.Trim(strings.ReplaceAll(err.Error(), over.Error(), ""), ": \n"); seen != "" {
		return over.WithEvidence("%s", seen)
	}
	return over
}
