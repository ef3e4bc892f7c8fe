package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/internal/cli/view"
	"github.com/slipway-go/slipway/render"
	"github.com/slipway-go/slipway/render/monitoring"
)

// targets are what can be rendered, in the order in which they are listed.
func targets() []render.Target {
	return []render.Target{monitoring.Prometheus(), monitoring.Grafana()}
}

type renderArgs struct {
	target, dir, env, out, runbooks string
	check, force, list              bool
}

func newRenderCommand(a *app) *cobra.Command {
	var args renderArgs
	c := &cobra.Command{
		Use:   "render TARGET [DIR]",
		Short: "Write files that follow from the contracts",
		Long: `Writes the files of a TARGET that follow from the contracts below DIR, for one
environment. The same contracts give the same bytes. --list names the targets.

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
  slipway render prometheus -e prod -o monitoring
  slipway render grafana -e prod -o dashboards
  slipway render prometheus -e prod -o monitoring --check    in a pipeline`,
		Annotations: exits(exitOK, exitError, exitFindings, exitRefused, exitUsage),
		Args:        arguments(0, 2, "a target"),
		RunE: func(_ *cobra.Command, rest []string) error {
			args.dir = directory(rest, 1)
			if len(rest) > 0 {
				args.target = rest[0]
			}
			return runRender(a, args)
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

func runRender(a *app, args renderArgs) error {
	if args.list {
		return a.view.Targets(targets())
	}
	files, err := rendered(a, args)
	switch {
	case err != nil:
		return err
	case args.out == "":
		return a.view.Files(files)
	case args.check:
		return checkRendered(a, args, files)
	}
	changed, err := render.Write(args.out, args.target, files, render.Overwrite(args.force))
	if err != nil {
		return err
	}
	return a.view.Rendered(view.Rendered{Dir: args.out, Files: len(files), Changed: changed})
}

// rendered are the files of the target.
func rendered(a *app, args renderArgs) ([]render.File, error) {
	switch {
	case args.target == "":
		return nil, usage("slipway render needs a target").WithFix("run slipway render --list to see them")
	case args.check && args.out == "":
		return nil, usage("--check needs a directory to compare with").WithFix("name it with -o")
	case args.check && args.force:
		return nil, usage("--check writes nothing, so there is nothing to --force").WithFix("leave one of them out")
	}
	target, err := render.Find(targets(), args.target)
	if err != nil {
		return nil, err
	}
	w, err := a.open(args.dir)
	if err != nil {
		return nil, err
	}
	estate, err := a.valid(w)
	if err != nil {
		return nil, err
	}
	in := render.Input{Estate: estate, Environment: args.env, Runbooks: args.runbooks}
	if in.Environment == "" {
		all := environments(estate)
		if len(all) != 1 {
			return nil, usage("--env is missing: the estate has the environments %s", strings.Join(all, ", ")).
				WithFix("name one of them with -e")
		}
		in.Environment = all[0]
	}
	return target.Files(in)
}

func checkRendered(a *app, args renderArgs, files []render.File) error {
	differ, err := render.Check(args.out, args.target, files)
	if err != nil {
		return err
	}
	err = a.view.Rendered(view.Rendered{Dir: args.out, Files: len(files), Changed: differ, Check: true})
	if err == nil && len(differ) > 0 {
		return errFindings
	}
	return err
}
