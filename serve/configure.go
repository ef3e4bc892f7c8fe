package serve

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"text/tabwriter"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/config"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

const contractFile = "slipway.yaml"

// A configuration is what a process runs with, and where it hears of changes.
type configuration struct {
	loader *config.Loader
	values *config.Values
	env    slipway.Environment
	level  *slog.LevelVar // log.level
}

// configure puts together what the service is configured with. Where it could
// be read and is not enough to run with, both results say so.
func (p process) configure(ctx context.Context) (*configuration, error) {
	if err := unnamed(p.lookup); err != nil {
		return nil, err
	}
	svc, faults := contract.Parse(p.Files, contractFile)
	if err := faults.Err(); err != nil {
		return nil, err
	}
	loader, err := config.New(config.Config{
		Contract: svc, Files: p.Files, Dir: p.dir, Environ: p.environ, Flags: p.set, Set: p.Set, Sources: p.Sources,
	})
	if err != nil {
		return nil, err
	}
	values, missing, err := loader.Preview(ctx)
	if err != nil {
		return nil, err
	}
	name, _ := p.lookup("ENVIRONMENT")
	env, err := slipway.EnvironmentOf(strings.TrimSpace(name), values)
	c := &configuration{loader: loader, values: values, env: env, level: new(slog.LevelVar)}
	c.level.Set(levelOf(values))
	return c, append(missing, diag.Of(err)...).Err()
}

// unnamed finds that nobody said which environment this is, before anything is
// missed that its files would say.
func unnamed(lookup func(string) (string, bool)) error {
	_, err := slipway.EnvironmentFrom(lookup)
	of := slices.DeleteFunc(diag.Of(err), func(d diag.Diagnostic) bool { return !strings.HasPrefix(d.Message, "ENVIRONMENT ") })
	return of.Err()
}

// levelOf is what is logged, from log.level.
func levelOf(v *config.Values) (level slog.Level) {
	_ = level.UnmarshalText([]byte(v.Text("log.level"))) // its values are all levels
	return level
}

// follow makes the app take over changes while it runs. A change that cannot be
// used changes nothing: neither what the app does nor whether it is ready.
func (c *configuration) follow(app *slipway.App) {
	warned := c.warn(app.Logger(), c.values, "")
	apply := func(next *config.Values, err error) {
		if err == nil {
			_, err = slipway.EnvironmentOf(c.env.Name, next) // or the next start would fail
		}
		if err != nil {
			app.Misconfigured(err)
			return
		}
		if _, err := app.Reconfigure(next); err == nil {
			c.level.Set(levelOf(next))
			warned = c.warn(app.Logger(), next, warned)
		}
	}
	app.Go("follow configuration", func(ctx context.Context) error { return c.loader.Follow(ctx, c.values, apply) })
}

// warn logs what is likely not meant, unless that was told already, and returns
// it.
func (c *configuration) warn(log *slog.Logger, v *config.Values, told string) string {
	all := v.Warnings()
	text := all.Text()
	if text != told {
		for _, d := range all {
			log.Warn("configuration: "+d.Message, "code", d.Code, "at", d.Position.String(), "fix", d.Remedy())
		}
	}
	return text
}

// print writes every value and where it comes from; secrets are masked.
func (c *configuration) print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "KEY\tVALUE\tSOURCE")
	for _, v := range c.values.All() {
		fmt.Fprintf(t, "%s\t%s\t%s\n", v.Key, diag.Escape(v.Text), diag.Escape(v.Source))
	}
	return t.Flush()
}

// configured is how the app is configured, for whoever operates it.
func configured(app *slipway.App) map[string]any {
	now := app.Configuration()
	answer := map[string]any{
		"environment": app.Environment().Name, "hash": app.Settings().Hash(), "values": app.Settings().All(),
		"pending": append([]config.Change{}, now.Pending...), "rejected": []diag.Diagnostic{},
	}
	if now.Rejected != nil {
		answer["rejected"], answer["rejected_since"] = rejected(now.Rejected), now.Since.UTC()
	}
	return answer
}

// rejected is why a configuration was refused, each fault with its fix.
func rejected(err error) diag.List {
	faults := slices.Clone(diag.Of(err))
	if len(faults) == 0 {
		faults.Add(diag.New(diag.SettingsRefused, "%v", err))
	}
	for i := range faults {
		faults[i].Fix = faults[i].Remedy()
	}
	return faults
}
