package cli

import (
	"context"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/internal/cli/view"
)

func newQuotaCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "quota",
		Short: "Look at what users may take of the brokers",
		Long: `Client quotas bound what a user takes of every broker: bytes it writes and reads a
second, and the time of the threads that serve its requests. Who is over one is
answered later, and not refused. Services get theirs from quotas in slipway.yaml,
by slipway apply.`,
		Example:     `  slipway quota list -e prod`,
		Annotations: exits(exitOK, exitUsage),
	}
	c.AddCommand(newQuotaListCommand(a))
	return c
}

func newQuotaListCommand(a *app) *cobra.Command {
	var args target
	c := &cobra.Command{
		Use:   "list",
		Short: "List the quotas of users, and whose they are",
		Long: `Lists every user with quotas of its own, and the service whose principal it is.
Rates hold for each broker; the percentage is of one of its threads. Quotas of
single client ids, of addresses and of everybody are not shown.` + groupHelp,
		Example: `  slipway quota list -e prod
  slipway quota list -e prod -o json`,
		Annotations: exits(exitOK, exitError, exitRefused, exitUsage, exitInterrupted),
		Args:        arguments(0, 0, "nothing"),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := args.credential.fill(c, a.sys.Getenv); err != nil {
				return err
			}
			return a.withGroups(c.Context(), args, func(ctx context.Context, s *groupSession) error { return runQuotaList(ctx, a, s) })
		},
	}
	groupFlags(c, &args)
	outputFlag(c, a, view.Table, view.Wide, view.JSON, view.YAML, view.Name)
	return c
}

func runQuotaList(ctx context.Context, a *app, s *groupSession) error {
	limits, err := s.kafka.Quotas(ctx)
	if err != nil {
		return err
	}
	services := map[string]string{}
	for _, svc := range s.resolved.Services {
		services[svc.User()], services[svc.RedriveUser()] = svc.Name, svc.Name
	}
	quotas := []view.Quota{}
	for _, user := range slices.Sorted(maps.Keys(limits)) {
		quotas = append(quotas, view.Quota{User: user, Service: services[user], Limits: limits[user]})
	}
	return a.view.Quotas(quotas)
}
