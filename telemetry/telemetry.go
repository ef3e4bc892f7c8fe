package telemetry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/slipway-go/slipway/diag"
)

// ShutdownTimeout is how long [Telemetry.Shutdown] takes at most.
const ShutdownTimeout = 5 * time.Second

// A Config is what [Setup] works from.
type Config struct {
	// Service is the service's name, which OTEL_SERVICE_NAME overrides.
	Service string

	// Version is the service's version.
	//
	// Defaults to that of the program's main module, or to the commit it was
	// built from.
	Version string

	// Environment is the name of the environment, such as prod.
	Environment string

	// Instance tells the processes of one service apart.
	//
	// Defaults to the host name.
	Instance string

	// Lookup finds a variable: [os.LookupEnv] in a program.
	//
	// Defaults to finding none.
	Lookup func(string) (string, bool)

	// Exporters are those that the program links.
	Exporters []Exporter

	// Output is where logs go, and what the exporter called console writes.
	//
	// Defaults to nowhere.
	Output io.Writer

	// Level is the least level that is logged. It may change at any time.
	//
	// Defaults to info.
	Level slog.Leveler

	// Format is text or json.
	//
	// Defaults to text.
	Format string
}

func (c Config) withDefaults() Config {
	if c.Instance == "" {
		c.Instance, _ = os.Hostname()
	}
	c.Version = cmp.Or(c.Version, BuildVersion())
	if c.Lookup == nil {
		c.Lookup = func(string) (string, bool) { return "", false }
	}
	if c.Output == nil {
		c.Output = io.Discard
	}
	if c.Level == nil {
		c.Level = slog.LevelInfo
	}
	return c
}

// Telemetry is what [Setup] has made. Its fields are never nil, but for Metrics.
type Telemetry struct {
	Meter      metric.MeterProvider
	Tracer     trace.TracerProvider
	Propagator propagation.TextMapPropagator
	Logger     *slog.Logger

	// Metrics answers who scrapes; nil without an exporter that is scraped.
	Metrics http.Handler

	version      string
	destinations []string
	lost         func() int64
	closers      []func(context.Context) error
	abort        context.CancelCauseFunc
	once         sync.Once
	err          error
}

// Setup makes what a service needs to tell of itself. It waits for nobody: a
// collector that is not there is found out later, and does no harm. The error
// lists every variable that cannot be used, as diagnostics.
//
// Nothing global changes; see [Telemetry.Install]. Whoever has called Setup
// calls [Telemetry.Shutdown] at the end.
func Setup(ctx context.Context, cfg Config) (*Telemetry, error) {
	cfg = cfg.withDefaults()
	v := &Variables{lookup: cfg.Lookup}
	s := &setup{Config: cfg, v: v, log: slog.New(logs(cfg, v))}
	s.base, s.abort = context.WithCancelCause(context.WithoutCancel(ctx))
	t := &Telemetry{
		Meter: metricnoop.NewMeterProvider(), Tracer: tracenoop.NewTracerProvider(),
		Propagator: propagators(v), Logger: s.log, version: cfg.Version, abort: s.abort,
	}
	s.logless()
	if disabled := v.Bool("OTEL_SDK_DISABLED"); !disabled {
		s.provide(ctx, t)
	}
	t.closers, t.destinations, t.lost = s.closers, s.destinations, s.lost
	if err := v.faults.Err(); err != nil {
		_ = t.Shutdown(ctx) // of what was made before the fault was found
		return nil, err
	}
	s.count(t.Meter)
	return t, nil
}

// setup is what Setup works with.
type setup struct {
	Config
	v     *Variables
	log   *slog.Logger
	base  context.Context // of exports; ends when the shutdown's time is over
	abort context.CancelCauseFunc

	routes       []*route
	destinations []string
	closers      []func(context.Context) error
}

// named returns the exporters of a signal that a variable names.
func (s *setup) named(variable string, fallback []string) []string {
	names := s.v.list(variable)
	switch {
	case len(names) == 0:
		return fallback
	case slices.Contains(names, "none") && len(names) > 1:
		s.v.Refuse(variable, "use none, or the names of exporters")
		return nil
	case names[0] == "none":
		return nil
	}
	return names
}

// linked returns the exporter of a name, nil after it has said that there is
// none.
func (s *setup) linked(variable, name string) Exporter {
	known := map[string]string{"otlp": "otlp", "prometheus": "prometheus"}
	for _, e := range s.Exporters {
		if e.Name() == name {
			return e
		}
	}
	if name == consoleName {
		s.v.Fault(diag.New(diag.TelemetryUnlinked, "%s names console, and this program has linked no exporter", variable).
			WithFix("put telemetry.Console() into the field Exporters of serve.Service, or set %s to none", variable))
		return nil
	}
	if dir, ok := known[name]; ok {
		s.v.Fault(diag.New(diag.TelemetryUnlinked, "%s names %s, which this program has not linked", variable, name).
			WithFix("import github.com/slipway-go/slipway/telemetry/%s in main and put %s.Exporter() into the field Exporters of serve.Service, or set %s to none", dir, dir, variable))
		return nil
	}
	s.v.Fault(diag.New(diag.TelemetrySignal, "%s names %q, which is no exporter", variable, name))
	return nil
}

// has reports whether an exporter of a name is linked.
func (s *setup) has(name string) bool {
	return slices.ContainsFunc(s.Exporters, func(e Exporter) bool { return e.Name() == name })
}

// logless says that logs go nowhere but to stderr, if somebody wants more.
func (s *setup) logless() {
	const variable = "OTEL_LOGS_EXPORTER"
	for _, name := range s.named(variable, nil) {
		if name != "console" { // which is where they go
			s.v.Fault(diag.New(diag.TelemetrySignal, "%s names %q: logs go to stderr", variable, name).
				WithFix("unset %s, and have the collector read the logs of the container (its filelog receiver)", variable))
		}
	}
}

// lost is how many spans were dropped.
func (s *setup) lost() (n int64) {
	for _, r := range s.routes {
		n += r.full.Load() + r.failed.Load()
	}
	return n
}

// made notes where a signal goes.
func (s *setup) made(signal string, e Exporter, exporter any) {
	where := e.Name()
	if named, ok := exporter.(fmt.Stringer); ok {
		where = named.String()
	}
	s.destinations = append(s.destinations, signal+" to "+where)
}

// refuse says that an exporter could not be made.
func (s *setup) refuse(variable string, e Exporter, err error) {
	if found := diag.Of(err); len(found) > 0 {
		s.v.faults = append(s.v.faults, found...)
		return
	}
	s.v.Fault(diag.New(diag.TelemetryExporter, "make exporter %s of %s: %v", e.Name(), variable, err))
}

// Version is the version that the service says it has.
func (t *Telemetry) Version() string { return t.version }

// Destinations says where telemetry goes, for a person: nowhere, or such as
// "traces to otlp at http://collector:4318, metrics to prometheus".
func (t *Telemetry) Destinations() string {
	return cmp.Or(strings.Join(t.destinations, ", "), "nowhere")
}

// Install makes these the providers, the propagator and the logger that code
// gets which asks for the global ones. A program does it once, at its start.
func (t *Telemetry) Install() {
	otel.SetMeterProvider(t.Meter)
	otel.SetTracerProvider(t.Tracer)
	otel.SetTextMapPropagator(t.Propagator)
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		t.Logger.Warn("telemetry", "error", err)
	}))
	slog.SetDefault(t.Logger)
}

var errLate = errors.New("the time for the shutdown is over")

// Shutdown sends what is still held and ends everything, within
// [ShutdownTimeout] or until ctx ends: then it gives up what is under way. It
// says how many spans were lost in the service's life, if any were.
func (t *Telemetry) Shutdown(ctx context.Context) error {
	t.once.Do(func() {
		ctx, cancel := context.WithTimeout(ctx, ShutdownTimeout-grace)
		defer cancel()
		defer t.abort(errLate)
		before := context.AfterFunc(ctx, func() { t.abort(errLate) })
		defer before()
		t.err = t.shutdown(ctx)
	})
	return t.err
}

// grace is how long exporters may take to notice that they are to give up.
const grace = time.Second

func (t *Telemetry) shutdown(ctx context.Context) error {
	ended := make([]error, len(t.closers))
	var all sync.WaitGroup
	for i, end := range t.closers {
		all.Go(func() { ended[i] = end(ctx) })
	}
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
		select {
		case <-done:
		case <-time.After(grace):
			return errLate // an exporter that does not listen keeps its goroutine
		}
	}
	err := errors.Join(ended...)
	if n := t.lost(); n > 0 {
		err = errors.Join(err, fmt.Errorf("%d spans were lost", n))
	}
	return err
}
