package cli

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/internal/cli/view"
	"github.com/slipway-go/slipway/internal/dev"
)

func newDevCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "dev",
		Short: "Run a real Kafka on this machine",
		Long: `Runs Apache Kafka on this machine: three nodes with TLS, SCRAM, client
certificates and access rights, and a schema registry, as processes, without
containers. It needs Java 17 and, the first time, Maven. What it holds survives
dev down.`,
		Example: `  slipway dev up
  slipway dev status -o json
  slipway dev down`,
		Annotations: exits(exitOK, exitUsage),
	}
	c.AddCommand(newDevUpCommand(a), newDevDownCommand(a), newDevStatusCommand(a))
	return c
}

type devArgs struct {
	name       string
	firstPort  int
	foreground bool
	timeout    time.Duration
}

func (d devArgs) config(a *app) dev.Config {
	return dev.Config{
		Name: d.name, FirstPort: d.firstPort, StartTimeout: d.timeout, Getenv: a.sys.Getenv,
		Report: func(line string) { a.view.Note("%s", line) },
	}
}

func nameFlag(c *cobra.Command, name *string) {
	c.Flags().StringVar(name, "name", "default", "name of the instance; several can run side by side")
}

func newDevUpCommand(a *app) *cobra.Command {
	var args devArgs
	c := &cobra.Command{
		Use:   "up",
		Short: "Start Kafka and the registry, and say how to connect",
		Long: `Starts the instance in the background, returns when it is ready, and says how to
connect as each identity, with kcat and with the Java tools. With --foreground it
runs until Ctrl-C.`,
		Example: `  slipway dev up
  slipway dev up --name other --first-port 19092
  slipway dev up --foreground`,
		Annotations: exits(exitOK, exitError, exitUsage, exitInterrupted),
		Args:        arguments(0, 0, "no argument"),
		RunE: func(c *cobra.Command, _ []string) error {
			if args.timeout <= 0 {
				return usage("--timeout is not a time to come").WithFix("write it like 30s or 2m")
			}
			if args.foreground {
				return runDevForeground(c.Context(), a, args)
			}
			return runDevUp(c.Context(), a, args)
		},
	}
	nameFlag(c, &args.name)
	c.Flags().IntVar(&args.firstPort, "first-port", 0, "first of ten consecutive ports; 0 picks free ones")
	c.Flags().BoolVar(&args.foreground, "foreground", false, "run here until Ctrl-C, not in the background")
	timeoutFlag(c, &args.timeout, 2*time.Minute)
	c.Flags().Lookup("timeout").Usage = "how long the start may take, fetching excepted"
	outputFlag(c, a, view.Table, view.JSON, view.YAML, view.Name)
	return c
}

// runDevUp starts this program again, in the background.
func runDevUp(ctx context.Context, a *app, args devArgs) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	command := []string{
		self, "dev", "up", "--foreground", "--name", args.name,
		"--first-port", fmt.Sprint(args.firstPort), "--timeout", args.timeout.String(),
	}
	in, err := dev.Detach(ctx, args.config(a), command)
	if err != nil {
		return err
	}
	return a.view.Instance(in)
}

// runDevForeground runs the instance until it is interrupted or broken.
func runDevForeground(ctx context.Context, a *app, args devArgs) error {
	cluster, err := dev.Up(ctx, args.config(a))
	if err != nil {
		return err
	}
	in, err := dev.Status(ctx, args.config(a))
	if err == nil {
		err = a.view.Instance(in)
	}
	if err == nil {
		select {
		case err = <-cluster.Failed():
		case <-ctx.Done():
			err = errStopped
		}
	}
	a.view.Note("stopping")
	if failed := cluster.Close(); failed != nil {
		return failed
	}
	return err
}

func newDevDownCommand(a *app) *cobra.Command {
	var args devArgs
	c := &cobra.Command{
		Use:         "down",
		Short:       "Stop Kafka and the registry; what they hold stays",
		Example:     "  slipway dev down",
		Annotations: exits(exitOK, exitError, exitUsage, exitInterrupted),
		Args:        arguments(0, 0, "no argument"),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := dev.Down(c.Context(), args.config(a)); err != nil {
				return err
			}
			a.view.Note("instance %s is stopped; what it holds stays", args.name)
			return nil
		},
	}
	nameFlag(c, &args.name)
	return c
}

func newDevStatusCommand(a *app) *cobra.Command {
	var args devArgs
	c := &cobra.Command{
		Use:   "status",
		Short: "Show whether Kafka runs, where, and how to connect",
		Long: `Shows whether the instance runs and answers, where it listens, and how to connect
as each identity. Exits 2 unless everything answers.`,
		Example: `  slipway dev status
  slipway dev status -o json`,
		Annotations: exits(exitOK, exitError, exitFindings, exitUsage),
		Args:        arguments(0, 0, "no argument"),
		RunE: func(c *cobra.Command, _ []string) error {
			in, err := dev.Status(c.Context(), args.config(a))
			if err != nil {
				return err
			}
			if err := a.view.Instance(in); err != nil {
				return err
			}
			if !answers(in) {
				return errFindings
			}
			return nil
		},
	}
	nameFlag(c, &args.name)
	outputFlag(c, a, view.Table, view.JSON, view.YAML, view.Name)
	return c
}

// answers reports whether nothing of the instance is down.
func answers(in dev.Instance) bool {
	up := in.Ready && in.Registry.Answers
	for _, n := range in.Nodes {
		up = up && n.MTLS.Answers
	}
	return up
}
