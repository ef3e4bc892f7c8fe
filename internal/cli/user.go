package cli

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/cli/view"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/plan"
)

func newUserCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "user",
		Short: "List, delete and rotate the users of a cluster",
		Long: `Works on SCRAM users, whose passwords brokers keep as salted hashes. The users
of services are made by slipway apply; here they are looked at, deleted when
nobody declares them, and given a new password while services run.`,
		Example: `  slipway user list -e prod
  slipway user rotate payments -e prod --secrets secrets --stage`,
		Annotations: exits(exitOK, exitUsage),
	}
	c.AddCommand(newUserListCommand(a), newUserDeleteCommand(a), newUserRotateCommand(a))
	return c
}

func newUserListCommand(a *app) *cobra.Command {
	var args target
	c := &cobra.Command{
		Use:   "list",
		Short: "List the users of a cluster, and whose they are",
		Long: `Lists every SCRAM user of the cluster with its mechanisms and their iterations,
and the service of the estate that declares it. Users that contracts declare and
the cluster lacks are listed too. A user without a service may be a person, or
of another estate.` + groupHelp,
		Example: `  slipway user list -e prod
  slipway user list -e prod -o json`,
		Annotations: exits(exitOK, exitError, exitRefused, exitUsage, exitInterrupted),
		Args:        arguments(0, 0, "nothing"),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := args.credential.fill(c, a.sys.Getenv); err != nil {
				return err
			}
			return a.withGroups(c.Context(), args, func(ctx context.Context, s *groupSession) error { return runUserList(ctx, a, s) })
		},
	}
	groupFlags(c, &args)
	outputFlag(c, a, view.Table, view.Wide, view.JSON, view.YAML, view.Name)
	return c
}

// declared are the users that contracts call for on the session's cluster.
func (s *groupSession) declared() (map[string]plan.User, error) {
	want, err := plan.Derive(s.resolved, s.name)
	if err != nil {
		return nil, err
	}
	users := map[string]plan.User{}
	for _, u := range want.Users {
		users[u.Name] = u
	}
	return users, nil
}

func runUserList(ctx context.Context, a *app, s *groupSession) error {
	declared, err := s.declared()
	if err != nil {
		return err
	}
	all, err := s.kafka.AllUsers(ctx)
	if err != nil {
		return err
	}
	users := []view.User{}
	for name, credentials := range all {
		u := view.User{Name: name, Service: declared[name].Service}
		for _, c := range credentials {
			u.Credentials = append(u.Credentials, view.Credential{Mechanism: string(c.Mechanism), Iterations: c.Iterations})
		}
		slices.SortFunc(u.Credentials, func(x, y view.Credential) int { return cmp.Compare(x.Mechanism, y.Mechanism) })
		users = append(users, u)
	}
	for name, u := range declared {
		if _, there := all[name]; !there {
			users = append(users, view.User{Name: name, Service: u.Service, Credentials: []view.Credential{}})
		}
	}
	slices.SortFunc(users, func(x, y view.User) int { return cmp.Compare(x.Name, y.Name) })
	return a.view.Users(users)
}

type userDeleteArgs struct {
	target
	user  string
	allow []string
}

func newUserDeleteCommand(a *app) *cobra.Command {
	var args userDeleteArgs
	c := &cobra.Command{
		Use:   "delete NAME",
		Short: "Delete a user that no contract declares",
		Long: `Deletes all SCRAM credentials of a user. It is refused without --allow
delete:user/NAME, and for a user that a contract declares. Connections that are
open stay so until the brokers ask them to log in again; ACLs and quotas of the
user stay too.` + groupHelp,
		Example:     `  slipway user delete svc-old-prod -e prod --allow delete:user/svc-old-prod`,
		Annotations: exits(exitOK, exitError, exitRefused, exitUsage, exitInterrupted),
		Args:        arguments(1, 1, "a user"),
		RunE: func(c *cobra.Command, rest []string) error {
			args.user = rest[0]
			if err := args.credential.fill(c, a.sys.Getenv); err != nil {
				return err
			}
			return a.withGroups(c.Context(), args.target, func(ctx context.Context, s *groupSession) error { return runUserDelete(ctx, a, s, args) })
		},
	}
	groupFlags(c, &args.target)
	c.Flags().StringArrayVar(&args.allow, "allow", nil, "delete:user/NAME, to say that it is meant; may be repeated")
	outputFlag(c, a, view.Table, view.JSON, view.YAML, view.Name)
	return c
}

func runUserDelete(ctx context.Context, a *app, s *groupSession, args userDeleteArgs) error {
	declared, err := s.declared()
	if err != nil {
		return err
	}
	found, err := s.kafka.Users(ctx, args.user)
	if err != nil {
		return err
	}
	credentials := found[args.user]
	allow := "delete:user/" + args.user
	switch u, taken := declared[args.user]; {
	case taken:
		d := diag.New(diag.UserDeclared, "user %s is that of service %s", args.user, u.Service)
		if len(u.Reasons) > 0 {
			d = d.At(u.Reasons[0].Position)
		}
		return errors.Join(plan.ErrRefused, d)
	case len(credentials) == 0:
		return diag.New(diag.UserUnknown, "cluster %s has no SCRAM user %s", s.name, args.user)
	case slices.Contains(s.kafka.Principals(), "User:"+args.user):
		return errors.Join(plan.ErrRefused, diag.New(diag.UserDeclared, "user %s is the one that this command logs in as", args.user).
			WithFix("delete it as another administrator"))
	case !slices.Contains(args.allow, allow):
		return errors.Join(plan.ErrRefused, diag.New(diag.UserNeedsAllow, "to delete user %s is destructive: whoever logs in with it cannot any more", args.user).
			WithFix("if that is meant, run the command again with --allow %s", allow))
	}
	if err := errors.Join(s.kafka.DeleteUsers(ctx, credentials)...); err != nil {
		return err
	}
	return a.view.UserDeleted(args.user, mechanisms(credentials))
}

func mechanisms(credentials []kafka.Credential) []string {
	var all []string
	for _, c := range credentials {
		all = append(all, string(c.Mechanism))
	}
	slices.Sort(all)
	return all
}
