package cli

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/internal/up"
)

type upArgs struct {
	dir     string
	env     string
	broker  string
	store   string
	command []string
	timeout time.Duration
}

func newUpCommand(a *app) *cobra.Command {
	var args upArgs
	c := &cobra.Command{
		Use:   "up [DIR] [-- COMMAND...]",
		Short: "Run all services of a directory with a Kafka of their own",
		Long: `Starts a Kafka cluster and a schema registry, creates on them what the contracts
in DIR call for, and builds and runs every service as a process with nothing but
its own identity. A service that ends is started again. Ctrl-C takes everything
down; records do not survive.

A program that embeds config/ follows its files while it runs: edit config/dev.yaml,
and the service takes it over.

While it runs, slipway dlq, group, saga and schema work on it from another
terminal: they find it by DIR and need no login.

The embedded broker needs nothing but Go. --broker kafka runs Apache Kafka as
processes, which needs Java and Maven.

Services find a database of their own in DATABASE_URL: a SQLite file, or with
--store postgres one on a Postgres server that is started for the run (from the
programs of an installed Postgres), or with --store postgres://user@host/db one
on a server that is there already. Databases are removed when the run ends.

With a COMMAND, it runs in DIR once everything consumes, with the addresses and
an identity that may read in its environment. When it ends, everything is taken
down, and slipway exits with the command's status.`,
		Example: `  slipway up
  slipway up examples/shop --broker kafka
  slipway up examples/shop --store postgres
  slipway up examples/shop -- go run ./drive -orders 10000`,
		Annotations: exits(exitOK, exitError, exitUsage, exitOwn, exitInterrupted),
		RunE: func(c *cobra.Command, rest []string) error {
			dirs := rest
			if n := c.ArgsLenAtDash(); n >= 0 {
				dirs, args.command = rest[:n], rest[n:]
				if len(args.command) == 0 {
					return usage("there is no command after --").WithFix("name a command, or leave -- out")
				}
			}
			if err := arguments(0, 1, "no more than a directory")(c, dirs); err != nil {
				return err
			}
			args.dir = directory(dirs, 0)
			return runUp(c.Context(), a, args)
		},
	}
	choiceFlag(c, &args.broker, "broker", "", "broker to run; may be left out for what clusters.yaml says", up.EmbeddedBroker, up.KafkaBroker)
	c.Flags().StringVar(&args.store, "store", up.SQLiteStore, "where services have their databases: sqlite, postgres, or the URL of a Postgres server")
	c.Flags().StringVarP(&args.env, "env", "e", "dev", "environment, as in clusters.yaml")
	timeoutFlag(c, &args.timeout, time.Minute)
	c.Flags().Lookup("timeout").Usage = "how long services may take until everything consumes"
	return c
}

func runUp(ctx context.Context, a *app, args upArgs) error {
	if args.timeout <= 0 {
		return usage("--timeout is not a time to come").WithFix("write it like 30s or 2m")
	}
	out, live := a.sys.Out, a.sys.OutTerminal
	if len(args.command) > 0 { // whose output is the answer
		out, live = a.sys.Err, a.sys.ErrTerminal
	}
	a.base(args.dir)
	told := a.view.Run(out, live)
	observe := func(e up.Event) {
		told.Show(e)
		if _, ready := e.(up.Ready); ready && len(args.command) == 0 {
			told.Show(up.Note{Text: "Ctrl-C takes everything down"})
		}
	}
	got, err := up.Run(ctx, up.Config{
		Dir: args.dir, Broker: args.broker, Store: args.store, Command: args.command, Env: args.env, ReadyTimeout: args.timeout,
		Kill: a.sys.Kill, Observe: observe,
		Stdin: file(a.sys.In), Stdout: file(a.sys.Out), Stderr: file(a.sys.Err),
	})
	switch {
	case errors.Is(err, errInterrupted):
		return errStopped // the run told so
	case err != nil && len(args.command) > 0:
		return &ownError{err}
	case err != nil:
		return err
	case got.Status != 0:
		return &childError{got.Status}
	}
	return nil
}

// file is a stream as a command can have it, or nothing.
func file(stream any) *os.File {
	f, _ := stream.(*os.File)
	return f
}
