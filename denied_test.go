package slipway_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/slipwaytest"
)

func TestAHandlerThatIsDeniedHasNotFailed(t *testing.T) {
	t.Parallel()
	var calls, later atomic.Int64
	wire := func(app *slipway.App) error {
		out := slipway.NewProducer[[]byte](app, jobsOut)
		slipway.Handle(app, jobs, func(ctx context.Context, m *slipway.Message[[]byte]) error {
			calls.Add(1)
			if m.Attempt > 1 {
				later.Add(1)
			}
			_, err := out.Send(ctx, &m.Value)
			return err
		})
		return nil
	}
	slipwaytest.Run(t, relaying("direct", "retry: {delays: [200ms, 400ms], then: dead-letter}"), wire, func(t *testing.T, k *slipwaytest.Kit) {
		g := topicGrant(jobsOut, kmsg.ACLOperationWrite)
		g.revoke(t, k)
		k.SendBytes(jobs, []byte("k"), []byte("v"))
		k.Advance(5 * time.Minute)
		if n := calls.Load(); n < 2 {
			t.Errorf("%d calls in five minutes of denial, want the record to be tried now and then", n)
		}
		g.give(t, k)
		k.Advance(toResume)
		if n := len(k.Records(jobsOut)); n != 1 {
			t.Errorf("%d records were passed on after the grant, want 1", n)
		}
		if n := len(k.Records(jobsDead)); n != 0 || later.Load() != 0 {
			t.Errorf("%d dead letters and %d calls that count an earlier failure, want none: it is not the record's", n, later.Load())
		}
	})
}

func TestWhatAHandlerDecidesAboutADeniedRecordHolds(t *testing.T) {
	t.Parallel()
	wire := func(app *slipway.App) error {
		out := slipway.NewProducer[[]byte](app, jobsOut)
		slipway.Handle(app, jobs, func(ctx context.Context, m *slipway.Message[[]byte]) error {
			_, err := out.Send(ctx, &m.Value)
			return slipway.Reject(err)
		})
		return nil
	}
	slipwaytest.Run(t, relaying("direct", retrying), wire, func(t *testing.T, k *slipwaytest.Kit) {
		topicGrant(jobsOut, kmsg.ACLOperationWrite).revoke(t, k)
		k.SendBytes(jobs, []byte("k"), []byte("v"))
		k.Advance(5 * time.Second)
		if n := len(k.Records(jobsDead)); n != 1 {
			t.Errorf("%d dead letters, want the record that was rejected", n)
		}
	})
}

func TestADeniedSendTellsAUserWhatToDo(t *testing.T) {
	t.Parallel()
	var out *slipway.Producer[[]byte]
	wire := func(app *slipway.App) error {
		out = slipway.NewProducer[[]byte](app, jobsOut)
		slipway.Handle(app, jobs, func(context.Context, *slipway.Message[[]byte]) error { return nil })
		return nil
	}
	slipwaytest.Run(t, relaying("direct", retrying), wire, func(t *testing.T, k *slipwaytest.Kit) {
		topicGrant(jobsOut, kmsg.ACLOperationWrite).revoke(t, k)
		value := []byte("v")
		began := time.Now()
		_, err := out.Send(t.Context(), &value)
		if took := time.Since(began); took > toTell {
			t.Errorf("told after %v, want at most %v", took, toTell)
		}
		if !errors.Is(err, slipway.ErrNotAuthorized) || !errors.Is(err, diag.RuntimeNotAuthorized) {
			t.Errorf("Send() = %v, want ErrNotAuthorized with %s", err, diag.RuntimeNotAuthorized)
		}
		said := told(err)
		for _, part := range []string{"User:" + jobsGroup + " may not WRITE TOPIC " + jobsOut, "slipway.yaml:", "TOPIC_AUTHORIZATION_FAILED", "run slipway apply -e dev: produces/" + jobsOut} {
			if !strings.Contains(said, part) {
				t.Errorf("a user reads\n%s\nwant %q in it", said, part)
			}
		}
	})
}

func TestDenialsAndPasswordsAreMeasured(t *testing.T) {
	t.Parallel()
	reader := sdkmetric.NewManualReader()
	s := newStudy(t)
	services := []slipwaytest.Service{{
		Files: relaying("direct", retrying), Wire: s.relay,
		Configure: func(cfg *slipway.Config) {
			cfg.MeterProvider = sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
		},
	}}
	slipwaytest.RunAll(t, services, func(t *testing.T, k *slipwaytest.Kit) {
		const out, group = `READ GROUP ` + jobsGroup, `WRITE TOPIC ` + jobsOut
		grants := []grant{
			topicGrant(jobsOut, kmsg.ACLOperationWrite),
			{kmsg.ACLResourceTypeGroup, jobsGroup, kmsg.ACLResourcePatternTypeLiteral, kmsg.ACLOperationRead},
		}
		s.load(k, time.Second, numbered(3))
		got := collect(t, reader)
		for name, want := range map[string]int64{
			"slipway.credential current": 1, "slipway.credential next": 0, "slipway.credential former": 0,
			"slipway.credential.mounted current": 1, "slipway.credential.mounted next": 0, "slipway.credential.refused": 0, "slipway.credential.unread": 0,
		} {
			if n, ok := got[name]; !ok || n != want {
				t.Errorf("%s is %d (%t), want %d", name, n, ok, want)
			}
		}
		if got["kafka.acl.denied "+out] != 0 {
			t.Error("a denial is counted before there was any")
		}
		for _, g := range grants {
			g.revoke(t, k)
			s.load(k, 3*time.Second, numbered(3))
		}
		got = collect(t, reader)
		for _, right := range []string{out, group} {
			if got["kafka.acl.denied "+right] == 0 || got["kafka.acl.missing "+right] != 1 {
				t.Errorf("%s: denied %d times, missing %d, want some and 1", right, got["kafka.acl.denied "+right], got["kafka.acl.missing "+right])
			}
		}
		for _, g := range grants {
			g.give(t, k)
		}
		k.Advance(2 * toResume)
		got = collect(t, reader)
		for _, right := range []string{out, group} {
			if got["kafka.acl.missing "+right] != 0 {
				t.Errorf("%s is missing after the grant", right)
			}
		}
		s.await(k, s.sent, time.Minute)
	})
}

// collect returns figures by the name of their metric and what they are of.
func collect(t *testing.T, reader *sdkmetric.ManualReader) map[string]int64 {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	got := make(map[string]int64)
	for _, m := range all.ScopeMetrics[0].Metrics {
		var points []metricdata.DataPoint[int64]
		switch d := m.Data.(type) {
		case metricdata.Gauge[int64]:
			points = d.DataPoints
		case metricdata.Sum[int64]:
			points = d.DataPoints
		}
		for _, p := range points {
			name := m.Name
			for _, label := range []string{"operation", "resource_type", "resource", "which"} {
				if v, ok := p.Attributes.Value(attribute.Key(label)); ok {
					name += " " + v.AsString()
				}
			}
			got[name] = p.Value
		}
	}
	return got
}
