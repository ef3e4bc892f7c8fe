package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	groups "github.com/slipway-go/slipway/group"
)

type groupDrainArgs struct {
	moveArgs
	every time.Duration
	leave groups.Leave
}

func newGroupDrainCommand(a *app) *cobra.Command {
	var args groupDrainArgs
	c := &cobra.Command{
		Use:   "drain GROUP",
		Short: "Hand a group over to a client without Slipway",
		Long: `Waits until nothing waits in the group's retry topics, which the running service
works off, and until the service is stopped. Then commits the same offsets
without what Slipway keeps beside them, so that any client goes on from there.
See docs/leaving.md.

Keys that are parked wait for an operator: release or skip them, or they hold
this up. --dry-run does not wait: it shows what waits, or the way.` + groupHelp,
		Example: `  slipway group drain svc-stock-prod --timeout 2h
  slipway group drain svc-stock-prod --dry-run`,
		Annotations: exits(exitOK, exitError, exitRefused, exitUsage, exitInterrupted),
		Args:        arguments(1, 1, "a group"),
		RunE: func(c *cobra.Command, rest []string) error {
			args.leave.Group = rest[0]
			if args.every <= 0 {
				return usage("--every is not a time to come").WithFix("write it like 5s or 1m")
			}
			if err := args.credential.fill(c, a.sys.Getenv); err != nil {
				return err
			}
			return a.withGroups(c.Context(), args.target, func(ctx context.Context, s *groupSession) error {
				return runGroupDrain(ctx, a, s, args)
			})
		},
	}
	moveFlags(c, a, &args.moveArgs)
	c.Flags().Lookup("timeout").DefValue = time.Hour.String()
	args.timeout = time.Hour
	c.Flags().DurationVar(&args.every, "every", 5*time.Second, "how long to wait between looks")
	return c
}

func runGroupDrain(ctx context.Context, a *app, s *groupSession, args groupDrainArgs) error {
	args.leave.Retry = s.retry()[args.leave.Group]
	for told := ""; !args.dryRun; {
		waiting, members, err := s.Waiting(ctx, args.leave)
		if err != nil {
			return err
		}
		text, done := drainProgress(args.leave.Group, waiting, members)
		if text != told {
			a.view.Note("%s", text)
			told = text
		}
		if done {
			break
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(args.every):
		}
	}
	m, err := s.Leave(ctx, args.leave)
	if err != nil {
		return err
	}
	return a.move(ctx, s, m, args.moveArgs)
}

// drainProgress says what is waited for.
func drainProgress(group string, waiting []groups.Waiting, members int) (text string, done bool) {
	var n int64
	for _, w := range waiting {
		n += w.Records
	}
	switch {
	case n > 0 && members == 0:
		return fmt.Sprintf("up to %s in retry topics, and nobody works them off: start the service", count(int(n), "record waits", "records wait")), false
	case n > 0:
		return fmt.Sprintf("up to %s in retry topics", count(int(n), "record waits", "records wait")), false
	case members > 0:
		return fmt.Sprintf("nothing waits in retry topics; group %s has %s: stop the service", group, count(members, "member", "members")), false
	}
	return "nothing waits in retry topics, and the group is at rest", true
}
