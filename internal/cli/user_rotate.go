package cli

import (
	"context"
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/cli/view"
	"github.com/slipway-go/slipway/plan"
)

type userRotateArgs struct {
	target
	service                       string
	stage, alter, promote, status bool
	confirmed                     bool
	instances                     []string
	token                         string // file
	adminCert, adminKey, adminCA  string // files
	iterations                    int
	redrive                       bool
	secrets                       string
}

// The bounds of the iterations of a SCRAM credential: Kafka takes no fewer, and
// clients of Slipway's refuse more.
const (
	minIterations   = 4096
	usualIterations = 8192
	maxIterations   = 16384
)

func newUserRotateCommand(a *app) *cobra.Command {
	var args userRotateArgs
	c := &cobra.Command{
		Use:   "rotate [SERVICE]",
		Short: "Give a service's user a new password while it runs",
		Long: `A broker knows one password of a user, so instances have to know the next one
before the broker does. Rotation is three steps, each by a command of its own that
can be run again, also after it was killed:

  --stage    writes a fresh password to DIR/<user>/password.next, mode 0600, and
             tells how to deliver the directory as a Secret. Services that run
             notice the file by themselves, and log in with whichever works.
  --alter    sets the brokers' credential to it. Refused unless every instance
             named by --instance reports that it has the next password, or
             --confirmed-by-all says so for all of them.
  --promote  makes it DIR/<user>/password, and removes password.next. Refused
             unless the cluster takes it. Deliver the directory again.

--status logs in with both, once each, and tells how far every service is, or the
one that is named. Passwords are never shown and never given on the command line.` + groupHelp,
		Example: `  slipway user rotate payments -e prod --secrets secrets --stage
  slipway user rotate payments -e prod --secrets secrets --alter --confirmed-by-all
  slipway user rotate payments -e prod --secrets secrets --promote
  slipway user rotate -e prod --secrets secrets --status`,
		Annotations: exits(exitOK, exitError, exitRefused, exitUsage, exitInterrupted),
		Args:        arguments(0, 1, "no more than a service"),
		RunE: func(c *cobra.Command, rest []string) error {
			if len(rest) > 0 {
				args.service = rest[0]
			}
			if err := args.check(); err != nil {
				return err
			}
			if err := args.credential.fill(c, a.sys.Getenv); err != nil {
				return err
			}
			return a.withGroups(c.Context(), args.target, func(ctx context.Context, s *groupSession) error { return runUserRotate(ctx, a, s, args) })
		},
	}
	groupFlags(c, &args.target)
	c.Flags().BoolVar(&args.stage, "stage", false, "write the next password")
	c.Flags().BoolVar(&args.alter, "alter", false, "set the brokers' credential to the next password")
	c.Flags().BoolVar(&args.promote, "promote", false, "make the next password the password")
	c.Flags().BoolVar(&args.status, "status", false, "tell how far rotation is")
	c.Flags().BoolVar(&args.confirmed, "confirmed-by-all", false, "every instance has the next password")
	c.Flags().StringArrayVar(&args.instances, "instance", nil, "address of an instance's admin endpoint, such as http://127.0.0.1:9180; may be repeated")
	c.Flags().StringVar(&args.token, "admin-token-file", "", "file with the token of the admin endpoints, if they want one")
	c.Flags().StringVar(&args.adminCert, "admin-cert-file", "", "file with the client certificate to show to admin endpoints that demand one")
	c.Flags().StringVar(&args.adminKey, "admin-key-file", "", "file with its private key")
	c.Flags().StringVar(&args.adminCA, "admin-ca-file", "", "file with the authority of the admin endpoints' certificates; the system's unless given")
	c.Flags().IntVar(&args.iterations, "iterations", usualIterations, "SCRAM iterations, 4096 to 16384; the embedded cluster takes 4096 only")
	c.Flags().BoolVar(&args.redrive, "redrive", false, "rotate the user that works on the service's dead letters")
	c.Flags().StringVar(&args.secrets, "secrets", "", "directory of the passwords, as apply has written it")
	outputFlag(c, a, view.Table, view.JSON, view.YAML, view.Name)
	return c
}

func (args userRotateArgs) check() error {
	steps := 0
	for _, given := range []bool{args.stage, args.alter, args.promote, args.status} {
		if given {
			steps++
		}
	}
	switch {
	case steps != 1:
		return usage("one of --stage, --alter, --promote and --status is needed").WithFix("--status tells which is next")
	case args.secrets == "":
		return usage("--secrets is missing").WithFix("name the directory that slipway apply --secrets wrote passwords to")
	case args.service == "" && !args.status:
		return usage("a service is needed")
	case (args.adminCert == "") != (args.adminKey == ""):
		return usage("only one of --admin-cert-file and --admin-key-file is given")
	case args.iterations < minIterations || args.iterations > maxIterations:
		return usage("--iterations is %d, want %d to %d", args.iterations, minIterations, maxIterations)
	}
	return nil
}

// A rotation is the steps of one user's.
type rotation struct {
	user     plan.User
	files    *userFiles
	endpoint *endpoint
	session  *groupSession
	args     userRotateArgs
}

func runUserRotate(ctx context.Context, a *app, s *groupSession, args userRotateArgs) error {
	e, err := a.operate(ctx, a.workspace, s.resolved.Env, s.resolved.Cluster(s.name), &args.credential, "")
	if err != nil {
		return err
	}
	users, err := s.rotated(args)
	if err != nil {
		return err
	}
	told := []view.Rotation{}
	for _, u := range users {
		files, err := openUserFiles(args.secrets, u.Name)
		if err != nil {
			return err
		}
		defer files.Close()
		r := rotation{u, files, e, s, args}
		if err := r.step(ctx); err != nil {
			return err
		}
		state, err := r.state(ctx)
		if err != nil {
			return err
		}
		told = append(told, state)
	}
	if err := a.view.Rotations(told); err != nil {
		return err
	}
	if args.stage || args.promote {
		a.deliver(told[0])
	}
	return nil
}

func (r rotation) step(ctx context.Context) error {
	switch {
	case r.args.stage:
		return r.stage()
	case r.args.alter:
		return r.alter(ctx)
	case r.args.promote:
		return r.promote(ctx)
	}
	return nil
}

// deliver tells how instances get what lies in the directory now.
func (a *app) deliver(r view.Rotation) {
	a.view.Note("\ndeliver %s to every instance; as a Kubernetes Secret by\n", r.Dir)
	a.view.Note("  kubectl create secret generic %s --from-file=%s --dry-run=client -o yaml | kubectl apply -f -", r.User, r.Dir)
}

// rotated are the users that the command is about, sorted by name.
func (s *groupSession) rotated(args userRotateArgs) ([]plan.User, error) {
	declared, err := s.declared()
	if err != nil {
		return nil, err
	}
	if args.service == "" {
		var all []plan.User
		for _, name := range sortedUsers(declared) {
			all = append(all, declared[name])
		}
		return all, nil
	}
	service := s.resolved.Service(args.service)
	if service == nil {
		d := diag.New(diag.UserUnknown, "the estate has no service %s", args.service)
		var known []string
		for _, svc := range s.resolved.Services {
			known = append(known, svc.Name)
		}
		if near := nearest(args.service, known); near != "" {
			d = d.WithFix("did you mean %s?", near)
		}
		return nil, d
	}
	name := service.User()
	if args.redrive {
		name = service.RedriveUser()
	}
	u, ok := declared[name]
	if !ok {
		return nil, diag.New(diag.UserNotSCRAM, "%s of service %s has no SCRAM password on cluster %s", name, service.Name, s.name).At(service.Position("identity/auth"))
	}
	return []plan.User{u}, nil
}

func sortedUsers(users map[string]plan.User) []string {
	var names []string
	for name := range users {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// iterations are what the cluster is told.
func (r rotation) iterations() int {
	if r.session.name == contract.Embedded {
		return minIterations
	}
	return r.args.iterations
}

// guarded makes a diagnostic the refusal of a guard.
func guarded(d diag.Diagnostic) error { return errors.Join(plan.ErrRefused, d) }
