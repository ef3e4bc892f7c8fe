package cli

import (
	"context"

	"github.com/spf13/cobra"

	groups "github.com/slipway-go/slipway/group"
)

type groupMigrateArgs struct {
	moveArgs
	migrate groups.Migrate
}

func newGroupMigrateCommand(a *app) *cobra.Command {
	var args groupMigrateArgs
	c := &cobra.Command{
		Use:   "migrate FROM TO",
		Short: "Let a group go on under another name",
		Long: `Copies every position of FROM, with what Slipway keeps beside it, to TO, because
to Kafka a group under another name has read nothing. Both must be at rest, and
TO must have no positions unless --replace is given. FROM keeps its own.` + groupHelp,
		Example: `  slipway group migrate legacy-stock svc-stock-prod --dry-run
  slipway group migrate svc-stock-prod svc-stock-prod.v2 -y`,
		Annotations: exits(exitOK, exitError, exitRefused, exitUsage, exitInterrupted),
		Args:        arguments(2, 2, "the group that is and the group to be"),
		RunE: func(c *cobra.Command, rest []string) error {
			args.migrate.From, args.migrate.To = rest[0], rest[1]
			if args.migrate.From == args.migrate.To {
				return usage("a group cannot be migrated to itself").WithFix("name two groups")
			}
			if err := args.credential.fill(c, a.sys.Getenv); err != nil {
				return err
			}
			return a.withGroups(c.Context(), args.target, func(ctx context.Context, s *groupSession) error {
				args.migrate.Retry = s.retry()[args.migrate.From]
				m, err := s.Migrate(ctx, args.migrate)
				if err != nil {
					return err
				}
				return a.move(ctx, s, m, args.moveArgs)
			})
		},
	}
	moveFlags(c, a, &args.moveArgs)
	c.Flags().BoolVar(&args.migrate.Replace, "replace", false, "let the new group lose the positions it has")
	return c
}
