package cli

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/config"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

func newConfigCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "config",
		Short: "Show what services are configured with, and where it is from",
		Long: `A service's configuration is put together from layers, the highest first: what
the program sets; --set; variables; the files of SECRETS_PATH, one for each key; other
sources, such as Vault; the directory that CONFIG_PATH names; config/<environment>.yaml and config/common.yaml beside
slipway.yaml; the contract; defaults. ENVIRONMENT chooses. Mappings merge deeply.

What a service has of its own it declares below config in slipway.yaml.
slipway explain KEY tells what a key takes.`,
		Example: `  slipway config show orders -e prod --source
  slipway config diff staging prod orders`,
		Annotations: exits(exitOK, exitUsage),
	}
	c.AddCommand(newConfigShowCommand(a), newConfigDiffCommand(a))
	return c
}

// A configured is a service's contract with the directory that it stands in.
type configured struct {
	service *contract.Service
	files   fs.FS
}

// configuredIn reads the contract of a service's own directory.
func configuredIn(a *app, dir string) (configured, error) {
	w, err := a.open(dir)
	if err != nil {
		return configured{}, err
	}
	service, problems := contract.Parse(w.fsys, contract.ServiceFile)
	if errors.Is(problems.Err(), diag.ContractMissing) {
		return configured{}, diag.New(diag.ContractMissing, "there is no %s in %s", contract.ServiceFile, dir).
			WithFix("name the directory of a service; slipway validate lists those below here")
	}
	if err := problems.Err(); err != nil {
		return configured{}, err
	}
	a.warn(problems)
	return configured{service, w.fsys}, nil
}

// preview puts together what a service started in an environment would have,
// and what it would lack.
func (c configured) preview(ctx context.Context, env string, environ []string, set map[string]string) (*config.Values, diag.List, error) {
	l, err := config.New(config.Config{
		Contract: c.service, Files: c.files, Flags: set,
		Environ: append(slices.Clone(environ), "ENVIRONMENT="+env),
	})
	if err != nil {
		return nil, nil, err
	}
	return l.Preview(ctx)
}

// environment is the one that is asked for, or that the shell names, or the
// only one that there is a file for.
func (c configured) environment(asked string, getenv func(string) string) (string, error) {
	if asked == "" {
		asked = getenv("ENVIRONMENT")
	}
	if asked != "" {
		return asked, nil
	}
	known := configFiles(c.files, ".")
	for _, env := range c.service.Environments {
		if !slices.Contains(known, env) {
			known = append(known, env)
		}
	}
	if len(known) == 1 {
		return known[0], nil
	}
	d := usage("--env is missing, and ENVIRONMENT is not set")
	if len(known) > 1 {
		slices.Sort(known)
		d = d.WithFix("name one of %s with -e", strings.Join(known, ", "))
	}
	return "", d
}

// configFiles are the environments that a directory of configuration has files
// for.
func configFiles(fsys fs.FS, dir string) (envs []string) {
	found, err := fs.ReadDir(fsys, path.Join(dir, "config"))
	if err != nil {
		return nil
	}
	for _, f := range found {
		if env, ok := strings.CutSuffix(f.Name(), ".yaml"); ok && env != "common" {
			envs = append(envs, env)
		}
	}
	return envs
}

// isConfigFile reports whether a file may hold secrets that a configuration
// has: lines of it are not to be repeated.
func isConfigFile(file string) bool { return path.Base(path.Dir(file)) == "config" }

// settings reads what --set was given.
func settings(c configured, given []string) (map[string]string, error) {
	set := map[string]string{}
	keys := config.KeysOf(c.service)
	for _, one := range given {
		key, text, found := strings.Cut(one, "=")
		if !found {
			return nil, usage("--set has no value").WithFix("write --set key=value")
		}
		if i := slices.IndexFunc(keys, func(k config.Key) bool { return k.Name == key }); i >= 0 && keys[i].Secret {
			return nil, diag.New(diag.CommandSecret, "--set %s: its value is a secret, which others can read on a command line", key).
				WithFix("give it in the variable %s", keys[i].Variables[0])
		}
		set[key] = text
	}
	return set, nil
}

// configProblems judges the configuration of every service whose contract is
// sound, in every environment. Values are not required: they may be at hand
// only where the service runs.
func configProblems(ctx context.Context, fsys fs.FS, services []*contract.Service, envs []string, told diag.List) (list diag.List) {
	for _, s := range services {
		unsound := slices.ContainsFunc(told, func(d diag.Diagnostic) bool {
			return d.Severity == diag.Error && d.Position.File == s.File()
		})
		if unsound {
			continue
		}
		list = append(list, config.Check(s)...)
		list = append(list, unusedFiles(fsys, s, envs)...)
		sub, err := fs.Sub(fsys, s.Dir())
		if err != nil || list.Failed() {
			continue
		}
		for _, env := range envs {
			list = append(list, configIn(ctx, s, sub, env)...)
		}
	}
	return list
}

// configIn judges what one environment's files say.
func configIn(ctx context.Context, s *contract.Service, files fs.FS, env string) diag.List {
	l, err := config.New(config.Config{Contract: s, Files: files, Environ: []string{"ENVIRONMENT=" + env}})
	var v *config.Values
	if err == nil {
		v, _, err = l.Preview(ctx)
	}
	list := diag.Of(err)
	if err == nil {
		list = v.Warnings()
	}
	for i := range list {
		if isConfigFile(list[i].Position.File) {
			list[i].Position.File = path.Join(s.Dir(), list[i].Position.File)
		}
	}
	return list
}

// unusedFiles warns of files for environments that there are not.
func unusedFiles(fsys fs.FS, s *contract.Service, envs []string) (list diag.List) {
	known := map[string]bool{}
	for _, env := range slices.Concat(envs, s.Environments) {
		known[env] = true
	}
	for _, env := range configFiles(fsys, s.Dir()) {
		if known[env] {
			continue
		}
		file := path.Join(s.Dir(), "config", env+".yaml")
		d := diag.Warn(diag.ConfigFileUnused, "%s is not read: there is no environment %s", file, env).At(diag.Position{File: file})
		if near := contract.Nearest(env, slices.Sorted(maps.Keys(known))); near != "" {
			d = d.WithFix("did you mean %s.yaml?", near)
		}
		list.Add(d)
	}
	return list
}
