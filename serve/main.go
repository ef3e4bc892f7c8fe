package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/config"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/schema"
	"github.com/slipway-go/slipway/telemetry"
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

	// Set gives keys of the configuration their values, over everything else.
	Set map[string]string

	// Sources give values beside files and variables, the highest first: a store
	// of secrets, for example.
	Sources []config.Source

	// Exporters are the ways out for metrics and traces that the program links:
	// those of telemetry/prometheus and telemetry/otlp.
	Exporters []telemetry.Exporter

	// Profiles is what the admin endpoint shows below /debug/pprof/, and nothing
	// else does: the handler of serve/profile.
	//
	// Defaults to an answer that says so.
	Profiles http.Handler
}

// Main runs the service and exits the process.
func (s Service) Main() {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	os.Exit(run(process{Service: s, args: os.Args[1:], environ: os.Environ(), stdout: os.Stdout, stderr: os.Stderr, signals: signals, installs: true}))
}

// process is what Main takes from the process it runs in.
type process struct {
	Service
	flags                   // of args, once they were read
	args, environ  []string // environ as os.Environ returns it
	stdout, stderr io.Writer
	signals        <-chan os.Signal
	installs       bool // telemetry as the program's
}

// lookup returns a variable of the environment.
func (p process) lookup(name string) (string, bool) {
	for _, v := range slices.Backward(p.environ) {
		if value, ok := strings.CutPrefix(v, name+"="); ok {
			return value, true
		}
	}
	return "", false
}

// run runs the service until a signal and returns the exit status.
func run(p process) int {
	var err error
	if p.flags, err = parseFlags(p.args); err != nil {
		report(p.stderr, err)
		return exitMisfit
	}
	if done, err := p.inform(); done {
		return p.answered(err)
	}
	conf, err := p.configure(context.Background())
	if p.flags.print && conf != nil {
		return p.answered(errors.Join(conf.print(p.stdout), err)) // what is missing shows best beside what is there
	}
	if err != nil {
		report(p.stderr, err)
		return exitMisfit
	}
	tel, err := p.observe(conf)
	if err != nil {
		report(p.stderr, err)
		return exitMisfit
	}
	log := tel.Logger
	app, err := p.app(tel, conf)
	if err != nil {
		report(p.stderr, err)
		unobserve(tel, 0, log)
		if errors.Is(err, diag.RuntimeWiringFailed) || errors.Is(err, diag.RuntimeListenFailed) {
			return exitFailed // the database, or the port, may be there the next time
		}
		return exitMisfit
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	ended := make(chan error, 1)
	go func() { ended <- app.Run(ctx) }()
	until := time.Now()
	select {
	case err = <-ended:
	case sig := <-p.signals:
		until = time.Now().Add(app.Environment().ShutdownTimeout)
		log.Info("draining", "signal", sig.String(), "budget", app.Environment().ShutdownTimeout)
		cancel(slipway.ErrShutdown)
		select {
		case err = <-ended:
		case <-p.signals:
			log.Error("drain cut short by a second signal")
			return exitInterrupted
		}
	}
	unobserve(tel, time.Until(until), log)
	if err != nil {
		report(p.stderr, err)
		return status(err)
	}
	log.Info("service stopped")
	return exitOK
}

// answered is the exit status after an answer that was all that was asked for.
func (p process) answered(err error) int {
	if err != nil {
		report(p.stderr, err)
		return exitMisfit
	}
	return exitOK
}

// app makes the app and lets the service wire itself.
func (p process) app(tel *telemetry.Telemetry, conf *configuration) (*slipway.App, error) {
	app, err := slipway.New(slipway.Config{
		Files: p.Files, Environment: conf.env, Settings: conf.values, Codecs: p.Codecs,
		Logger: tel.Logger, MeterProvider: tel.Meter, TracerProvider: tel.Tracer,
	})
	if err != nil {
		return nil, err
	}
	announce(app, tel)
	if err := p.Wire(app); err != nil {
		if len(diag.Of(err)) > 0 {
			return nil, err
		}
		return nil, diag.New(diag.RuntimeWiringFailed, "%v", err)
	}
	if err := listen(app, tel.Metrics); err != nil {
		return nil, err
	}
	administer(app, tel.Metrics, p.Profiles)
	conf.follow(app)
	return app, nil
}

// status is 64 for what is wrong with the service itself, and 1 for what
// another start may cure.
func status(err error) int {
	for _, d := range diag.Of(err) {
		switch d.Code {
		case diag.RuntimeNotConsumed, diag.RuntimeNoHandler, diag.RuntimeNotProduced, diag.RuntimeNoCodec, diag.RuntimeTypeMismatch,
			diag.RuntimeUnsupported, diag.RuntimeHandledTwice, diag.RuntimePrincipalDiffers, diag.RuntimeKeyUnfit, diag.RuntimeNoCommit,
			diag.SettingUndeclared, diag.SettingType, diag.RegistryAddress:
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
