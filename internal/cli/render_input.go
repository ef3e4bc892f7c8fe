package cli

import (
	"context"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/image"
	"github.com/slipway-go/slipway/render"
	"github.com/slipway-go/slipway/render/kustomize"
)

// rendered are the files of the target.
func rendered(ctx context.Context, a *app, args renderArgs) ([]render.File, error) {
	switch {
	case args.check && args.out == "":
		return nil, usage("--check needs a directory to compare with").WithFix("name it with -o")
	case args.check && args.force:
		return nil, usage("--check writes nothing, so there is nothing to --force").WithFix("leave one of them out")
	}
	target, err := findTarget(args)
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
	_, unlisted := w.read(contract.ClustersFile)
	in := render.Input{Estate: estate, Runbooks: args.runbooks}
	if in.Environment, err = args.environment(estate); err != nil {
		return nil, err
	}
	if unlisted != nil && !slices.Contains(environments(estate), in.Environment) {
		return nil, diag.New(diag.ClusterEnvironment, "environment %.60q is not known: there is no %s in %s", in.Environment, contract.ClustersFile, args.dir).
			WithFix("name the directory that %s is in, or write one: %s", contract.ClustersFile, leastDocs)
	}
	if target.Name == kustomize.Target().Name {
		if err := carried(ctx, w, in).Err(); err != nil {
			return nil, err
		}
	}
	files, err := target.Files(in)
	if unlisted != nil {
		err = wantsClusters(err)
	}
	return files, err
}

// leastDocs shows the least that clusters.yaml says of where services run.
const leastDocs = "https://github.com/slipway-go/slipway/blob/main/docs/manifests.md#the-least-there-has-to-be"

// wantsClusters tells of the file that is missing, where a problem would be in it.
func wantsClusters(err error) error {
	list := diag.Of(err)
	for i, d := range list {
		if d.Position.File == "" {
			list[i] = d.WithFix("write %s, which says where services run: %s", contract.ClustersFile, leastDocs)
		}
	}
	if len(list) == 0 {
		return err
	}
	return list
}

// findTarget is [render.Find], with a fix for a directory in the target's place
// and for a slip of the pen.
func findTarget(args renderArgs) (render.Target, error) {
	target, err := render.Find(targets(), args.target)
	if err == nil {
		return target, nil
	}
	d := diag.Of(err)[0]
	var known []string
	for _, t := range targets() {
		known = append(known, t.Name)
	}
	info, statErr := os.Stat(args.target)
	switch near := nearest(args.target, known); {
	case slices.Contains(known, args.dir):
		return target, d.WithFix("the target comes first: slipway render %s %s", args.dir, args.target)
	case statErr == nil && info.IsDir():
		return target, d.WithFix("name the target, then the directory: slipway render %s %s", known[0], args.target)
	case statErr == nil || strings.Contains(args.target, "/"):
		return target, diag.New(diag.CommandDirectory, "%s is neither a target nor a directory", args.target).
			WithFix("name a directory that holds contracts, or a target that slipway render --list names")
	case near != "":
		return target, d.WithFix("did you mean %s? slipway render --list names all of them", near)
	}
	return target, err
}

// environment is the one that -e names, or the only one there is. Kustomize's
// overlays are of every environment below platform, so any of them says the same;
// a Dockerfile is of none.
func (args renderArgs) environment(e *contract.Estate) (string, error) {
	all := environments(e)
	runs := slices.Sorted(maps.Keys(e.Clusters.Platforms))
	switch {
	case args.env != "":
		return args.env, nil
	case len(all) == 1, len(all) > 0 && args.target == image.Dockerfile().Name:
		return all[0], nil
	case len(runs) > 0 && args.target == kustomize.Target().Name:
		return runs[0], nil
	}
	return "", usage("--env is missing: the estate has the environments %s", strings.Join(all, ", ")).
		WithFix("name one of them with -e")
}

// carried judges the configuration files that overlays take along: what a service
// would not start with, and secrets, which a ConfigMap would show to everybody.
func carried(ctx context.Context, w *workspace, in render.Input) (list diag.List) {
	envs := map[string]bool{in.Environment: true}
	for env := range in.Estate.Clusters.Platforms {
		envs[env] = true
	}
	for _, s := range in.Estate.Services {
		files := maps.Collect(s.ConfigFiles())
		sub, err := fs.Sub(w.fsys, s.Dir())
		if err != nil || len(files) == 0 || s.Workload == nil {
			continue
		}
		for _, env := range slices.Sorted(maps.Keys(envs)) {
			list = append(list, carriedIn(ctx, s, sub, env)...)
		}
	}
	list.Sort()
	return compact(list)
}

// carriedIn judges one service's files of one environment.
func carriedIn(ctx context.Context, s *contract.Service, files fs.FS, env string) (list diag.List) {
	for _, d := range configIn(ctx, s, files, env) {
		if d.Code == diag.ConfigSecretInFile {
			d.Severity = diag.Error
		}
		if d.Severity == diag.Error {
			list.Add(d)
		}
	}
	return list
}
