package slipway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/slipway-go/slipway/config"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/schema"
)

// DefaultShutdownTimeout is how long a service may take to stop.
const DefaultShutdownTimeout = 30 * time.Second

// A Config is what an [App] is made from.
type Config struct {
	// Files holds the contract and the schemas it names. A service embeds
	// them with go:embed.
	Files fs.FS

	// Environment is where the service finds itself.
	Environment Environment

	// Codecs are the schema formats the program links.
	Codecs []schema.Codec

	// Contract is the contract's path in Files.
	//
	// Defaults to slipway.yaml.
	Contract string

	// Dial opens connections to brokers and registry, beneath TLS. It is for
	// tests on a network in memory.
	//
	// Defaults to TCP.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)

	// Instance tells the processes of one service apart in client ids.
	//
	// Defaults to the host name.
	Instance string

	// Logger gets what the service's owner should know.
	//
	// Defaults to slog.Default().
	Logger *slog.Logger

	// MeterProvider is where the service's metrics go.
	//
	// Defaults to the global one of OpenTelemetry, which drops them until a
	// program sets it.
	MeterProvider metric.MeterProvider

	// TracerProvider is where the service's spans go.
	//
	// Defaults to the global one of OpenTelemetry, which drops them unless a
	// program has set it before [App.Run].
	TracerProvider trace.TracerProvider

	// Registry answers what schema ids mean.
	//
	// Defaults to the registry of the environment.
	Registry schema.Registry

	// Settings are what the service is configured with: how it consumes, and the
	// settings of its own that its contract declares. They say nothing of where it
	// finds itself; that is Environment, which [EnvironmentOf] makes of them.
	//
	// Defaults to what config/ in Files and the contract say.
	Settings *config.Values
}

func (c Config) withDefaults() Config {
	c.Contract = cmp.Or(c.Contract, "slipway.yaml")
	if c.Instance == "" {
		host, err := os.Hostname()
		if err != nil {
			host = "unknown"
		}
		c.Instance = host
	}
	c.Logger = cmp.Or(c.Logger, slog.Default())
	c.Environment.ShutdownTimeout = cmp.Or(c.Environment.ShutdownTimeout, DefaultShutdownTimeout)
	return c
}

// An App is a running service: its contract, its handlers and its producers.
// Register everything before [App.Run]; an App runs once.
type App struct {
	cfg      Config
	contract *contract.Service
	log      *slog.Logger
	mux      *http.ServeMux

	handlers  map[string]*handler // by entry name
	entries   map[string]*entry   // by entry name, from prepare on
	producers []*producer
	starts    []task
	stops     []stop
	tasks     []task
	faults    diag.List // of registration, reported by Run

	links    []*link // to the clusters that the contract names
	health   health
	meter    *instruments
	tracing  tracing
	settings settings

	pipes   map[string]*pipe // by the topic's name on its cluster
	relayed map[string]bool  // topics with via: outbox, see Relays
	inbox   bool             // something keeps the ids of handled messages, see Deduplicates
}

// A task runs beside the consumers for as long as the app runs.
type task struct {
	name string
	run  func(context.Context) error
}

// A stop is what is done at the very end.
type stop struct {
	name string
	run  func() error
}

// New reads the contract and makes an app of it, as the settings have it. It does
// not touch the network; the error lists every fault of the contract, or else of
// the settings.
func New(cfg Config) (*App, error) {
	cfg = cfg.withDefaults()
	written, faults := contract.Parse(cfg.Files, cfg.Contract)
	if err := faults.Err(); err != nil {
		return nil, err
	}
	svc, faults := written.In(cfg.Environment.Name)
	if err := faults.Err(); err != nil {
		return nil, err
	}
	a := &App{
		cfg:      cfg,
		contract: svc,
		log:      cfg.Logger.With("service", svc.Name),
		mux:      http.NewServeMux(),
		handlers: make(map[string]*handler),
		entries:  make(map[string]*entry),
		relayed:  make(map[string]bool),
	}
	a.links = a.newLinks()
	if err := a.configure(cfg.Settings); err != nil {
		return nil, err
	}
	return a, nil
}

// Contract is the service's contract in its environment, with the policy that the
// settings had when the app was made. It is shared: do not change it.
func (a *App) Contract() *contract.Service { return a.contract }

// Environment is where the service finds itself.
func (a *App) Environment() Environment { return a.cfg.Environment }

// Logger is the service's logger.
func (a *App) Logger() *slog.Logger { return a.log }

// MeterProvider is where the service's metrics go.
func (a *App) MeterProvider() metric.MeterProvider {
	if a.cfg.MeterProvider == nil {
		return otel.GetMeterProvider()
	}
	return a.cfg.MeterProvider
}

// TracerProvider is where the service's spans go.
func (a *App) TracerProvider() trace.TracerProvider {
	if a.cfg.TracerProvider == nil {
		return otel.GetTracerProvider()
	}
	return a.cfg.TracerProvider
}

// Mux is where the service registers its HTTP endpoints. Package serve listens
// for them on the contract's workload.http port.
func (a *App) Mux() *http.ServeMux { return a.mux }

// Go runs fn beside the consumers, from when producers can be used until the
// service stops. Its context ends when the shutdown begins. An error of fn
// stops the service; nil does not.
func (a *App) Go(name string, fn func(ctx context.Context) error) {
	a.tasks = append(a.tasks, task{name, fn})
}

// OnStart runs fn once the start-up checks have passed and before the first
// record is fetched, in the order of registration. Producers can be used: it
// is the place to send what an earlier life of the service left unsent. An
// error ends the start.
func (a *App) OnStart(name string, fn func(ctx context.Context) error) {
	a.starts = append(a.starts, task{name, fn})
}

// OnStop runs fn when everything has been drained and nothing is handled any
// more, in reverse order of registration: the place to close what handlers use.
// It runs however the app ended, also after a failed start.
func (a *App) OnStop(name string, fn func() error) {
	a.stops = append(a.stops, stop{name, fn})
}

// Run checks code, contract and cluster against each other, consumes until
// ctx ends or something fails for good, and drains: what runs, and what lies
// before it, gets until two thirds of the shutdown timeout to finish, nothing
// else starts, and what is finished is committed. It returns nil after a drain
// that ctx asked for.
func (a *App) Run(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, a.stopped()) }()
	defer a.health.stop()
	defer context.AfterFunc(ctx, a.health.stop)()
	if err := a.check(); err != nil {
		return err
	}
	if a.meter, err = newInstruments(a.cfg.MeterProvider, a.contract.SLO.FreshnessP99); err != nil {
		return fmt.Errorf("make metrics: %w", err)
	}
	defer func() { err = errors.Join(err, a.meter.close()) }()
	a.meter.guarded.app.Store(a)
	a.meter.judged.app.Store(a)
	a.tracing.tracer = a.TracerProvider().Tracer(scope)
	if err := a.connect(ctx); err != nil {
		return err
	}
	defer a.close()
	a.health.begin("checking schemas and topics")
	if err := a.prepare(ctx); err != nil {
		return err
	}
	for _, t := range a.starts {
		a.health.begin("doing what comes first: " + t.name)
		if err := t.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
	}
	return a.work(ctx)
}

// stopped runs what is registered for the end.
func (a *App) stopped() error {
	var errs []error
	for _, s := range slices.Backward(a.stops) {
		if err := s.run(); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", s.name, err))
		}
	}
	return errors.Join(errs...)
}

// close ends the connections that connect made.
func (a *App) close() {
	if err := a.closePipes(); err != nil {
		a.log.Error("close producers", "error", err)
	}
	for _, l := range a.links {
		l.close()
	}
}

// work runs consumers and tasks until ctx ends or one of them fails, then
// drains all of them.
func (a *App) work(ctx context.Context) error {
	running, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	consumers, err := a.newConsumers()
	if err != nil {
		return err
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	var errs []error
	start := func(name string, run func(context.Context) error) {
		all.Go(func() {
			if err := run(running); err != nil && !(errors.Is(err, context.Canceled) && running.Err() != nil) {
				mu.Lock()
				errs = append(errs, fmt.Errorf("%s: %w", name, err))
				mu.Unlock()
				stop(err)
			}
		})
	}
	a.health.probe = a.newWritingProbe()
	a.health.started(consumers)
	a.begin()
	for _, l := range a.links {
		start(l.on("watch the path"), l.watchPath)
	}
	a.watchChecks(running)
	if a.health.probe != nil {
		start("writing probe", a.health.probe.run)
	}
	a.replaySpills(start)
	for _, c := range consumers {
		start(c.link.on("consume as "+c.group), c.run)
		start(c.link.on("watch dead letters of "+c.group), c.watchLetters)
	}
	for _, t := range a.tasks {
		start(t.name, t.run)
	}
	for _, c := range consumers {
		a.meter.observe(c.snapshot)
	}
	a.log.Info("service started", "environment", a.cfg.Environment.Name, "contract", a.contract.Hash()[:12])
	all.Wait()
	<-running.Done() // tasks may all have ended well
	a.flush()
	return errors.Join(errs...)
}

// flush waits for what producers still hold, within the shutdown timeout.
func (a *App) flush() {
	ctx, cancel := context.WithTimeout(context.Background(), a.cfg.Environment.ShutdownTimeout/3)
	defer cancel()
	var all sync.WaitGroup
	for _, l := range a.links {
		for _, w := range l.writers {
			all.Go(func() { // one that is away takes nobody's time
				if err := w.client.Flush(ctx); err != nil {
					l.log.Error("flush producers", "error", err, "unsent", w.client.BufferedProduceRecords())
				}
			})
		}
	}
	all.Wait()
}
