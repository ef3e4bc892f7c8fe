package lagexport

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/kafka"
)

// DefaultEvery is the time between two looks if it is not told.
const DefaultEvery = 30 * time.Second

// A Config says what to look at.
type Config struct {
	// Connect logs in to the cluster. It is called for the first look and
	// again after one that failed altogether, so that credentials and
	// addresses are read anew.
	Connect func(context.Context) (*kafka.Cluster, error)

	// Groups are looked at, each once.
	Groups []Group

	// Every is the time between two looks.
	//
	// Defaults to [DefaultEvery].
	Every time.Duration

	// Trouble, if set, is told why a look failed, or a part of it: once, until
	// it is another trouble. It is called by the goroutine that looks.
	Trouble func(diag.List)
}

// A Group is a consumer group, and what the contracts say of it.
type Group struct {
	ID     string
	Topics map[string]Topic // more are found by the group's positions and members
}

// A Topic is what a contract says of a topic that a group reads.
type Topic struct {
	Retry     bool // it is a retry topic: what lies there waits on purpose
	FromStart bool // a reader without a position begins at the start of the log
}

// An Exporter looks at groups and is what Prometheus collects. Collecting costs
// the cluster nothing. Close it.
type Exporter struct {
	cfg     Config
	cluster *kafka.Cluster
	windows map[place]*window
	told    string

	mu      sync.Mutex
	seen    []prometheus.Metric // of the last look
	last    time.Time           // when all was last seen; zero for never
	took    time.Duration
	errors  int
	unknown int // groups that the last look did not get to see
}

// New returns an exporter that has seen nothing.
func New(cfg Config) *Exporter {
	cfg.Every = cmp.Or(cfg.Every, DefaultEvery)
	return &Exporter{cfg: cfg, windows: map[place]*window{}, unknown: len(cfg.Groups)}
}

// Close drops the connection to the cluster. It must not be called while the
// exporter looks.
func (e *Exporter) Close() {
	if e.cluster != nil {
		e.cluster.Close()
		e.cluster = nil
	}
}

// Run looks now and then, until ctx ends. A look that fails is counted and told,
// and the next one comes.
func (e *Exporter) Run(ctx context.Context) error {
	tick := time.NewTicker(e.cfg.Every)
	defer tick.Stop()
	for {
		_ = e.Look(ctx) // counted and told
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}

// Look looks once. The error says all that could not be seen; the rest is
// exported. It must not be called again before it has returned.
func (e *Exporter) Look(ctx context.Context) error {
	began := time.Now()
	survey, err := e.survey(ctx)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		e.Close()
		_ = e.looked(began, findings{unknown: len(e.cfg.Groups), problems: all(err)})
		return err
	}
	found := findings{first: map[place]behind{}}
	for _, g := range e.cfg.Groups {
		if err := survey.Groups[g.ID].Err; err != nil {
			found.unknown++
			found.problems.Add(problem("group "+g.ID, err))
			continue
		}
		e.judge(g, survey, &found)
	}
	for _, topic := range slices.Sorted(maps.Keys(survey.Faults)) {
		found.problems.Add(problem("topic "+topic, survey.Faults[topic]))
	}
	e.date(ctx, &found)
	e.forget(survey.At)
	if found.unknown == len(e.cfg.Groups) && found.unknown > 0 {
		e.Close() // whatever it is, it may be the login
	}
	return e.looked(began, found)
}

func (e *Exporter) survey(ctx context.Context) (kafka.Survey, error) {
	if e.cluster == nil {
		var err error
		if e.cluster, err = e.cfg.Connect(ctx); err != nil {
			e.cluster = nil
			return kafka.Survey{}, err
		}
	}
	var groups, topics []string
	for _, g := range e.cfg.Groups {
		groups = append(groups, g.ID)
		for topic := range g.Topics {
			topics = append(topics, topic)
		}
	}
	return e.cluster.Survey(ctx, groups, topics)
}

// looked puts what was seen into the place of what was seen before.
func (e *Exporter) looked(began time.Time, found findings) error {
	troubles := found.problems
	e.mu.Lock()
	e.seen, e.unknown, e.took = found.metrics, found.unknown, time.Since(began)
	e.errors += len(troubles)
	if len(troubles) == 0 {
		e.last = time.Now()
	}
	e.mu.Unlock()
	if text := troubles.Error(); text != e.told && e.cfg.Trouble != nil {
		if e.told = text; len(troubles) > 0 {
			e.cfg.Trouble(troubles)
		}
	}
	return troubles.Err()
}

// all are the problems of an error that concerns everything.
func all(err error) diag.List {
	if known := diag.Of(err); len(known) > 0 {
		return known
	}
	return diag.List{diag.New(diag.LagUnseen, "the cluster cannot be looked at").WithEvidence("%v", err)}
}

// problem is a diagnostic for what concerns one group or topic.
func problem(what string, err error) diag.Diagnostic {
	if errors.Is(err, diag.KafkaDenied) {
		return diag.New(diag.LagDenied, "%s is not shown to this login", what).WithEvidence("%v", err)
	}
	return diag.New(diag.LagUnseen, "%s cannot be looked at", what).WithEvidence("%v", err)
}
