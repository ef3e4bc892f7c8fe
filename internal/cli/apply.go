package cli

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/cli/view"
	"github.com/slipway-go/slipway/plan"
)

type applyArgs struct {
	target
	selection
	saved   *plan.Saved // nil unless a plan file is applied
	dryRun  bool
	secrets string
	yes     bool
}

func newApplyCommand(a *app) *cobra.Command {
	var args applyArgs
	c := &cobra.Command{
		Use:   "apply [FILE] [DIR]",
		Short: "Make a cluster what the contracts call for",
		Long: `Plans, shows the plan, asks, and makes the changes. A change that disturbs what
runs, or deletes anything, is made only if --allow names it as the plan does. A
change that fails does not hold up the others, and apply can be run again: it
does what is missing.

With the FILE of slipway plan --out it applies that plan or nothing: it is
refused if contracts or cluster have changed in what it names since, if it was
edited, or if it is for somewhere else. What is allowed is in the file.

Applies to one environment exclude each other. While one works it is in the
consumer group slipway-apply-ENV, which the login needs READ on; the others are
refused. If its process dies, that ends after 30 seconds. A plan that is not the
one any more that was shown, once the lock is taken, is refused too.

The password of each user it creates is written to --secrets first, as
DIR/<user>/password, readable by you alone, and never shown. A directory of a
user becomes a Kubernetes Secret by

  kubectl create secret generic NAME --from-file=DIR/USER` + administratorHelp,
		Example: `  slipway apply -e prod --tls-cert admin.crt --tls-key admin.key --secrets secrets
  slipway apply -e prod --yes --allow repartition:orders.created.v1
  slipway apply prod.plan --yes
  slipway apply -e prod --dry-run`,
		Annotations: exits(exitOK, exitError, exitRefused, exitUsage, exitInterrupted),
		Args:        arguments(0, 2, "no more than a plan file and a directory"),
		RunE: func(c *cobra.Command, rest []string) error {
			if err := args.locate(rest); err != nil {
				return err
			}
			if err := args.credential.fill(c, a.sys.Getenv); err != nil {
				return err
			}
			return bounded(c.Context(), args.timeout, func(ctx context.Context) error { return runApply(ctx, a, args) })
		},
	}
	targetFlags(c, &args.target)
	allowFlag(c, &args.allow)
	c.Flags().BoolVar(&args.dryRun, "dry-run", false, "show the plan and whether it would be refused, and change nothing")
	c.Flags().StringVar(&args.secrets, "secrets", "", "directory for the passwords of users that are created")
	serviceFlag(c, &args.services)
	c.Flags().BoolVarP(&args.yes, "yes", "y", false, "do not ask")
	outputFlag(c, a, view.Table, view.Wide, view.JSON, view.YAML, view.Name)
	return c
}

// locate tells a plan file from a directory. A plan brings its environment and
// cluster along, and what is allowed of it.
func (args *applyArgs) locate(rest []string) error {
	args.dir = directory(rest, 0)
	info, err := os.Stat(args.dir)
	isDir := err == nil && info.IsDir()
	switch {
	case isDir && len(rest) > 1:
		return usage("%s is not a plan file", rest[0]).WithFix("name the file first, then the directory that holds the contracts")
	case isDir, err != nil && len(rest) < 2:
		return nil // what is wrong with a directory is told when it is opened
	}
	if len(args.allow)+len(args.services) > 0 {
		return usage("--allow and --service are in the plan file").WithFix("plan again with them, to the same file by --out")
	}
	saved, err := plan.Load(rest[0])
	if err != nil {
		return err
	}
	args.saved, args.dir = saved, directory(rest, 1)
	args.allow, args.services = saved.Allow, saved.Services
	args.env, args.cluster = cmp.Or(args.env, saved.Plan.Env), cmp.Or(args.cluster, saved.Plan.Cluster)
	return nil
}

func runApply(ctx context.Context, a *app, args applyArgs) error {
	s, err := a.connect(ctx, args.target)
	if err != nil {
		return err
	}
	defer s.Close()
	seen, err := s.look(ctx, args.selection)
	if err != nil {
		return err
	}
	if args.saved != nil {
		if err := plan.Check(args.saved, seen.saved()); err != nil {
			return err
		}
	}
	p := seen.plan
	p.Meet(ctx, s.kafka, time.Now())
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
	held, release, err := plan.Lock(ctx, s.kafka, p.Env)
	if err != nil {
		return err
	}
	defer release()
	if p, err = s.again(held, p, args.selection); err != nil {
		return err
	}
	kept, err := keepSecrets(args.secrets, users)
	if err != nil {
		return err
	}
	var outcomes []view.Outcome
	bar := a.progress(len(p.Changes))
	done := func(c plan.Change, err error) {
		outcomes = append(outcomes, view.Outcome{Change: c, Err: err})
		bar.step()
	}
	to := plan.Target{Cluster: s.kafka, Registry: s.registry, Connect: s.workers, Allow: args.allow, Passwords: kept.password}
	failed := plan.Apply(held, to, p, done)
	bar.end()
	if failed == nil { // what is applied should be so for whoever asks next
		if _, err := plan.Settle(held, s.want, s.kafka, s.registry, plan.WithConnect(s.workers), plan.OfServices(args.services...)); err != nil {
			return err
		}
	}
	if err := a.view.Applied(p, outcomes); err != nil {
		return errors.Join(err, failed)
	}
	kept.report(a.view)
	return failed
}

// again looks once more, now that nobody else applies, and refuses if there is
// another plan by now than the one that was shown.
func (s *session) again(ctx context.Context, shown *plan.Plan, sel selection) (*plan.Plan, error) {
	now, err := s.look(ctx, sel)
	if err != nil {
		return nil, err
	}
	return now.plan, plan.Same(shown, now.plan)
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
