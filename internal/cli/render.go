package cli

import (
	"context"
	"os"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/image"
	"github.com/slipway-go/slipway/internal/cli/view"
	"github.com/slipway-go/slipway/render"
	"github.com/slipway-go/slipway/render/argocd"
	"github.com/slipway-go/slipway/render/asyncapi"
	"github.com/slipway-go/slipway/render/autoscaling"
	"github.com/slipway-go/slipway/render/broker"
	"github.com/slipway-go/slipway/render/compose"
	"github.com/slipway-go/slipway/render/credentials"
	"github.com/slipway-go/slipway/render/istio"
	"github.com/slipway-go/slipway/render/kustomize"
	"github.com/slipway-go/slipway/render/monitoring"
	"github.com/slipway-go/slipway/render/pipeline"
	"github.com/slipway-go/slipway/render/strimzi"
)

// targets are what can be rendered, in the order in which they are listed. The
// first is rendered where none is named.
func targets() []render.Target {
	return []render.Target{
		kustomize.Target(), autoscaling.Target(), istio.Target(), argocd.Target(),
		credentials.CertManager(), credentials.ExternalSecrets(), credentials.Vault(),
		strimzi.Target(), broker.Target(), compose.Target(),
		monitoring.Prometheus(), monitoring.Grafana(),
		asyncapi.Target(), pipeline.Target(), image.Dockerfile(),
	}
}

type renderArgs struct {
	target, dir, env, out, runbooks string
	check, force, list              bool
}

func newRenderCommand(a *app) *cobra.Command {
	var args renderArgs
	c := &cobra.Command{
		Use:   "render [TARGET] [DIR]",
		Short: "Write files that follow from the contracts",
		Long: `Writes the files of a TARGET that follow from the contracts below DIR, for one
environment. The same contracts give the same bytes. --list names the targets;
without one it is kustomize: what Kubernetes runs the services by. It writes the
overlays of every environment below platform in clusters.yaml, and of the one
that -e names, so -e may be left out where there is a platform. A Dockerfile is
the same in every environment.

Without -o the files go to standard output, one after the other. With it they go
into a directory, where they are meant to be committed. Beside them stands a list
with their checksums, so that a file that slipway did not write, or that somebody
has edited, is never written over without --force, and one that no longer follows
from the contracts is removed.

--check writes nothing and compares: it ends with 2 if the directory is not what
would be written. A pipeline that runs it keeps a repository true.

The alerts of the target prometheus link to a runbook each. --runbooks names the
address that your copies of docs/runbooks are below.`,
		Example: `  slipway render --list
  slipway render -o deploy                                   # every overlay, for Kubernetes
  slipway render -o deploy --check                           # in a pipeline
  slipway render kustomize services -e prod -o deploy        # contracts below services
  slipway render autoscaling -e prod -o deploy/_autoscaling/prod
  slipway render dockerfile -o .
  slipway render prometheus -e prod -o monitoring
  slipway render grafana -e prod -o monitoring`,
		Annotations: exits(exitOK, exitError, exitFindings, exitRefused, exitUsage),
		Args:        arguments(0, 2, "a target"),
		RunE: func(c *cobra.Command, rest []string) error {
			if args.list {
				return listTargets(a, c, rest)
			}
			args.target, args.dir = targets()[0].Name, directory(rest, 0)
			if !onlyDirectory(rest) {
				args.target, args.dir = rest[0], directory(rest, 1)
			}
			return runRender(c.Context(), a, args)
		},
	}
	environmentFlag(c, &args.env)
	c.Flags().StringVarP(&args.out, "output", "o", "", "the directory to write to; standard output if empty")
	c.Flags().StringVar(&args.runbooks, "runbooks", render.DefaultRunbooks, "the address that runbooks are below")
	c.Flags().BoolVar(&args.check, "check", false, "compare with what is there, and write nothing")
	c.Flags().BoolVar(&args.force, "force", false, "write over files that were edited or written by others")
	c.Flags().BoolVar(&args.list, "list", false, "name the targets")
	return c
}

// onlyDirectory reports whether no target is named: there is nothing, or a
// directory that is no target's name.
func onlyDirectory(rest []string) bool {
	if len(rest) != 1 {
		return len(rest) == 0
	}
	if _, err := render.Find(targets(), rest[0]); err == nil {
		return false
	}
	info, err := os.Stat(rest[0])
	return err == nil && info.IsDir()
}

// listTargets names the targets, and refuses what has no meaning beside --list.
func listTargets(a *app, c *cobra.Command, rest []string) error {
	for _, name := range []string{"output", "check", "force", "env", "runbooks"} {
		if len(rest) > 0 || c.Flags().Changed(name) {
			return usage("--list names the targets, and renders nothing").WithFix("leave out --list to render, or everything else to see the targets")
		}
	}
	return a.view.Targets(targets())
}

func runRender(ctx context.Context, a *app, args renderArgs) error {
	files, err := rendered(ctx, a, args)
	switch {
	case err != nil:
		return err
	case args.out == "":
		if len(files) == 0 {
			a.view.Note("%s has no file of these contracts", args.target)
		}
		return a.view.Files(files)
	case args.check:
		return checkRendered(a, args, files)
	}
	changed, err := render.Write(args.out, args.target, files, render.Overwrite(args.force))
	if err != nil {
		return err
	}
	return a.view.Rendered(view.Rendered{Target: args.target, Dir: args.out, Files: len(files), Changed: changed})
}

func checkRendered(a *app, args renderArgs, files []render.File) error {
	differ, err := render.Check(args.out, args.target, files)
	if err != nil {
		return err
	}
	err = a.view.Rendered(view.Rendered{Target: args.target, Dir: args.out, Files: len(files), Changed: differ, Check: true})
	if err == nil && len(differ) > 0 {
		return errFindings
	}
	return err
}
