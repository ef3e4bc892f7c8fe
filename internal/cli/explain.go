package cli

import (
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/config"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/cli/view"
	"github.com/slipway-go/slipway/plan"
)

type explainArgs struct {
	name string
	dir  string
	env  string
}

func newExplainCommand(a *app) *cobra.Command {
	var args explainArgs
	c := &cobra.Command{
		Use:   "explain NAME|CODE [DIR]",
		Short: "Say why a topic, group, user or ACL exists, or what a code or a key means",
		Long: `Says why something exists: a topic, consumer group, user or principal, schema
subject, prefix of transactional ids, or an ACL as plan prints it. The answer
names the contract entries it follows from and who may do what to it.

Of a key of the configuration, such as kafka.consumer.concurrency or a setting of
a service's own, it tells what the key takes, and whether a change takes a restart.

Of a diagnostic code, such as SLP-CON-010, it tells the cause and the fix.

Without --env the environments are tried in turn, dev first.`,
		Example: `  slipway explain orders.created.v1
  slipway explain svc-inventory-prod -e prod
  slipway explain kafka.consumer.concurrency
  slipway explain SLP-CON-010`,
		Annotations: exits(exitOK, exitError, exitUsage),
		Args:        arguments(1, 2, "a name or a code"),
		RunE: func(_ *cobra.Command, rest []string) error {
			args.name, args.dir = rest[0], directory(rest, 1)
			return runExplain(a, args)
		},
	}
	environmentFlag(c, &args.env)
	outputFlag(c, a, view.Table, view.JSON, view.YAML, view.Name)
	return c
}

// codeForm is what a code looks like, however it was copied.
var codeForm = regexp.MustCompile(`(?i)^(?:error|warning)?\[?(SLP-[A-Z]{3}-[0-9]{3})\]?:?$`)

func runExplain(a *app, args explainArgs) error {
	if m := codeForm.FindStringSubmatch(args.name); m != nil {
		return explainCode(a, diag.Code(strings.ToUpper(m[1])))
	}
	if strings.HasPrefix(strings.ToUpper(args.name), "SLP-") {
		return explainCode(a, diag.Code(strings.ToUpper(args.name)))
	}
	if k, found := configKey(config.Keys(), args.name); found {
		return a.view.ConfigKey(k)
	}
	w, err := a.open(args.dir)
	if err != nil {
		return err
	}
	estate, err := a.valid(w)
	if err != nil {
		return err
	}
	env, found, err := explainName(estate, args)
	if err != nil {
		for _, s := range estate.Services {
			if k, own := configKey(config.KeysOf(s), args.name); own {
				return a.view.ConfigKey(k)
			}
		}
		return err
	}
	return a.view.Explanations(env, found)
}

// configKey is the key of a configuration that has the name.
func configKey(keys []config.Key, name string) (config.Key, bool) {
	for _, k := range keys {
		if k.Name == name {
			return k, true
		}
	}
	return config.Key{}, false
}

func explainCode(a *app, code diag.Code) error {
	entry, ok := diag.Lookup(code)
	if ok {
		return a.view.Code(entry)
	}
	var known []string
	for _, e := range diag.Catalogue() {
		known = append(known, string(e.Code))
	}
	d := diag.New(diag.CommandUnknownCode, "there is no code %s", code)
	if near := nearest(string(code), known); near != "" {
		d = d.WithFix("did you mean %s?", near)
	}
	return d
}

// explainName asks the environments in turn and keeps the first answer, or
// else the first refusal.
func explainName(estate *contract.Estate, args explainArgs) (string, []plan.Explanation, error) {
	envs := []string{args.env}
	if args.env == "" {
		envs = environments(estate)
		slices.SortStableFunc(envs, func(x, y string) int { return rank(x) - rank(y) })
	}
	var refused error
	for _, env := range envs {
		resolved, problems := estate.In(env)
		if err := problems.Err(); err != nil {
			return "", nil, err
		}
		found, err := plan.Explain(resolved, args.name)
		if err == nil {
			return env, found, nil
		}
		if refused == nil || better(err, refused) {
			refused = err
		}
	}
	return "", nil, refused
}

func rank(env string) int {
	if env == "dev" {
		return 0
	}
	return 1
}

// better reports whether a refusal suggests names where the other does not.
func better(err, other error) bool {
	suggests := func(err error) bool {
		return slices.ContainsFunc(diag.Of(err), func(d diag.Diagnostic) bool { return d.Fix != "" })
	}
	return suggests(err) && !suggests(other)
}
