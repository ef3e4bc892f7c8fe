package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/cli/view"
	"github.com/slipway-go/slipway/plan"
)

type applyArgs struct {
	target
	allow   []string
	dryRun  bool
	secrets string
	yes     bool
}

func newApplyCommand(a *app) *cobra.Command {
	var args applyArgs
	c := &cobra.Command{
		Use:   "apply [DIR]",
		Short: "Make a cluster what the contracts call for",
		Long: `Plans, shows the plan, asks, and makes the changes. Nothing is ever deleted. A
change that disturbs what runs, or deletes records, is made only if --allow
names it as the plan does. A change that fails does not hold up the others, and
apply can be run again: it does what is missing.

The password of each user it creates is written to --secrets first, as
DIR/<user>/password, readable by you alone, and never shown. A directory of a
user becomes a Kubernetes Secret by

  kubectl create secret generic NAME --from-file=DIR/USER` + administratorHelp,
		Example: `  slipway apply -e prod --tls-cert admin.crt --tls-key admin.key --secrets secrets
  slipway apply -e prod --yes --allow repartition:orders.created.v1
  slipway apply -e prod --dry-run`,
		Annotations: exits(exitOK, exitError, exitRefused, exitUsage, exitInterrupted),
		Args:        arguments(0, 1, "no more than a directory"),
		RunE: func(c *cobra.Command, rest []string) error {
			args.dir = directory(rest, 0)
			if err := args.credential.fill(c, a.sys.Getenv); err != nil {
				return err
			}
			return bounded(c.Context(), args.timeout, func(ctx context.Context) error { return runApply(ctx, a, args) })
		},
	}
	targetFlags(c, &args.target)
	c.Flags().StringArrayVar(&args.allow, "allow", nil, "allow a change by its name in the plan; may be repeated")
	c.Flags().BoolVar(&args.dryRun, "dry-run", false, "show the plan and whether it would be refused, and change nothing")
	c.Flags().StringVar(&args.secrets, "secrets", "", "directory for the passwords of users that are created")
	c.Flags().BoolVarP(&args.yes, "yes", "y", false, "do not ask")
	outputFlag(c, a, view.Table, view.Wide, view.JSON, view.YAML, view.Name)
	return c
}

func runApply(ctx context.Context, a *app, args applyArgs) error {
	s, err := a.connect(ctx, args.target)
	if err != nil {
		return err
	}
	defer s.Close()
	p, err := s.diff(ctx)
	if err != nil {
		return err
	}
	if args.dryRun || a.view.ForPeople() {
		if err := a.view.Plan(p); err != nil {
			return err
		}
	}
	if err := plan.Guard(p, args.allow); err != nil || args.dryRun {
		return err
	}
	if p.Empty() {
		return a.nothingDone(p)
	}
	return a.apply(ctx, s, p, args)
}

// nothingDone is the answer of programs to an empty plan; people have seen it.
func (a *app) nothingDone(p *plan.Plan) error {
	if a.view.ForPeople() {
		return nil
	}
	return a.view.Applied(p, nil)
}

func (a *app) apply(ctx context.Context, s *session, p *plan.Plan, args applyArgs) error {
	users := newUsers(p)
	if len(users) > 0 && args.secrets == "" {
		return diag.New(diag.CommandSecretsDir, "%s to be created, and there is no directory for their passwords", count(len(users), "user is", "users are")).
			WithFix("name one with --secrets DIR")
	}
	if !args.yes {
		if err := a.confirm(ctx, p); err != nil {
			return err
		}
	}
	kept, err := keepSecrets(args.secrets, users)
	if err != nil {
		return err
	}
	var outcomes []view.Outcome
	done := func(c plan.Change, err error) { outcomes = append(outcomes, view.Outcome{Change: c, Err: err}) }
	to := plan.Target{Cluster: s.kafka, Registry: s.registry, Allow: args.allow, Passwords: kept.password}
	failed := plan.Apply(ctx, to, p, done)
	if failed == nil { // what is applied should be so for whoever asks next
		if _, err := plan.Settle(ctx, s.want, s.kafka, s.registry); err != nil {
			return err
		}
	}
	if err := a.view.Applied(p, outcomes); err != nil {
		return errors.Join(err, failed)
	}
	kept.report(a.view)
	return failed
}

// confirm asks whether to go on. Only the whole word counts.
func (a *app) confirm(ctx context.Context, p *plan.Plan) error {
	if !a.sys.Terminal || !a.view.ForPeople() {
		return diag.New(diag.CommandUnconfirmed, "%s for a yes, and there is no terminal to ask at", count(len(p.Changes), "change waits", "changes wait"))
	}
	fmt.Fprintf(a.sys.Err, "\nApply this to cluster %s, environment %s? Type yes: ", diag.Escape(p.Cluster), diag.Escape(p.Env))
	answer := make(chan string, 1)
	go func() { // outlives an interrupted question, and ends with the process
		line, _ := bufio.NewReader(a.sys.In).ReadString('\n')
		answer <- strings.TrimSpace(line)
	}()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case word := <-answer:
		if word != "yes" {
			return diag.New(diag.CommandUnconfirmed, "the answer was not yes")
		}
		return nil
	}
}

// count says how many there are of something, in words that agree.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
