package cli

import (
	"context"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/cli/view"
)

type validateArgs struct {
	dir    string
	file   string
	strict bool
}

func newValidateCommand(a *app) *cobra.Command {
	var args validateArgs
	c := &cobra.Command{
		Use:   "validate [DIR]",
		Short: "Check contracts, alone and together, in every environment",
		Long: `Checks every contract in DIR and below, by itself and against the others, with
clusters.yaml and external.yaml, in every environment, and what config/ beside it
says there. DIR is the current
directory if left out. Nothing is sent anywhere.`,
		Example: `  slipway validate
  slipway validate examples/shop --strict
  slipway validate -f orders/slipway.yaml     one contract, without the others
  slipway validate -o json`,
		Annotations: exits(exitOK, exitFindings, exitUsage),
		Args:        arguments(0, 1, "no more than a directory"),
		RunE: func(c *cobra.Command, rest []string) error {
			args.dir = directory(rest, 0)
			if args.file != "" && len(rest) > 0 {
				return usage("--file and a directory were both given").WithFix("name one of them")
			}
			return runValidate(c.Context(), a, args)
		},
	}
	c.Flags().StringVarP(&args.file, "file", "f", "", "check this contract alone")
	c.Flags().BoolVar(&args.strict, "strict", false, "warnings are findings: exit 2 if there is one")
	outputFlag(c, a, view.Table, view.JSON, view.YAML, view.Name)
	return c
}

func runValidate(ctx context.Context, a *app, args validateArgs) error {
	got, err := validation(ctx, a, args)
	if err != nil {
		return err
	}
	if err := a.view.Validation(got); err != nil {
		return err
	}
	switch {
	case !got.Valid:
		return errInvalid
	case args.strict && len(got.Problems) > 0:
		return errFindings
	}
	return nil
}

func validation(ctx context.Context, a *app, args validateArgs) (view.Validation, error) {
	if args.file != "" {
		args.dir = filepath.Dir(args.file)
	}
	w, err := a.open(args.dir)
	if err != nil {
		return view.Validation{}, err
	}
	if args.file != "" {
		return validateFile(ctx, w, filepath.Base(args.file)), nil
	}
	estate, problems := w.validate()
	problems = append(problems, configProblems(ctx, w.fsys, estate.Services, environments(estate), problems)...)
	problems.Sort()
	problems = compact(problems)
	got := view.Validation{Valid: !problems.Failed(), Environments: environments(estate), Problems: problems}
	for _, s := range estate.Services {
		got.Services = append(got.Services, s.Name)
	}
	return got, nil
}

// validateFile judges one contract with each of its own environments.
func validateFile(ctx context.Context, w *workspace, file string) view.Validation {
	service, problems := contract.Parse(w.fsys, file)
	got := view.Validation{Alone: true}
	if service != nil {
		got.Services, got.Environments = []string{service.Name}, service.Environments
		problems = append(problems, overlays(service, problems)...)
		envs := slices.Concat(service.Environments, configFiles(w.fsys, service.Dir()))
		problems = append(problems, configProblems(ctx, w.fsys, []*contract.Service{service}, envs, problems)...)
	}
	problems.Sort()
	got.Problems = compact(problems)
	got.Valid = !problems.Failed()
	return got
}

// overlays judges the environments of a contract that is sound without them.
func overlays(service *contract.Service, told diag.List) diag.List {
	if told.Failed() {
		return nil
	}
	var problems diag.List
	for _, env := range service.Environments {
		_, more := service.In(env)
		problems = append(problems, more...)
	}
	return problems
}
