package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/internal/cli/view"
	"github.com/slipway-go/slipway/plan"
)

// leastInterval is between two looks at the least, each of which reads all that
// the contracts name.
const leastInterval = time.Second

type driftArgs struct {
	target
	selection
	only     []string
	orphans  bool
	watch    bool
	interval time.Duration
	metrics  string
}

func newDriftCommand(a *app) *cobra.Command {
	var args driftArgs
	c := &cobra.Command{
		Use:   "drift [DIR]",
		Short: "Tell whether a cluster still is what the contracts call for",
		Long: `Compares, as slipway plan does, and exits 2 if something differs or if there are
orphans: topics, access rights, users, quotas, groups and connectors that are the
estate's by their name and that no contract declares. Changes nothing.

--watch looks again and again, reading the contracts anew each time, until it is
interrupted; a look that fails is told and counted, and the next one comes.
--metrics serves at /metrics what Prometheus reads:

  slipway_drift_changes{kind,class}               differences
  slipway_drift_orphans{kind}                     orphans
  slipway_drift_last_success_timestamp_seconds    when it was last looked
  slipway_drift_errors_total                      looks that failed` + administratorHelp,
		Example: `  slipway drift -e prod --sasl-user admin --sasl-password-file admin.password
  slipway drift -e prod --orphans=false -o json
  slipway drift -e prod --watch --interval 5m --metrics 127.0.0.1:9102`,
		Annotations: exits(exitOK, exitError, exitFindings, exitRefused, exitUsage, exitInterrupted),
		Args:        arguments(0, 1, "no more than a directory"),
		RunE: func(c *cobra.Command, rest []string) error {
			args.dir = directory(rest, 0)
			if err := args.credential.fill(c, a.sys.Getenv); err != nil {
				return err
			}
			return runDrift(c.Context(), a, args)
		},
	}
	targetFlags(c, &args.target)
	c.Flags().DurationVar(&args.interval, "interval", 5*time.Minute, "how long to wait between looks")
	c.Flags().StringVar(&args.metrics, "metrics", "", "with --watch: host:port to serve metrics at")
	onlyFlag(c, &args.only)
	c.Flags().BoolVar(&args.orphans, "orphans", true, "list what no contract declares, and count it as drift")
	serviceFlag(c, &args.services)
	c.Flags().BoolVar(&args.watch, "watch", false, "look again and again, until interrupted")
	outputFlag(c, a, view.Table, view.Wide, view.JSON, view.YAML, view.Name)
	return c
}

func runDrift(ctx context.Context, a *app, args driftArgs) error {
	switch {
	case args.interval < leastInterval:
		return usage("--interval is shorter than %s", leastInterval).WithFix("write it like 30s or 5m: every look reads the whole cluster")
	case args.metrics != "" && !args.watch:
		return usage("--metrics has nothing to serve without --watch")
	case args.watch && a.view.Format == view.YAML:
		return usage("--watch has no form in YAML").WithFix("use -o json, which writes one document after another")
	case args.watch:
		return watchDrift(ctx, a, args)
	}
	p, err := a.drift(ctx, args)
	if err != nil {
		return err
	}
	if err := a.view.Drift(p); err != nil {
		return err
	}
	if !p.Empty() || len(p.Orphans) > 0 {
		return errFindings
	}
	return nil
}

// drift looks once, from the contracts on.
func (a *app) drift(ctx context.Context, args driftArgs) (shown *plan.Plan, err error) {
	err = bounded(ctx, args.timeout, func(ctx context.Context) error {
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
		shown, err = only(seen.plan, args.only)
		return err
	})
	if err == nil && !args.orphans {
		bare := *shown
		bare.Orphans, shown = nil, &bare
	}
	return shown, err
}

// watchDrift tells people only what is another than before; programs get a
// document each time.
func watchDrift(ctx context.Context, a *app, args driftArgs) error {
	gauges := &driftGauges{}
	if args.metrics != "" {
		stop, err := gauges.serve(args.metrics)
		if err != nil {
			return fmt.Errorf("serve metrics at %s: %w", args.metrics, err)
		}
		defer stop()
	}
	told := ""
	for {
		p, err := a.drift(ctx, args)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			gauges.failed()
			a.view.Problems(problems(err))
			told = ""
		default:
			gauges.looked(p, time.Now())
			if now := digest(p); a.view.Documents() || now != told {
				if err := a.view.Drift(p); err != nil {
					return err
				}
				told = now
			}
		}
		a.workspace.Close()
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(args.interval):
		}
	}
}

// digest is another one when a watcher has something new to read.
func digest(p *plan.Plan) string {
	all := []string{p.Hash}
	for _, o := range p.Orphans {
		all = append(all, o.String(), strings.Join(o.Evidence, "\n"))
	}
	return strings.Join(all, "\n")
}
