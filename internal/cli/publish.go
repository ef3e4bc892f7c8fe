package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/internal/cli/view"
	"github.com/slipway-go/slipway/internal/share"
)

// shareTimeout is the usual time for publishing and pulling: many sources and a
// slow network fit.
const shareTimeout = 5 * time.Minute

type publishArgs struct {
	dir, to string
	dryRun  bool
	timeout time.Duration
}

func newContractPublishCommand(a *app) *cobra.Command {
	var args publishArgs
	c := &cobra.Command{
		Use:   "publish [DIR]",
		Short: "Give a contract to other repositories",
		Long: `Publishes the contract in DIR with the files it names, for the estates of other
repositories to pull. The contract is checked first, alone and in each of its
environments. What is there of the same service is replaced; who pulled it has
its digest in estate.lock. The contract of another service is never replaced.

--to is one of

  oci://registry/path:tag                          an OCI artifact
  git+https://host/path.git#branch:directory       files of a git branch
  git+ssh://git@host/path.git#branch:directory
  file:///path#branch:directory                    a git repository on this machine

The same contract gives the same artifact, to the byte, so publishing it again
changes nothing. A registry is spoken to by TLS, unless it is on this machine,
with the credentials of docker login (DOCKER_CONFIG). Git is the git program,
with the user's credential helpers and ssh keys; it asks nobody.`,
		Example: `  slipway contract publish --to oci://registry.example.com/contracts/payments:main
  slipway contract publish --to git+https://git.example.com/estate.git#main:payments
  slipway contract publish services/payments --to oci://registry.example.com/contracts/payments:main -o name`,
		Annotations: exits(exitOK, exitError, exitRefused, exitUsage, exitInterrupted),
		Args:        arguments(0, 1, "no more than a directory"),
		RunE: func(c *cobra.Command, rest []string) error {
			args.dir = directory(rest, 0)
			if args.to == "" {
				return usage("--to is missing").WithFix("say where to publish to, such as --to oci://registry.example.com/contracts/payments:main")
			}
			return bounded(c.Context(), args.timeout, func(ctx context.Context) error { return runContractPublish(ctx, a, args) })
		},
	}
	c.Flags().StringVar(&args.to, "to", "", "where to publish to")
	c.Flags().BoolVar(&args.dryRun, "dry-run", false, "check the contract and show what would be published")
	timeoutFlag(c, &args.timeout, shareTimeout)
	outputFlag(c, a, view.Table, view.JSON, view.YAML, view.Name)
	return c
}

func runContractPublish(ctx context.Context, a *app, args publishArgs) error {
	w, err := a.open(args.dir)
	if err != nil {
		return err
	}
	b, problems := share.Read(w.fsys, ".")
	if err := problems.Err(); err != nil {
		return err
	}
	a.warn(problems)
	publish := func() (share.Published, error) {
		return share.Publish(ctx, share.Config{Getenv: a.sys.Getenv}, b, args.to)
	}
	if args.dryRun {
		publish = func() (share.Published, error) { return share.Preview(b, args.to) }
	}
	got, err := publish()
	if err != nil {
		return err
	}
	return a.view.Publication(view.Publication{Published: got, DryRun: args.dryRun})
}
