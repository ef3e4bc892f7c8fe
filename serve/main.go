package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/schema"
)

// The exit statuses of [Main].
const (
	exitOK          = 0
	exitFailed      = 1
	exitMisfit      = 64
	exitInterrupted = 130
)

// Main runs a service and exits the process. files holds slipway.yaml and the
// schemas it names, wire registers handlers and producers, codecs are the
// schema formats the service uses. A [Service] can say more.
func Main(files fs.FS, wire func(*slipway.App) error, codecs ...schema.Codec) {
	Service{Files: files, Wire: wire, Codecs: codecs}.Main()
}

// A Service is what a program is made of: its files, its code, and which of the
// parts that not every service needs it links.
type Service struct {
	// Files holds slipway.yaml, the schemas it names, and config/ if there is one.
	// Required.
	Files fs.FS

	// Wire registers handlers and producers. Required.
	Wire func(*slipway.App) error

	// Codecs are the schema formats that the service uses.
	Codecs []schema.Codec
}

// Main runs the service and exits the process.
func (s Service) Main() {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	os.Exit(run(process{Service: s, lookup: os.LookupEnv, stderr: os.Stderr, signals: signals}))
}

// process is what Main takes from the process it runs in.
type process struct {
	Service
	lookup  func(string) (string, bool)
	stderr  io.Writer
	signals <-chan os.Signal
}

// run runs the service until a signal and returns the exit status.
func run(p process) int {
	log := slog.New(slog.NewTextHandler(p.stderr, nil))
	app, err := p.app(log)
	if err != nil {
		report(p.stderr, err)
		if errors.Is(err, diag.RuntimeWiringFailed) {
			return exitFailed // the database may be there the next time
		}
		return exitMisfit
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	ended := make(chan error, 1)
	go func() { ended <- app.Run(ctx) }()
	select {
	case err = <-ended:
	case sig := <-p.signals:
		log.Info("draining", "signal", sig.String(), "budget", app.Environment().ShutdownTimeout)
		cancel(slipway.ErrShutdown)
		select {
		case err = <-ended:
		case <-p.signals:
			log.Error("drain cut short by a second signal")
			return exitInterrupted
		}
	}
	if err != nil {
		report(p.stderr, err)
		return status(err)
	}
	log.Info("service stopped")
	return exitOK
}

// app makes the app and lets the service wire itself.
func (p process) app(log *slog.Logger) (*slipway.App, error) {
	env, err := slipway.EnvironmentFrom(p.lookup)
	if err != nil {
		return nil, err
	}
	app, err := slipway.New(slipway.Config{Files: p.Files, Environment: env, Codecs: p.Codecs, Logger: log})
	if err != nil {
		return nil, err
	}
	if err := p.Wire(app); err != nil {
		if len(diag.Of(err)) > 0 {
			return nil, err
		}
		return nil, diag.New(diag.RuntimeWiringFailed, "%v", err)
	}
	listen(app)
	administer(app)
	return app, nil
}

// status is 64 for what is wrong with the service itself, and 1 for what
// another start may cure.
func status(err error) int {
	for _, d := range diag.Of(err) {
		switch d.Code {
		case diag.RuntimeNotConsumed, diag.RuntimeNoHandler, diag.RuntimeNotProduced, diag.RuntimeNoCodec, diag.RuntimeTypeMismatch,
			diag.RuntimeUnsupported, diag.RuntimeHandledTwice, diag.RuntimePrincipalDiffers, diag.RuntimeKeyUnfit, diag.RuntimeNoCommit:
			return exitMisfit
		}
	}
	return exitFailed
}

// report writes an error for a person: every diagnostic with its fix.
func report(w io.Writer, err error) {
	text := diag.Of(err).Text()
	if text == "" {
		text = fmt.Sprintf("error: %s\n", diag.Escape(err.Error()))
	}
	_, _ = io.WriteString(w, text)
}
