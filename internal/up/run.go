package up

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/slipway-go/slipway/contract"
)

// A Result is how a run ended that did what it was asked to.
type Result struct {
	// Status is the command's exit status; 128 and the signal's number for one
	// that a signal ended, as shells have it.
	Status int

	// Ready is how long it took until everything consumed, from when the
	// services were built.
	Ready time.Duration
}

// Run runs an estate until its command ends or the context is cancelled, and
// returns when nothing of it is left: no process, no file but the built
// programs.
//
// What keeps the estate from running is an error that carries diagnostics. A
// cancelled context is an error too, the context's cause, also for a run
// that was stopped in good order. The command's exit status is no error: it is
// in the result.
func Run(ctx context.Context, cfg Config) (Result, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return Result{}, fmt.Errorf("run estate: %w", err)
	}
	r := &run{cfg: cfg, began: time.Now()}
	estate, warnings, err := loadEstate(cfg)
	if err != nil {
		return Result{}, err
	}
	r.estate = estate
	if err := estate.checkLogins(); err != nil {
		return Result{}, err
	}
	for _, w := range warnings {
		r.observe(Warned{Diagnostic: w})
	}
	return r.locked(ctx)
}

// A run is one call of [Run].
type run struct {
	cfg    Config
	estate *estate
	state  *state
	groups []groupWant
	began  time.Time
	built  time.Time
	ended  time.Time
	result Result

	store     *store
	databases map[string]string // their URLs, by service

	// commanded tells that the command was started.
	commanded bool

	// dead are the dead letters of the run, once the services have stopped.
	dead map[string]int64

	mu    sync.Mutex // held while an event is told
	lines lines
}

// observe tells an event; events do not overlap.
func (r *run) observe(e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines.add(e)
	r.cfg.Observe(e)
}

// locked does everything that only one run of the estate may do at a time.
func (r *run) locked(ctx context.Context) (result Result, err error) {
	if r.state, err = openState(r.cfg.StateDir, r.estate.dir); err != nil {
		return Result{}, err
	}
	defer func() { err = errors.Join(err, r.state.close()) }()
	if r.state.swept {
		r.observe(Note{Text: "removed what an earlier run left behind when it was killed"})
	}
	all, without := programs(r.estate.dir, r.state.programs(), r.estate.Services)
	for _, w := range without {
		r.observe(Warned{Diagnostic: w})
	}
	if err := checkPorts(all, portTaken); err != nil {
		return Result{}, err
	}
	r.groups = r.estate.groups(all)
	err = r.onCluster(ctx, all)
	return r.result, err
}

// openCluster starts the cluster that the environment calls for.
func (r *run) openCluster(ctx context.Context) (*cluster, error) {
	if r.estate.cluster == contract.Local {
		return r.startKafka(ctx)
	}
	return startEmbedded(ctx)
}

// portTaken is why a port cannot be listened on; nil if it can.
func portTaken(port int) error {
	l, err := net.Listen("tcp", net.JoinHostPort(loopback, strconv.Itoa(port)))
	if err != nil {
		return err
	}
	return l.Close()
}

// onCluster builds the services and starts the cluster side by side, runs the
// services on it, and stops the cluster when they have ended.
func (r *run) onCluster(ctx context.Context, all []program) (err error) {
	if r.store, err = r.openStore(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.store.close()) }()
	both, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	var buildErr error
	wg.Go(func() {
		if buildErr = r.build(both, all); buildErr != nil {
			cancel(buildErr)
		}
	})
	c, id, startErr := r.startCluster(both)
	if startErr != nil {
		cancel(startErr)
	}
	wg.Wait()
	defer func() {
		if c != nil {
			err = errors.Join(err, c.close())
		}
		r.observe(Stopped{Took: time.Since(r.ended), DeadLetters: r.dead})
	}()
	if err := context.Cause(both); err != nil {
		r.stopping(err)
		return err
	}
	r.noteLogins(all)
	return r.withServices(ctx, c, id, all)
}

func (r *run) build(ctx context.Context, all []program) error {
	var names []string
	for _, p := range all {
		names = append(names, p.service.Name)
	}
	r.observe(Building{Services: names})
	err := builder{environ: r.cfg.Environ, observe: r.observe}.build(ctx, all)
	r.built = time.Now()
	return err
}

// startCluster starts the cluster and gives it what the contracts call for. A
// cluster that is returned must be closed, also if there is an error.
func (r *run) startCluster(ctx context.Context) (*cluster, *identities, error) {
	began := time.Now()
	c, err := r.openCluster(ctx)
	if err != nil {
		return nil, nil, err
	}
	r.observe(ClusterStarted{Cluster: r.estate.cluster, Bootstrap: c.bootstrap[contract.SCRAMSHA512], Registry: c.url, Took: time.Since(began)})
	id, err := newIdentities(filepath.Join(r.state.run(), "identities"), c.access)
	if err != nil {
		return c, nil, err
	}
	if err := r.prepare(ctx, c, id); err != nil {
		return c, nil, err
	}
	return c, id, r.admit(c, id)
}

// withServices runs the services, and stops them when the command or the
// context ends, or one of them is given up on.
func (r *run) withServices(ctx context.Context, c *cluster, id *identities, all []program) error {
	services, err := r.services(all, id)
	if err != nil {
		r.stopping(err)
		return err
	}
	asked := ctx.Done()
	ctx, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	kept, cancel := context.WithCancel(context.WithoutCancel(ctx)) // the command stops before them
	defer cancel()
	k := keeper{grace: r.cfg.Grace, kill: r.cfg.Kill, observe: r.observe, policy: r.cfg.Restart, asked: asked, ending: ctx.Done()}
	var wg sync.WaitGroup
	for _, s := range services {
		wg.Go(func() {
			if err := k.keep(kept, s); err != nil {
				giveUp(err)
			}
		})
	}
	err = r.attend(ctx, c, id, services)
	giveUp(err) // before it is told, so that nothing starts after that
	r.stopping(err)
	cancel()
	wg.Wait()
	r.dead = r.deadLetters(ctx, c)
	return r.lastWords(err)
}

// attend waits for the services to be ready and then for the run's end.
func (r *run) attend(ctx context.Context, c *cluster, id *identities, all []*service) error {
	if err := r.awaitReady(ctx, c, all); err != nil {
		return err
	}
	r.result.Ready = time.Since(r.built)
	r.observe(Ready{Took: r.result.Ready, Total: time.Since(r.began)})
	watching, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	w := watch{groups: r.groups, look: c.kafka.Groups, ends: c.kafka.EndOffsets, registry: c.reachRegistry, observe: r.observe}
	wg.Go(func() { w.run(watching) })
	if len(r.cfg.Command) > 0 {
		return r.command(ctx, id, all)
	}
	<-ctx.Done()
	return context.Cause(ctx)
}

// stopping tells that the run ends, once its end is decided.
func (r *run) stopping(err error) {
	r.ended = time.Now()
	r.observe(Stopping{Cause: err})
}

// database is where a service's database is: one that lasts as long as the run,
// and is made when it is asked for first.
func (r *run) database(service string) (string, error) {
	if known, ok := r.databases[service]; ok {
		return known, nil
	}
	made, err := r.store.database(context.Background(), service) // bounded by itself
	if err != nil {
		return "", err
	}
	if r.databases == nil {
		r.databases = make(map[string]string)
	}
	r.databases[service] = made
	return made, nil
}

// addPrefix adds what the default cluster's topics begin with, if they do.
func (r *run) addPrefix(vars map[string]string) {
	if prefix := r.estate.Bindings[contract.DefaultAlias].TopicPrefix; prefix != "" {
		vars["TOPIC_PREFIX"] = prefix
	}
}

// addClusters adds how clusters other than the default one are reached: a run has
// one cluster, which all aliases mean. Who somebody is there, and the registry, are
// what they have for the default one.
func (r *run) addClusters(vars map[string]string, aliases ...string) {
	for _, alias := range aliases {
		if alias == contract.DefaultAlias {
			continue
		}
		name := "CLUSTERS_" + strings.ToUpper(strings.ReplaceAll(alias, "-", "_")) + "_"
		vars[name+"BOOTSTRAP_SERVERS"] = vars["BOOTSTRAP_SERVERS"]
		if prefix := r.estate.Bindings[alias].TopicPrefix; prefix != "" {
			vars[name+"TOPIC_PREFIX"] = prefix
		}
	}
}
