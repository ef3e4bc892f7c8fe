package slipway_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/record"
	"github.com/slipway-go/slipway/slipwaytest"
)

// The topics of a service on two clusters. Both have one that is called jobs.
const (
	analytics = "analytics"
	passages  = "passages.v1" // on the default cluster
	reports   = "reports.v1"  // on the other
	patient   = "retry: {backoff: {first: 1s, max: 5s, attempts: 900, budget: 1d}, then: dead-letter}"
)

// severalFiles are a service that copies jobs from one cluster to the other, and
// handles something on each.
func severalFiles() fstest.MapFS {
	return fstest.MapFS{"slipway.yaml": {Data: []byte(`apiVersion: slipway.dev/v1
kind: Service
metadata: {name: worker, owner: team-data}
topics:
  ` + jobs + `: {cluster: analytics, partitions: 3}
produces:
  ` + jobs + `: {cluster: analytics}
consumes:
  ` + jobs + `: {order: key, ` + patient + `}
  ` + passages + `: {order: key, ` + patient + `}
  ` + reports + `: {order: key, cluster: analytics, ` + patient + `}
`)}}
}

// A copier is that service, and what it has handled: values by topic and key.
type copier struct {
	app *slipway.App

	mu      sync.Mutex
	handled map[string][]string
}

func (c *copier) wire(app *slipway.App) error {
	c.app, c.handled = app, make(map[string][]string)
	for _, topic := range []string{passages, reports} {
		slipway.Handle(app, topic, func(_ context.Context, m *slipway.Message[[]byte]) error {
			if string(m.Record.Key) == "bad" {
				return slipway.Reject(errors.New("refused"))
			}
			c.mu.Lock()
			defer c.mu.Unlock()
			at := topic + " " + string(m.Record.Key)
			c.handled[at] = append(c.handled[at], string(m.Value))
			return nil
		})
	}
	return mirror(app)
}

// mirror copies jobs to the topic of that name on the other cluster.
func mirror(app *slipway.App) error {
	out := slipway.NewProducer[[]byte](app, jobs)
	slipway.Handle(app, jobs, func(ctx context.Context, m *slipway.Message[[]byte]) error {
		_, err := out.Send(ctx, &m.Value, slipway.WithKey(m.Record.Key))
		return err
	})
	return nil
}

func (c *copier) of(topic, key string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.handled[topic+" "+key])
}

// check is a check of the service's health.
func (c *copier) check(t *testing.T, name string) slipway.Check {
	t.Helper()
	h := c.app.Health()
	i := slices.IndexFunc(h.Checks, func(c slipway.Check) bool { return c.Name == name })
	if i < 0 {
		t.Fatalf("no check %s in %+v", name, h)
	}
	return h.Checks[i]
}

var copiedKeys = []string{"a", "b", "c", "d"}

// feed sends the numbers from one to another, of each key, to a topic.
func feed(k *slipwaytest.Kit, topic string, from, to int) {
	for i := from; i < to; i++ {
		for _, key := range copiedKeys {
			k.SendBytes(topic, []byte(key), []byte(fmt.Sprintf("%04d", i)))
		}
	}
}

// numbers are the values of a key among records, in the order of their offsets.
func numbers(records []*kgo.Record, key string) (values []string) {
	for _, r := range records {
		if string(r.Key) == key {
			values = append(values, string(r.Value))
		}
	}
	return values
}

// requireAll fails unless values are the numbers up to n, in order, with no more
// than repeats.
func requireAll(t *testing.T, what string, values []string, n int, repeats bool) {
	t.Helper()
	if !slices.IsSorted(values) {
		t.Errorf("%s: %v, want them in order", what, values)
	}
	once := slices.Compact(slices.Clone(values))
	if len(once) != n || !repeats && len(values) != n {
		t.Errorf("%s: %d values, %d of them different, want %d; repeats allowed: %v", what, len(values), len(once), n, repeats)
	}
}

func TestAMirrorCopiesBetweenTopicsOfOneNameOnTwoClusters(t *testing.T) {
	t.Parallel()
	reader := sdkmetric.NewManualReader()
	v, c := newViewer(), new(copier)
	service := slipwaytest.Service{Files: severalFiles(), Wire: c.wire, Configure: func(cfg *slipway.Config) {
		v.configure(cfg)
		cfg.MeterProvider = sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	}}
	slipwaytest.RunAll(t, []slipwaytest.Service{service}, func(t *testing.T, k *slipwaytest.Kit) {
		feed(k, passages, 0, 2)
		feed(k.On(analytics), reports, 0, 3)
		feed(k, jobs, 0, 10)
		k.On(analytics).RequireProduced(jobs, 40)
		k.RequireProduced(jobs, 40) // and no copy of a copy
		for _, key := range copiedKeys {
			requireAll(t, "copies of "+key, numbers(k.On(analytics).Records(jobs), key), 10, false)
		}
		if lag := k.Lag("worker"); lag != 0 {
			t.Errorf("lag is %d, want 0", lag)
		}
		told := make(chan error, 1)
		c.app.Publish(t.Context(), &kgo.Record{Topic: jobs, Key: []byte("relayed"), Value: []byte("v")}, func(err error) { told <- err })
		if err := <-told; err != nil {
			t.Errorf("Publish() = %v", err)
		}
		k.On(analytics).RequireProduced(jobs, 41)
		requireSeriesApart(t, reader)
		for span, want := range map[string]string{"process " + passages: "", "process " + jobs: "", "process " + reports: analytics, "send " + jobs: analytics} {
			all := v.spans(span)
			for _, s := range all {
				if got := about(s)["slipway.kafka.cluster"]; got != want {
					t.Errorf("span %q is of the cluster %q, want %q", span, got, want)
				}
			}
			if len(all) == 0 {
				t.Errorf("no span %q; there are %v", span, v.names())
			}
		}
	})
}

// requireSeriesApart fails if series of two clusters collide, or do not say which
// one they are of.
func requireSeriesApart(t *testing.T, reader sdkmetric.Reader) {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	assigned := make(map[string]int64) // by cluster
	for _, m := range all.ScopeMetrics[0].Metrics {
		seen := make(map[string]bool)
		points, _ := m.Data.(metricdata.Sum[int64])
		gauges, _ := m.Data.(metricdata.Gauge[int64])
		for _, p := range slices.Concat(points.DataPoints, gauges.DataPoints) {
			labels := p.Attributes.Encoded(attribute.DefaultEncoder())
			if seen[labels] {
				t.Errorf("%s{%s} is observed twice", m.Name, labels)
			}
			seen[labels] = true
			cluster, _ := p.Attributes.Value("kafka_cluster")
			switch m.Name {
			case "kafka.consumer.rebalances":
				if kind, _ := p.Attributes.Value("kind"); kind.AsString() == "assigned" {
					assigned[cluster.AsString()]++
				}
			case "slipway.health.check":
				if check, _ := p.Attributes.Value("check"); strings.Contains(check.AsString(), " on ") {
					t.Errorf("%s{%s}, want the cluster in its own label", m.Name, labels)
				}
			case "kafka.producer.messages":
				if cluster.AsString() != analytics {
					t.Errorf("%s{%s}, want its cluster", m.Name, labels)
				}
			}
		}
	}
	if diff := cmp.Diff(map[string]int64{"": 1, analytics: 1}, assigned); diff != "" {
		t.Errorf("series of the group (-want +got)\n%s", diff)
	}
}

func TestDeadLettersLieOnTheClusterOfWhatWasConsumed(t *testing.T) {
	t.Parallel()
	c := new(copier)
	slipwaytest.Run(t, severalFiles(), c.wire, func(t *testing.T, k *slipwaytest.Kit) {
		k.SendBytes(passages, []byte("bad"), []byte("v"))
		k.On(analytics).SendBytes(reports, []byte("bad"), []byte("v"))
		k.RequireDeadLettered("worker", passages, 1)
		k.RequireDeadLettered("worker", reports, 1)
		for topic, where := range map[string]*slipwaytest.Kit{passages: k.On(analytics), reports: k} {
			for _, derived := range []string{k.DeadLetterTopic("worker", topic), jobsGroup + "." + topic + ".retry"} {
				if where.Kafka().TopicInfo(derived) != nil {
					t.Errorf("%s is on the other cluster", derived)
				}
			}
		}
		letter := k.On(analytics).Records(k.DeadLetterTopic("worker", reports))[0]
		if from, _ := record.Get(letter.Headers, record.ErrorTopic); from != reports {
			t.Errorf("the letter is from %s, want %s", from, reports)
		}
	})
}

// away cuts the services off from all brokers of a cluster.
func away(k *slipwaytest.Kit) (mend func()) {
	var mends []func()
	for id := range 3 {
		mends = append(mends, k.CutBroker(id))
	}
	return func() {
		for _, mend := range mends {
			mend()
		}
	}
}

func TestAClusterThatIsAwayHoldsUpOnlyWhatNeedsIt(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		away         string
		works, rests string // topics
		check, well  string
	}{
		"the other one":   {analytics, passages, reports, "cluster on analytics", "cluster"},
		"the default one": {"", reports, passages, "cluster", "cluster on analytics"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := new(copier)
			slipwaytest.Run(t, severalFiles(), c.wire, func(t *testing.T, k *slipwaytest.Kit) {
				at := map[string]*slipwaytest.Kit{passages: k, reports: k.On(analytics)}
				feed(k, jobs, 0, 5)
				feed(at[tt.rests], tt.rests, 0, 5)
				k.Advance(5 * time.Second)
				mend := away(k.On(tt.away))
				feed(k, jobs, 5, 10)
				feed(at[tt.rests], tt.rests, 5, 10)
				feed(at[tt.works], tt.works, 0, 10)
				k.Advance(45 * time.Second)
				for _, key := range copiedKeys {
					requireAll(t, tt.works+" of "+key, c.of(tt.works, key), 10, false)
					requireAll(t, tt.rests+" of "+key, c.of(tt.rests, key), 5, false)
				}
				h := c.app.Health()
				if got := c.check(t, tt.check); !h.Ready || !h.Live || got.Status != slipway.CheckWarn || got.Code != diag.HealthClusterAway {
					t.Errorf("ready %v, live %v, %+v; want a service that is ready and a warning: %+v", h.Ready, h.Live, got, h)
				}
				if got := c.check(t, tt.well); got.Status != slipway.CheckOK {
					t.Errorf("%+v, want the other cluster well", got)
				}
				mend()
				k.Advance(45 * time.Second)
				for _, key := range copiedKeys {
					requireAll(t, tt.rests+" of "+key, c.of(tt.rests, key), 10, true)
					requireAll(t, "copies of "+key, numbers(k.On(analytics).Records(jobs), key), 10, true)
				}
				if h := c.app.Health(); h.Status() != "ok" {
					t.Errorf("afterwards: %+v", h)
				}
			})
		})
	}
}

func TestARightThatOneClusterRefusesIsThatClusters(t *testing.T) {
	t.Parallel()
	c := new(copier)
	slipwaytest.Run(t, severalFiles(), c.wire, func(t *testing.T, k *slipwaytest.Kit) {
		g := topicGrant(jobs, kmsg.ACLOperationWrite)
		g.revoke(t, k.On(analytics))
		feed(k, jobs, 0, 3)
		feed(k, passages, 0, 3)
		k.Advance(30 * time.Second)
		right := c.check(t, "right to WRITE TOPIC "+jobs+" on analytics")
		if right.Status != slipway.CheckFail || right.Code != diag.RuntimeNotAuthorized {
			t.Errorf("%+v, want it to fail", right)
		}
		if err := c.app.Ready(); !errors.Is(err, diag.RuntimeNotAuthorized) || !strings.Contains(err.Error(), "cluster "+analytics+": ") {
			t.Errorf("Ready() = %v, want it to name the right's cluster", err)
		}
		if got := c.check(t, "rights"); got.Status != slipway.CheckOK {
			t.Errorf("%+v, want nothing to lack on the default cluster", got)
		}
		for _, key := range copiedKeys {
			requireAll(t, "passages of "+key, c.of(passages, key), 3, false)
		}
		g.give(t, k.On(analytics))
		k.Advance(toResume)
		for _, key := range copiedKeys {
			requireAll(t, "copies of "+key, numbers(k.On(analytics).Records(jobs), key), 3, false)
		}
	})
}

func TestAClusterThatNobodyNamedTheBrokersOfIsMissed(t *testing.T) {
	t.Parallel()
	there := map[string]slipway.Cluster{analytics: {BootstrapServers: "localhost:1"}}
	for want, env := range map[string]slipway.Environment{
		"CLUSTERS_ANALYTICS_BOOTSTRAP_SERVERS is not set, and the contract names the cluster analytics": {Name: "dev", BootstrapServers: "localhost:1"},
		"BOOTSTRAP_SERVERS is not set, and the contract names the cluster default":                      {Name: "dev", Clusters: there},
	} {
		app, err := slipway.New(slipway.Config{Files: severalFiles(), Environment: env})
		if err != nil {
			t.Fatal(err)
		}
		if err := new(copier).wire(app); err != nil {
			t.Fatal(err)
		}
		if err := app.Run(t.Context()); !errors.Is(err, diag.RuntimeVariableMissing) || !strings.Contains(told(err), want) {
			t.Errorf("Run() = %v, want %q in it", told(err), want)
		}
	}
}

func TestTopicsThatWouldBeOneToWhoeverPublishesAreRefused(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{"slipway.yaml": {Data: []byte(`apiVersion: slipway.dev/v1
kind: Service
metadata: {name: worker, owner: team-data}
produces:
  jobs.v1: {}
  dev.jobs.v1: {cluster: analytics}
`)}}
	app, err := slipway.New(slipway.Config{Files: files, Environment: slipway.Environment{
		Name: "dev", BootstrapServers: "localhost:1", TopicPrefix: "dev.", Clusters: map[string]slipway.Cluster{analytics: {BootstrapServers: "localhost:2"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := app.Run(t.Context()); !errors.Is(err, diag.RuntimeUnsupported) || !strings.Contains(told(err), "both dev.jobs.v1") {
		t.Errorf("Run() = %v, want it to refuse two topics of one name", err)
	}
}
