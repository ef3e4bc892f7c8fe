package slipway

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

// idle makes a pipe that nothing goes through.
func idle(t *testing.T, log *bytes.Buffer) *pipe {
	t.Helper()
	m := measure(t)
	a := &App{log: slog.New(slog.NewTextHandler(log, nil)), meter: m.instruments}
	q := &pipe{app: a, link: a.newLink(contract.DefaultAlias), topic: "t", physical: "t", room: contract.Buffer{Bytes: 1000, Records: 10}}
	q.counts.make(q)
	return q
}

func replicas(id int32, replicas, inSync int) kmsg.MetadataResponseTopicPartition {
	p := kmsg.NewMetadataResponseTopicPartition()
	p.Partition, p.Replicas, p.ISR = id, make([]int32, replicas), make([]int32, inSync)
	return p
}

func TestATopicWithoutAReplicaToSpareIsToldOnce(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	q := idle(t, &log)
	if _, known := q.spare(); known {
		t.Error("the replicas are known before anybody has looked")
	}
	for _, look := range []struct {
		inSync []int
		spare  int64
		told   int
	}{
		{[]int{3, 3, 3}, 1, 0}, {[]int{3, 2, 3}, 0, 1}, {[]int{3, 2, 3}, 0, 1}, {[]int{3, 1, 2}, -1, 2}, {[]int{3, 3, 3}, 1, 2}, {[]int{2, 3, 3}, 0, 3},
	} {
		var all []kmsg.MetadataResponseTopicPartition
		for id, n := range look.inSync {
			all = append(all, replicas(int32(id), 3, n))
		}
		q.looked(all)
		if n, known := q.spare(); n != look.spare || !known {
			t.Errorf("%v in sync: %d to spare, want %d", look.inSync, n, look.spare)
		}
		if n := strings.Count(log.String(), string(diag.ProducerReplicas)); n != look.told {
			t.Errorf("%v in sync: told %d times, want %d\n%s", look.inSync, n, look.told, log.String())
		}
	}
	log.Reset()
	idle(t, &log).looked([]kmsg.MetadataResponseTopicPartition{replicas(0, 1, 1)})
	if log.Len() > 0 {
		t.Errorf("one replica by intention: %s", log.String())
	}
}

func TestOnlyARefusalIsCertain(t *testing.T) {
	t.Parallel()
	for _, err := range []error{kerr.MessageTooLarge, kerr.TopicAuthorizationFailed, kerr.InvalidRecord, kerr.NotEnoughReplicas} {
		if errors.Is(uncertain(err), ErrUnacknowledged) {
			t.Errorf("%v is taken for uncertain", err)
		}
	}
	for _, err := range []error{kgo.ErrClientClosed, kerr.RequestTimedOut, kerr.OutOfOrderSequenceNumber, kerr.NotEnoughReplicasAfterAppend, errors.New("connection lost")} {
		if got := uncertain(err); !errors.Is(got, ErrUnacknowledged) || !errors.Is(got, err) {
			t.Errorf("%v is taken for certain", err)
		}
	}
}

// What a record is taken to need is never less than what the client makes of it.
func TestASizeCoversWhatIsWritten(t *testing.T) {
	t.Parallel()
	for _, rec := range []*kgo.Record{
		{}, {Key: make([]byte, 63), Value: make([]byte, 64)}, {Key: make([]byte, 8191), Value: make([]byte, 8192)}, {Value: make([]byte, 1<<20)},
		{Headers: slices.Repeat([]kgo.RecordHeader{{Key: "k", Value: []byte("v")}}, 100)},
	} {
		body := kmsg.Record{Key: rec.Key, Value: rec.Value, TimestampDelta64: 1 << 40, OffsetDelta: 1 << 20}
		for _, h := range rec.Headers {
			body.Headers = append(body.Headers, kmsg.Header{Key: h.Key, Value: h.Value})
		}
		if got, written := recordSize(rec), len(body.AppendTo(nil)); got < written || got > written+40+10*len(rec.Headers) {
			t.Errorf("size %d, written %d", got, written)
		}
	}
}

func TestATopicWithOutboxThatNothingRelaysKeepsTheServiceFromStarting(t *testing.T) {
	t.Parallel()
	const text = "apiVersion: slipway.dev/v1\nkind: Service\nmetadata: {name: a, owner: team-a}\nidentity: {auth: scram-sha-512}\n" +
		"topics: {x.y.v1: {}}\nproduces: {x.y.v1: {via: outbox}}\n"
	for _, relayed := range []bool{false, true} {
		app, err := New(Config{Files: fstest.MapFS{"slipway.yaml": {Data: []byte(text)}}, Environment: Environment{Name: "dev", BootstrapServers: "localhost:1"}})
		if err != nil {
			t.Fatal(err)
		}
		out := NewProducer[[]byte](app, "x.y.v1")
		if relayed {
			app.Relays("x.y.v1")
		}
		refused := slices.ContainsFunc(diag.Of(app.check()), func(d diag.Diagnostic) bool { return d.Code == diag.ProducerUnrelayed })
		if refused == relayed {
			t.Errorf("relayed: %v, refused: %v", relayed, refused)
		}
		value := []byte("v")
		if _, err := out.Send(t.Context(), &value); !errors.Is(err, ErrNotRunning) {
			t.Errorf("before the start: %v", err)
		}
	}
}

// The table of the guide is compared with what the code exports.
func TestEveryMetricOfProducersIsInTheGuide(t *testing.T) {
	t.Parallel()
	m := measure(t)
	var log bytes.Buffer
	a := &App{log: slog.New(slog.NewTextHandler(&log, nil)), meter: m.instruments}
	q := &pipe{app: a, link: a.newLink(contract.DefaultAlias), physical: "t", room: contract.Buffer{Bytes: 1, Records: 1}}
	q.counts.make(q)
	q.counts.settled(new(sending), false, nil)
	q.looked([]kmsg.MetadataResponseTopicPartition{replicas(0, 3, 3)})
	m.produced.pipes.Store(&map[string]*pipe{"t": q})
	got := make(map[string]string)
	for _, metric := range m.metrics() {
		kind, labels := "gauge", []string(nil)
		add := func(set attribute.Set) {
			for _, kv := range set.ToSlice() {
				if name := strings.ReplaceAll(string(kv.Key), ".", "_"); !slices.Contains(labels, name) {
					labels = append(labels, name)
				}
			}
		}
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
		slices.Sort(labels)
		name := prometheusName(metric)
		if metric.Unit == "1" {
			name += "_ratio"
		}
		got[name] = kind + ", " + strings.Join(labels, ", ")
	}
	text, err := os.ReadFile("docs/producing.md")
	if err != nil {
		t.Fatal(err)
	}
	want := make(map[string]string)
	_, table, _ := strings.Cut(string(text), "\n## Metrics")
	for line := range strings.Lines(table) {
		if cells := strings.Split(line, "|"); len(cells) > 5 && strings.HasPrefix(cells[1], " `") {
			labels := strings.Split(strings.TrimSpace(cells[3]), ", ")
			slices.Sort(labels)
			want[strings.Trim(cells[1], " `")] = strings.TrimSpace(cells[2]) + ", " + strings.Join(labels, ", ")
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("docs/producing.md and the code differ (-docs +code):\n%s", diff)
	}
}
