package slipway

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/internal/auth"
	"github.com/slipway-go/slipway/internal/lag"
	"github.com/slipway-go/slipway/internal/protect"
	"github.com/slipway-go/slipway/internal/secure"
	"github.com/slipway-go/slipway/pki"
)

// A measured service: its instruments, and what somebody who collects sees.
type measured struct {
	t *testing.T
	*instruments
	reader *sdkmetric.ManualReader
}

func measure(t *testing.T) measured {
	t.Helper()
	reader := sdkmetric.NewManualReader()
	i, err := newInstruments(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)))
	if err != nil {
		t.Fatal(err)
	}
	return measured{t, i, reader}
}

func (m measured) metrics() []metricdata.Metrics {
	m.t.Helper()
	var all metricdata.ResourceMetrics
	if err := m.reader.Collect(m.t.Context(), &all); err != nil {
		m.t.Fatal(err)
	}
	if len(all.ScopeMetrics) == 0 {
		return nil
	}
	return all.ScopeMetrics[0].Metrics
}

// series returns all values as Prometheus would show them; of a histogram the
// number of values and their sum.
func (m measured) series() map[string]float64 {
	m.t.Helper()
	got := make(map[string]float64)
	for _, metric := range m.metrics() {
		name := prometheusName(metric)
		add := func(set attribute.Set, suffix string, v float64) {
			var labels []string
			for _, kv := range set.ToSlice() {
				labels = append(labels, fmt.Sprintf("%s=%q", strings.ReplaceAll(string(kv.Key), ".", "_"), kv.Value.String()))
			}
			got[name+suffix+"{"+strings.Join(labels, ",")+"}"] = v
		}
		switch d := metric.Data.(type) {
		case metricdata.Gauge[int64]:
			for _, p := range d.DataPoints {
				add(p.Attributes, "", float64(p.Value))
			}
		case metricdata.Gauge[float64]:
			for _, p := range d.DataPoints {
				add(p.Attributes, "", p.Value)
			}
		case metricdata.Sum[int64]:
			for _, p := range d.DataPoints {
				add(p.Attributes, "", float64(p.Value))
			}
		case metricdata.Histogram[float64]:
			for _, p := range d.DataPoints {
				add(p.Attributes, "_count", float64(p.Count))
				add(p.Attributes, "_sum", p.Sum)
			}
		default:
			m.t.Errorf("%s is a %T", metric.Name, d)
		}
	}
	return got
}

// prometheusName is what the Prometheus exporter makes of a name: underscores,
// the unit unless it is there already, and _total for what only grows.
func prometheusName(m metricdata.Metrics) string {
	name := strings.ReplaceAll(m.Name, ".", "_")
	if unit := map[string]string{"s": "seconds", "By": "bytes"}[m.Unit]; unit != "" && !strings.HasSuffix(name, unit) {
		name += "_" + unit
	}
	if sum, ok := m.Data.(metricdata.Sum[int64]); ok && sum.IsMonotonic {
		name += "_total"
	}
	return name
}

// busy lets a little of everything happen.
func busy(i *instruments) {
	e := i.entry("svc-a-dev", "orders.v1", true)
	e.fetched(10)
	e.attempted(nil, 2*time.Second, 1, true)
	e.attempted(nil, time.Second, 2, false)
	e.attempted(nil, time.Second, 3, false)
	for r := range results {
		e.processed(r, int(r)+1)
	}
	e.finished(nil, 3*time.Second)
	e.deadLettered("rejected")
	e.deadLettered("exhausted")
	e.deadLettered("exhausted")
	e.repeated(4)
	e.opened()
	e.overdue()
	e.overdue()
	e.back()
	g := i.group("svc-a-dev")
	g.committed(nil)
	g.committed(nil)
	g.committed(errors.New("away"))
	g.assigned.Add(2)
	g.revoked.Add(1)
	g.transactional.Store(true)
	g.settled.Add(8)
	g.aborted.Add(3)
	g.renewals.Add(1)
	i.observe(func() groupSnapshot {
		return groupSnapshot{
			group: "svc-a-dev",
			entries: []entrySnapshot{{
				topic: "orders.v1", running: 3, lanes: 5, records: 7, bytes: 700, breaker: protect.Open,
				waiting: backlog{2, 9, time.Minute}, parked: backlog{1, 4, time.Hour}, deadLetters: 6, oldestDeadAge: 24 * time.Hour,
			}},
			partitions: []partitionSnapshot{
				{topic: "orders.v1", id: 0, lag: 12, behind: 1500 * time.Millisecond, status: lag.OK, headAge: time.Second, startOffset: 40, startSource: "committed"},
				{topic: "orders.v1", id: 1, lag: -1, behind: -1, status: lag.Unsure, headAge: -1, paused: true, startOffset: -1},
			},
		}
	})
}

func TestWhatTheRuntimeDoesIsExportedUnderTheRequiredNames(t *testing.T) {
	t.Parallel()
	m := measure(t)
	busy(m.instruments)
	const g, gt = `consumer_group="svc-a-dev"`, `consumer_group="svc-a-dev",topic="orders.v1"`
	const p0, p1 = `consumer_group="svc-a-dev",partition="0"`, `consumer_group="svc-a-dev",partition="1"`
	want := map[string]float64{
		`business_messages_processed_total{status="dead-lettered",topic="orders.v1"}`:                                                                                                         3,
		`business_messages_processed_total{status="ok",topic="orders.v1"}`:                                                                                                                    1,
		`business_messages_processed_total{status="parked",topic="orders.v1"}`:                                                                                                                6,
		`business_messages_processed_total{status="rejected",topic="orders.v1"}`:                                                                                                              4,
		`business_messages_processed_total{status="retried",topic="orders.v1"}`:                                                                                                               2,
		`business_messages_processed_total{status="skipped",topic="orders.v1"}`:                                                                                                               5,
		`kafka_consumer_messages_processed_total{` + g + `,result="dead-lettered",topic="orders.v1"}`:                                                                                         3,
		`kafka_consumer_messages_processed_total{` + g + `,result="ok",topic="orders.v1"}`:                                                                                                    1,
		`kafka_consumer_messages_processed_total{` + g + `,result="parked",topic="orders.v1"}`:                                                                                                6,
		`kafka_consumer_messages_processed_total{` + g + `,result="rejected",topic="orders.v1"}`:                                                                                              4,
		`kafka_consumer_messages_processed_total{` + g + `,result="retried",topic="orders.v1"}`:                                                                                               2,
		`kafka_consumer_messages_processed_total{` + g + `,result="skipped",topic="orders.v1"}`:                                                                                               5,
		`kafka_message_processing_duration_seconds_count{attempt="first",` + g + `,result="failed",topic="orders.v1"}`:                                                                        1,
		`kafka_message_processing_duration_seconds_sum{attempt="first",` + g + `,result="failed",topic="orders.v1"}`:                                                                          2,
		`kafka_message_processing_duration_seconds_count{attempt="retry",` + g + `,result="ok",topic="orders.v1"}`:                                                                            2,
		`kafka_message_processing_duration_seconds_sum{attempt="retry",` + g + `,result="ok",topic="orders.v1"}`:                                                                              2,
		`kafka_consumer_freshness_seconds_count{` + gt + `}`:                                                                                                                                  1,
		`kafka_consumer_freshness_seconds_sum{` + gt + `}`:                                                                                                                                    3,
		`messaging_client_consumed_messages_total{messaging_consumer_group_name="svc-a-dev",messaging_destination_name="orders.v1",messaging_operation_name="poll",messaging_system="kafka"}`: 10,
		`kafka_consumer_deadletters_written_total{` + g + `,reason="exhausted",topic="orders.v1"}`:                                                                                            2,
		`kafka_consumer_deadletters_written_total{` + g + `,reason="rejected",topic="orders.v1"}`:                                                                                             1,
		`kafka_consumer_deadletters_depth{` + gt + `}`:                                                                                                                                        6,
		`kafka_consumer_deadletters_age_seconds{` + gt + `}`:                                                                                                                                  86400,
		`kafka_consumer_repeats_total{` + gt + `}`:                                                                                                                                            4,
		`kafka_consumer_breaker_opened_total{` + gt + `}`:                                                                                                                                     1,
		`kafka_consumer_breaker_state{` + g + `,state="open",topic="orders.v1"}`:                                                                                                              1,
		`kafka_consumer_watchdog_hits_total{` + gt + `}`:                                                                                                                                      2,
		`kafka_consumer_handlers_overdue{` + gt + `}`:                                                                                                                                         1,
		`kafka_consumer_handlers_running{` + gt + `}`:                                                                                                                                         3,
		`kafka_consumer_lanes{` + gt + `}`:                                                                                                                                                    5,
		`kafka_consumer_open_records{` + gt + `}`:                                                                                                                                             7,
		`kafka_consumer_open_bytes{` + gt + `}`:                                                                                                                                               700,
		`kafka_consumer_held_keys{` + g + `,state="waiting",topic="orders.v1"}`:                                                                                                               2,
		`kafka_consumer_held_keys{` + g + `,state="parked",topic="orders.v1"}`:                                                                                                                1,
		`kafka_consumer_held_records{` + g + `,state="waiting",topic="orders.v1"}`:                                                                                                            9,
		`kafka_consumer_held_records{` + g + `,state="parked",topic="orders.v1"}`:                                                                                                             4,
		`kafka_consumer_held_age_seconds{` + g + `,state="waiting",topic="orders.v1"}`:                                                                                                        60,
		`kafka_consumer_held_age_seconds{` + g + `,state="parked",topic="orders.v1"}`:                                                                                                         3600,
		`kafka_consumer_commits_total{` + g + `,result="ok"}`:                                                                                                                                 2,
		`kafka_consumer_commits_total{` + g + `,result="failed"}`:                                                                                                                             1,
		`kafka_consumer_rebalances_total{` + g + `,kind="assigned"}`:                                                                                                                          2,
		`kafka_consumer_rebalances_total{` + g + `,kind="revoked"}`:                                                                                                                           1,
		`kafka_consumer_rebalances_total{` + g + `,kind="lost"}`:                                                                                                                              0,
		`kafka_consumer_transactions_total{` + g + `,result="committed"}`:                                                                                                                     8,
		`kafka_consumer_transactions_total{` + g + `,result="aborted"}`:                                                                                                                       3,
		`kafka_consumer_transactional_id_renewals_total{` + g + `}`:                                                                                                                           1,
		`kafka_consumer_partitions_assigned{` + gt + `}`:                                                                                                                                      2,
		`kafka_consumer_partitions_paused{` + gt + `}`:                                                                                                                                        1,
		`kafka_consumer_lag{` + p0 + `,topic="orders.v1"}`:                                                                                                                                    12,
		`kafka_consumer_lag_time_seconds{` + p0 + `,topic="orders.v1"}`:                                                                                                                       1.5,
		`kafka_consumer_head_age_seconds{` + p0 + `,topic="orders.v1"}`:                                                                                                                       1,
		`kafka_consumer_partition_status{` + p0 + `,status="ok",topic="orders.v1"}`:                                                                                                           1,
		`kafka_consumer_partition_status{` + p1 + `,status="unsure",topic="orders.v1"}`:                                                                                                       1,
		`kafka_consumer_start_offset{` + p0 + `,source="committed",topic="orders.v1"}`:                                                                                                        40,
	}
	if diff := cmp.Diff(want, m.series()); diff != "" {
		t.Errorf("exported (-want +got):\n%s", diff)
	}
}

func TestTwoGroupsOfATopicAreOneBusinessFigure(t *testing.T) {
	t.Parallel()
	m := measure(t)
	m.entry("svc-a-dev", "orders.v1", false).processed(resultOK, 3)
	m.entry("svc-a-dev.audit", "orders.v1", false).processed(resultOK, 4)
	if got := m.series()[`business_messages_processed_total{status="ok",topic="orders.v1"}`]; got != 7 {
		t.Errorf("business_messages_processed_total = %v, want 7", got)
	}
}

func TestFreshnessIsRecordedOnlyWhereItIsPromised(t *testing.T) {
	t.Parallel()
	m := measure(t)
	m.entry("svc-a-dev", "orders.v1", false).finished(nil, time.Second)
	for name := range m.series() {
		if strings.HasPrefix(name, "kafka_consumer_freshness") {
			t.Errorf("%s is exported, and the contract promises no freshness", name)
		}
	}
}

func TestAClosedAppIsNoLongerCollected(t *testing.T) {
	t.Parallel()
	m := measure(t)
	asked := 0
	m.observe(func() groupSnapshot { asked++; return groupSnapshot{} })
	m.series()
	if err := m.close(); err != nil {
		t.Fatal(err)
	}
	m.series()
	if asked != 1 {
		t.Errorf("the state was asked for %d times, want once, before the app was closed", asked)
	}
}

// A million keys must not make a series: what is recorded has no label that
// comes from a record but for a dead letter's reason, which the runtime chooses.
func TestRecordsMakeNoSeries(t *testing.T) {
	t.Parallel()
	m := measure(t)
	busy(m.instruments)
	before := len(m.series())
	e := m.entries[0]
	for n := range 10_000 {
		e.attempted(nil, time.Duration(n)*time.Millisecond, 1+n%7, n%7 < 6 && n%2 == 0)
		e.processed(result(n)%results, 1)
		e.finished(nil, time.Duration(n))
	}
	if after := len(m.series()); after > before+4 { // two more kinds of attempt, each a count and a sum
		t.Errorf("%d series after 10,000 records, %d before", after, before)
	}
}

// The table of the reference is compared with what the code exports.
func TestEveryMetricIsInTheReference(t *testing.T) {
	t.Parallel()
	m := measure(t)
	busy(m.instruments)
	app := denied(t)
	m.guarded.app.Store(app)
	m.judged.app.Store(app)
	got := make(map[string]string)
	for _, metric := range m.metrics() {
		labels := make(map[string]bool)
		add := func(sets ...attribute.Set) {
			for _, set := range sets {
				for _, kv := range set.ToSlice() {
					labels[strings.ReplaceAll(string(kv.Key), ".", "_")] = true
				}
			}
		}
		kind := "gauge"
		switch d := metric.Data.(type) {
		case metricdata.Sum[int64]:
			kind = "counter"
			add(d.DataPoints[0].Attributes)
		case metricdata.Histogram[float64]:
			kind = "histogram"
			add(d.DataPoints[0].Attributes)
		case metricdata.Gauge[int64]:
			add(d.DataPoints[0].Attributes)
		case metricdata.Gauge[float64]:
			add(d.DataPoints[0].Attributes)
		}
		unit := map[string]string{"s": "seconds", "By": "bytes"}[metric.Unit]
		if unit == "" {
			unit = strings.Trim(metric.Unit, "{}") + "s"
		}
		got[prometheusName(metric)] = kind + ", " + unit + ", " + strings.Join(slices.Sorted(maps.Keys(labels)), " ")
		if metric.Description == "" {
			t.Errorf("%s has no description", metric.Name)
		}
	}
	text, err := os.ReadFile("docs/reference/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	want := make(map[string]string)
	ours, _, _ := strings.Cut(string(text), "\n## ") // other packages and programs follow
	for line := range strings.Lines(ours) {
		cells := strings.Split(strings.ReplaceAll(line, `\|`, "¦"), "|")
		if len(cells) < 6 || !strings.HasPrefix(cells[1], " `") {
			continue
		}
		labels := strings.Split(strings.TrimSpace(cells[4]), ", ")
		slices.Sort(labels)
		want[strings.Trim(cells[1], " `")] = strings.TrimSpace(cells[2]) + ", " + strings.TrimSpace(cells[3]) + ", " + strings.Join(labels, " ")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("docs/reference/metrics.md and the code differ (-docs +code):\n%s", diff)
	}
}

// denied is an app that lacks a right and logs in with a password.
func denied(t *testing.T) *App {
	t.Helper()
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("a password of no cluster"), 0o600); err != nil {
		t.Fatal(err)
	}
	ring, err := auth.NewKeyring(auth.KeyringConfig{File: file})
	if err != nil {
		t.Fatal(err)
	}
	a := &App{contract: &contract.Service{}}
	a.links = a.newLinks()
	l := a.linkOf("")
	l.login.ring = ring
	l.login.files = certifiedFiles(t)
	l.denials.of = map[right]*denial{toRead("orders.v1"): {refused: 2}}
	return a
}

// certifiedFiles are those of a service with a certificate.
func certifiedFiles(t *testing.T) *secure.Files {
	t.Helper()
	ca, err := pki.NewAuthority("ours", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	own, err := ca.Issue(pki.Request{CommonName: "svc-orders-dev", Usage: pki.Client})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cfg := secure.FilesConfig{CA: filepath.Join(dir, "ca.crt"), Cert: filepath.Join(dir, "tls.crt"), Key: filepath.Join(dir, "tls.key")}
	for file, data := range map[string][]byte{cfg.CA: ca.PEM(), cfg.Cert: own.PEM(), cfg.Key: own.KeyPEM()} {
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	files, err := secure.NewFiles(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestRecordingAllocatesNothing(t *testing.T) {
	for name, provider := range map[string]metric.MeterProvider{
		"without a provider": noop.NewMeterProvider(),
		"with the SDK":       sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader())),
	} {
		i, err := newInstruments(provider)
		if err != nil {
			t.Fatal(err)
		}
		e := i.entry("svc-a-dev", "orders.v1", true)
		if n := testing.AllocsPerRun(1000, func() { recordOne(e) }); n != 0 {
			t.Errorf("%s a record costs %v allocations, want none", name, n)
		}
	}
}

// recordOne is what a record costs that is handled at the first attempt.
func recordOne(e *entryMeter) {
	e.fetched(1)
	e.attempted(nil, 3*time.Millisecond, 1, false)
	e.processed(resultOK, 1)
	e.finished(nil, 5*time.Millisecond)
}

func BenchmarkRecordingWithoutProvider(b *testing.B) {
	benchmarkRecording(b, noop.NewMeterProvider(), false)
}
func BenchmarkRecordingGlobalProvider(b *testing.B) { benchmarkRecording(b, nil, false) }
func BenchmarkRecordingWithSDK(b *testing.B) {
	benchmarkRecording(b, sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader())), false)
}
func BenchmarkRecordingWithSDKAndFreshness(b *testing.B) {
	benchmarkRecording(b, sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader())), true)
}

func benchmarkRecording(b *testing.B, provider metric.MeterProvider, freshness bool) {
	i, err := newInstruments(provider)
	if err != nil {
		b.Fatal(err)
	}
	e := i.entry("svc-a-dev", "orders.v1", freshness)
	b.ReportAllocs()
	for b.Loop() {
		recordOne(e)
	}
}

func BenchmarkCollectThousandPartitions(b *testing.B) {
	reader := sdkmetric.NewManualReader()
	i, err := newInstruments(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)))
	if err != nil {
		b.Fatal(err)
	}
	s := groupSnapshot{group: "svc-a-dev", entries: []entrySnapshot{{topic: "orders.v1"}}}
	for id := range int32(1000) {
		s.partitions = append(s.partitions, partitionSnapshot{topic: "orders.v1", id: id, status: lag.OK, startSource: "committed"})
	}
	i.observe(func() groupSnapshot { return s })
	var all metricdata.ResourceMetrics
	for b.Loop() {
		if err := reader.Collect(b.Context(), &all); err != nil {
			b.Fatal(err)
		}
	}
}
