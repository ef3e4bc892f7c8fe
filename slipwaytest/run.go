package slipwaytest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/config"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/embedded"
	"github.com/slipway-go/slipway/schema"
	"github.com/slipway-go/slipway/schema/avro"
	"github.com/slipway-go/slipway/schema/jsonvalue"
	"github.com/slipway-go/slipway/schema/proto"
)

// environment is the one that services under test run in.
const environment = "dev"

// A Service is what a service's main function passes to serve.Main.
type Service struct {
	Files fs.FS
	Wire  func(*slipway.App) error

	// Set gives keys of the configuration their values, over what Files say: what
	// the contract wants and no file may hold, or what the test is about.
	Set map[string]string

	// Configure changes what an instance is made from; nil changes nothing.
	Configure func(*slipway.Config)
}

// Run runs a test against one service.
func Run(t *testing.T, files fs.FS, wire func(*slipway.App) error, test func(t *testing.T, k *Kit)) {
	t.Helper()
	RunAll(t, []Service{{Files: files, Wire: wire}}, test)
}

// RunAll runs a test against several services on one cluster.
func RunAll(t *testing.T, services []Service, test func(t *testing.T, k *Kit)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		k := &Kit{t: t, dir: t.TempDir(), services: make(map[string]*service), topics: make(map[string]*topic), read: make(map[string]*reading)}
		defer k.stop() // also when the test ends in Fatal, or the bubble would never end
		k.start(services)
		test(t, k)
	})
}

// start brings up the cluster, applies the contracts and starts the services.
func (k *Kit) start(services []Service) {
	k.t.Helper()
	wires := new(kfake.VirtualNetwork)
	k.alias = contract.DefaultAlias
	k.raise(embedded.Config{Network: wires})
	k.network = newNetwork(k.cluster.Dial)
	k.codecs = []schema.Codec{avro.Codec(), jsonvalue.Codec(), proto.Codec()}
	k.journal = &journal{t: k.t}
	k.log = slog.New(slog.NewTextHandler(k.journal, &slog.HandlerOptions{Level: slog.LevelWarn}))
	for _, s := range services {
		k.add(s)
	}
	k.raiseOthers(wires)
	k.apply()
	for _, other := range k.others {
		other.apply()
	}
	for _, name := range k.order {
		k.Start(name)
	}
}

// service is one service under test.
type service struct {
	Service
	contract  *contract.Service
	instances []*instance // in the order they were started
	draining  []*instance // signalled, not waited for
	oldest    atomic.Pointer[slipway.App]
}

// instance is one running process of a service, as it were.
type instance struct {
	app    *slipway.App
	stop   context.CancelCauseFunc
	ended  chan error
	killed bool
}

// add reads a service's contract.
func (k *Kit) add(s Service) {
	k.t.Helper()
	written, faults := contract.Parse(s.Files, "slipway.yaml")
	if faults.Failed() {
		k.t.Fatalf("parse contract:\n%v", faults)
	}
	svc, faults := written.In(environment)
	if faults.Failed() {
		k.t.Fatalf("contract in %s:\n%v", environment, faults)
	}
	k.services[svc.Name] = &service{Service: s, contract: svc}
	k.order = append(k.order, svc.Name)
}

// Start starts one more instance of a service and waits until it consumes, with
// what its first partitions need opened. Run has started the first one.
func (k *Kit) Start(name string) {
	k.t.Helper()
	s := k.service(name)
	i := &instance{ended: make(chan error, 1)}
	cfg := slipway.Config{
		Files: s.Files, Environment: k.environment(s.contract), Codecs: k.codecs,
		Dial: k.network.dialer(i), Instance: fmt.Sprint(len(s.instances)), Logger: k.log,
	}
	cfg.Environment.SpillDir = filepath.Join(k.dir, fmt.Sprintf("%s.%s.spill", name, cfg.Instance)) // an instance that is started again finds what the one before left
	if s.Configure != nil {
		s.Configure(&cfg)
	}
	if cfg.Settings == nil {
		cfg.Settings = k.settings(s)
	}
	app, err := slipway.New(cfg)
	if err != nil {
		k.t.Fatalf("start %s:\n%v", name, err)
	}
	if err := s.Wire(app); err != nil {
		k.dispose(app)
		k.t.Fatalf("wire %s: %v", name, err)
	}
	ctx, stop := context.WithCancelCause(context.WithoutCancel(k.t.Context()))
	i.app, i.stop = app, stop
	s.instances = append(s.instances, i)
	go func() { i.ended <- app.Run(ctx) }()
	k.eventually("service "+name+" to consume", func() bool {
		select {
		case err := <-i.ended:
			i.ended <- nil // for whoever stops it
			k.t.Fatalf("run %s:\n%v", name, err)
		default:
		}
		return !errors.Is(app.Ready(), slipway.ErrNotRunning) && k.consumes(s)
	})
	k.opened(app)
	s.oldest.CompareAndSwap(nil, app)
}

// opened waits until an instance has opened the partitions that it got first, so
// that what the test does next does not happen in the midst of that. Where the
// test keeps it from opening them, it is not waited for any longer after a while.
func (k *Kit) opened(app *slipway.App) {
	opening := func(c slipway.Check) bool {
		return c.Status == slipway.CheckFail && c.Code == diag.HealthNotJoined
	}
	for limit := time.Now().Add(openingPatience); time.Now().Before(limit) && slices.ContainsFunc(app.Health().Checks, opening); {
		k.Advance(10 * time.Millisecond)
	}
}

// openingPatience is how much virtual time an instance gets to open its partitions.
const openingPatience = 10 * time.Second

// settings are what a service is configured with.
func (k *Kit) settings(s *service) *config.Values {
	k.t.Helper()
	loader, err := config.New(config.Config{
		Contract: s.contract, Files: s.Files, Environ: []string{"ENVIRONMENT=" + environment}, Set: s.Set,
	})
	if err != nil {
		k.t.Fatalf("configure %s:\n%v", s.contract.Name, err)
	}
	values, err := loader.Load(k.t.Context())
	if err != nil {
		k.t.Fatalf("configure %s:\n%v", s.contract.Name, err)
	}
	return values
}

// dispose ends an app that never ran, so that what its wiring opened is closed
// and does not outlive the test.
func (k *Kit) dispose(app *slipway.App) {
	ctx, end := context.WithCancel(context.WithoutCancel(k.t.Context()))
	end()
	_ = app.Run(ctx)
}

// Stop stops the newest instance of a service as a signal would, and waits for
// its drain.
func (k *Kit) Stop(name string) {
	k.t.Helper()
	k.wait(name, k.signal(name))
}

// Signal tells the newest instance of a service to stop and does not wait: it
// drains while the test goes on.
func (k *Kit) Signal(name string) {
	k.t.Helper()
	s := k.service(name)
	s.draining = append(s.draining, k.signal(name))
}

func (k *Kit) signal(name string) *instance {
	k.t.Helper()
	s := k.service(name)
	last := len(s.instances) - 1
	if last < 0 {
		k.t.Fatalf("stop %s: no instance runs", name)
	}
	i := s.instances[last]
	s.instances = s.instances[:last]
	s.oldest.CompareAndSwap(i.app, nil)
	i.stop(slipway.ErrShutdown)
	return i
}

func (k *Kit) wait(name string, i *instance) {
	k.t.Helper()
	if err := <-i.ended; err != nil && !i.killed {
		k.t.Errorf("run %s:\n%v", name, err)
	}
}

// environment writes the files that a service is mounted with.
func (k *Kit) environment(svc *contract.Service) slipway.Environment {
	access := k.cluster.Registry()
	env := slipway.Environment{
		Name:             environment,
		BootstrapServers: strings.Join(k.cluster.Bootstrap(), ","),
		CAFile:           k.file("ca.crt", string(k.cluster.CA())),
		Principal:        svc.Principal(),
		PasswordFile:     k.file(svc.Name+".password", k.cluster.Password(svc.User())),
		RegistryURL:      access.URL,
		RegistryAuthFile: k.file("registry.auth", access.Reader),
		DatabaseURL:      "sqlite:" + filepath.Join(k.dir, svc.Name+".db"),
		Clusters:         make(map[string]slipway.Cluster),
	}
	for alias, other := range k.others {
		there := other.environment(svc)
		env.Clusters[alias] = slipway.Cluster{
			BootstrapServers: there.BootstrapServers, CAFile: there.CAFile, PasswordFile: there.PasswordFile,
			RegistryURL: there.RegistryURL, RegistryAuthFile: there.RegistryAuthFile,
		}
	}
	return env
}

func (k *Kit) file(name, text string) string {
	path := filepath.Join(k.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		k.t.Fatal(err)
	}
	return path
}

// stop ends services and cluster, so that the bubble can end.
func (k *Kit) stop() {
	if k.network != nil {
		k.network.mend()
	}
	for _, name := range k.order {
		for len(k.services[name].instances) > 0 {
			k.Stop(name)
		}
		for _, i := range k.services[name].draining {
			k.wait(name, i)
		}
	}
	for _, other := range k.others {
		other.close()
	}
	if k.close() {
		<-time.After(farewell) // time stands still once the test is over
	}
}

// close ends the kit's connections to the cluster, and the cluster. It reports
// whether there was one.
func (k *Kit) close() bool {
	if k.admin != nil {
		k.admin.Close()
	}
	if k.registry != nil {
		k.registry.Close()
	}
	for _, client := range k.clients {
		client.Close()
	}
	if k.cluster == nil {
		return false
	}
	if err := k.cluster.Close(); err != nil {
		k.t.Errorf("stop cluster: %v", err)
	}
	return true
}

// farewell is how long connections may take to close whose other end is gone:
// TLS gives its last words five seconds.
const farewell = 10 * time.Second

// journal keeps the services' warnings and errors and shows them in the test's
// own log.
type journal struct {
	t  *testing.T
	mu sync.Mutex
	b  strings.Builder
}

// Write implements [io.Writer].
func (j *journal) Write(p []byte) (int, error) {
	j.t.Logf("%s", strings.TrimSuffix(string(p), "\n"))
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(p)
}

// Log returns the warnings and errors that the services have logged.
func (k *Kit) Log() string {
	k.journal.mu.Lock()
	defer k.journal.mu.Unlock()
	return k.journal.b.String()
}
