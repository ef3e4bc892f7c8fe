package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/diag"
	groups "github.com/slipway-go/slipway/group"
	"github.com/slipway-go/slipway/internal/cli/view"
)

type groupLagArgs struct {
	target
	groups   []string
	watch    bool
	every    time.Duration
	exitCode bool
}

func newGroupLagCommand(a *app) *cobra.Command {
	var args groupLagArgs
	c := &cobra.Command{
		Use:   "lag [GROUP...]",
		Short: "Show how far groups are behind, and who reads what",
		Long: `Shows of every partition where the group is, how many records lie before it, how
long the oldest of them has waited (now less its timestamp, which takes READ on
the topic), and which member reads it. Without GROUP, the groups of all
contracts. -o wide tells where a reader would begin, and how far the group is
behind the newest record.

A status says whether to look closer:
  OK      keeps up, or catches up
  ?       seen too seldom to tell: add --watch
  WARN    moves, and the lag does not shrink
  REWIND  went back
  STALL   has a reader, and does not move
  STOP    has lag, and nobody reads
  ERR     the committed offset is not in the log: deleted, or beyond its end
STALL, WARN and REWIND take --watch, which looks again and again. What waits in
retry topics waits on purpose and is not judged.

Partitions are shared out evenly: members are idle only if there are more of
them than partitions.` + groupHelp,
		Example: `  slipway group lag -e prod
  slipway group lag svc-stock-prod --watch --every 10s
  slipway group lag -e prod --exit-code -o json     exits 2 if a group is in trouble`,
		Annotations: exits(exitOK, exitError, exitFindings, exitRefused, exitUsage, exitInterrupted),
		RunE: func(c *cobra.Command, rest []string) error {
			args.groups = rest
			if err := args.credential.fill(c, a.sys.Getenv); err != nil {
				return err
			}
			return runGroupLag(c.Context(), a, args)
		},
	}
	groupFlags(c, &args.target)
	c.Flags().BoolVar(&args.watch, "watch", false, "look again and again, until interrupted")
	c.Flags().DurationVar(&args.every, "every", 5*time.Second, "how long to wait between looks")
	c.Flags().BoolVar(&args.exitCode, "exit-code", false, "exit 2 if a group is at REWIND or worse, or cannot be looked at")
	outputFlag(c, a, view.Table, view.Wide, view.JSON, view.YAML, view.Name)
	return c
}

func runGroupLag(ctx context.Context, a *app, args groupLagArgs) error {
	switch {
	case args.every <= 0:
		return usage("--every is not a time to come").WithFix("write it like 5s or 1m")
	case args.watch && args.exitCode:
		return usage("--exit-code and --watch exclude each other: a watch ends when it is interrupted")
	case args.watch && a.view.Format == view.YAML:
		return usage("--watch has no form in YAML").WithFix("use -o json, which writes one document after another")
	case args.watch:
		args.timeout = 100 * 365 * 24 * time.Hour
	}
	return a.withGroups(ctx, args.target, func(ctx context.Context, s *groupSession) error {
		names := args.groups
		if len(names) == 0 {
			names = s.names()
		}
		monitor := s.Monitor(s.retry())
		for {
			reports, err := monitor.Look(ctx, names...)
			if err != nil {
				return err
			}
			if err := a.view.GroupLag(reports); err != nil {
				return err
			}
			if !args.watch {
				return a.judged(reports, args)
			}
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-time.After(args.every):
			}
		}
	})
}

// judged is what the reports mean to the exit status. A group of a contract
// whose service has never run is worth a word; one that was named is missing.
func (a *app) judged(reports []groups.Report, args groupLagArgs) error {
	var warnings, failures diag.List
	bad := false
	for _, r := range reports {
		bad = bad || r.Status.Bad()
		switch d := r.Problem; {
		case d == nil:
		case d.Code == diag.GroupUnknown && len(args.groups) == 0:
			d.Severity = diag.Warning
			warnings.Add(*d)
		case d.Severity == diag.Warning:
			warnings.Add(*d)
		default:
			failures.Add(*d)
		}
	}
	if args.exitCode && (bad || len(failures) > 0) {
		a.warn(append(warnings, failures...))
		return errFindings
	}
	a.warn(warnings)
	return failures.Err()
}
