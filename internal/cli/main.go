package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/cli/view"
)

// A System is what a command finds around it.
type System struct {
	In       io.Reader
	Out, Err io.Writer
	Getenv   func(string) string
	Environ  []string // all variables, as os.Environ returns them

	OutTerminal bool // Out is a terminal
	ErrTerminal bool // Err is a terminal
	Terminal    bool // someone can be asked: In and Err are a terminal

	// Kill is closed when the user will not wait for a good end.
	Kill <-chan struct{}
}

// A Process is what the operating system gives a program.
type Process struct {
	Args         []string // without the program's name
	In, Out, Err *os.File
	Getenv       func(string) string
	Environ      []string
	Exit         func(status int)
}

// system is what a command finds around it in the process.
func (p Process) system(kill <-chan struct{}) System {
	tty := func(f *os.File) bool { return isatty.IsTerminal(f.Fd()) }
	return System{
		In: p.In, Out: p.Out, Err: p.Err, Getenv: p.Getenv, Environ: p.Environ, Kill: kill,
		OutTerminal: tty(p.Out), ErrTerminal: tty(p.Err), Terminal: tty(p.In) && tty(p.Err),
	}
}

// Run runs a process's command line and returns the exit status. The first
// Ctrl-C, SIGTERM or SIGHUP ends the command in good order, the second ends
// its waiting, the third ends the process.
func Run(p Process) int {
	ctx, interrupt := context.WithCancelCause(context.Background())
	defer interrupt(nil)
	kill := make(chan struct{})
	signals := make(chan os.Signal, 3)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // as under nohup
		signal.Notify(signals, syscall.SIGHUP)
	}
	go func() {
		<-signals
		interrupt(errInterrupted)
		<-signals
		close(kill)
		<-signals
		p.Exit(exitInterrupted)
	}()
	return Main(ctx, p.Args, p.system(kill))
}

// app is one run of the command.
type app struct {
	sys       System
	view      *view.View
	workspace *workspace // nil until a command opens one
	warnings  diag.List  // to be told at the end
	unhelpful error      // why help could not be written
}

// Main runs a command line, without the program's name, and returns the exit
// status. When ctx ends, the command stops in good order and the status says
// that it was interrupted.
func Main(ctx context.Context, args []string, sys System) int {
	a := &app{sys: sys, view: &view.View{Out: sys.Out, Err: sys.Err, Color: sys.color()}}
	defer func() { a.workspace.Close() }()
	return a.report(ctx, a.run(ctx, args))
}

// color reports whether Err takes colour and the user has nothing against it.
func (s System) color() bool {
	return s.ErrTerminal && s.Getenv("NO_COLOR") == "" && s.Getenv("TERM") != "dumb"
}

func (a *app) run(ctx context.Context, args []string) error {
	if err := refuseSecrets(args); err != nil {
		return err
	}
	root := newRoot(a)
	root.SetArgs(args)
	return errors.Join(root.ExecuteContext(ctx), a.unhelpful)
}

// newRoot is the whole command tree.
func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "slipway",
		Short: "Take a Go service on Apache Kafka from contract to live",
		Long: `Slipway takes a Go service on Apache Kafka from contract to live.

One file per service, slipway.yaml, says what it produces and consumes. From it
slipway derives topics, access rights, users and schema registrations, and makes
a cluster match.`,
		Example: `  slipway init hello           write a service that works
  slipway validate             check all contracts below this directory
  slipway up                   run everything here, with a Kafka of its own
  slipway plan -e prod         show what a cluster lacks, and why`,
		Annotations:       exits(exitOK, exitUsage),
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	root.AddCommand(
		newInitCommand(a), newValidateCommand(a), newContractCommand(a), newConfigCommand(a), newExplainCommand(a),
		newPlanCommand(a), newApplyCommand(a), newDriftCommand(a), newUpCommand(a), newDevCommand(a), newDLQCommand(a),
		newGroupCommand(a), newLagCommand(a), newACLCommand(a), newUserCommand(a), newQuotaCommand(a), newConnectCommand(a), newImportCommand(a), newEstateCommand(a), newPKICommand(a), newSagaCommand(a), newSchemaCommand(a), newRenderCommand(a), newImageCommand(a), newCompletionCommand(a), newVersionCommand(a),
	)
	var version bool
	root.Flags().BoolVarP(&version, "version", "v", false, "print the version")
	dress(root, a)
	root.RunE = func(c *cobra.Command, args []string) error {
		if version && len(args) == 0 {
			return a.view.Build(build())
		}
		return group(c, args)
	}
	return root
}
