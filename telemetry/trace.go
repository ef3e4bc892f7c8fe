package telemetry

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/slipway-go/slipway/diag"
)

const (
	signalTraces   = "traces"
	tracesExporter = "OTEL_TRACES_EXPORTER"
	endpoint       = "OTEL_EXPORTER_OTLP_ENDPOINT"
	tracesEndpoint = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
)

// traces makes the provider of tracers, if spans go anywhere.
func (s *setup) traces(ctx context.Context, t *Telemetry, about *resource.Resource) {
	options := []sdktrace.TracerProviderOption{sdktrace.WithResource(about), sdktrace.WithSampler(s.sampler())}
	queue := s.queue()
	var processors []processor
	for _, name := range s.named(tracesExporter, s.usual(tracesEndpoint)) {
		e, r := s.spans(ctx, name)
		if e == nil {
			continue
		}
		p := newProcessor(e, r, queue)
		processors = append(processors, p)
		options = append(options, sdktrace.WithSpanProcessor(p))
	}
	if len(processors) == 0 {
		return
	}
	provider := sdktrace.NewTracerProvider(options...)
	t.Tracer = provider
	s.closers = append(s.closers, func(ctx context.Context) error {
		errs := []error{provider.Shutdown(ctx)}
		for _, p := range processors { // which the provider leaves running if ctx is over
			errs = append(errs, p.Shutdown(ctx))
		}
		return errors.Join(errs...)
	})
}

// usual is where a signal goes if nobody says so: to the collector whose address
// is known, if the program can send there.
func (s *setup) usual(own string) []string {
	variable, text := s.v.First(own, endpoint)
	switch {
	case text == "":
		return nil
	case !s.has("otlp"):
		s.log.Warn("an endpoint is set and nothing sends there", "code", diag.TelemetryNowhere, "variable", variable)
		return nil
	}
	return []string{"otlp"}
}

// spans makes an exporter of spans, nil if that is not possible.
func (s *setup) spans(ctx context.Context, name string) (sdktrace.SpanExporter, *route) {
	var e Exporter = console{s.log}
	if name != consoleName {
		if e = s.linked(tracesExporter, name); e == nil {
			return nil, nil
		}
	}
	sends, ok := e.(SpanExporter)
	if !ok {
		s.v.Fault(diag.New(diag.TelemetrySignal, "%s names %s, which takes no traces", tracesExporter, name))
		return nil, nil
	}
	made, err := sends.Spans(ctx, s.v)
	if err != nil {
		s.refuse(tracesExporter, e, err)
		return nil, nil
	}
	if made == nil {
		return nil, nil // its faults are told
	}
	s.made(signalTraces, e, made)
	return made, s.route(signalTraces, e)
}

// defaultRatio is the share of traces that are recorded: enough to see what is
// usual, at a twentieth of the spans. Whoever calls with a decision of its own is
// followed.
const defaultRatio = 0.05

func (s *setup) sampler() sdktrace.Sampler {
	const variable, arg = "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG"
	name := s.v.OneOf(variable, "parentbased_traceidratio", "parentbased_always_on", "parentbased_always_off", "traceidratio", "always_on", "always_off")
	plain, follows := strings.CutPrefix(name, "parentbased_")
	var sampler sdktrace.Sampler
	switch plain {
	case "always_on":
		sampler = sdktrace.AlwaysSample()
	case "always_off":
		sampler = sdktrace.NeverSample()
	default:
		ratio := defaultRatio
		if text := s.v.Text(arg); text != "" {
			n, err := strconv.ParseFloat(text, 64)
			if err != nil || !(n >= 0 && n <= 1) {
				s.v.Refuse(arg, "use a number from 0 to 1: the share of traces to record")
			}
			ratio = n
		}
		sampler = sdktrace.TraceIDRatioBased(ratio)
	}
	if follows {
		sampler = sdktrace.ParentBased(sampler)
	}
	return sampler
}

// A queue is how spans wait.
type queue struct {
	room, batch    int
	delay, timeout time.Duration
}

func (s *setup) queue() queue {
	q := queue{
		room:    s.v.Int("OTEL_BSP_MAX_QUEUE_SIZE", sdktrace.DefaultMaxQueueSize, 1, 1_000_000),
		batch:   s.v.Int("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", sdktrace.DefaultMaxExportBatchSize, 1, 1_000_000),
		delay:   s.v.Duration("OTEL_BSP_SCHEDULE_DELAY", sdktrace.DefaultScheduleDelay*time.Millisecond),
		timeout: s.v.Duration("OTEL_BSP_EXPORT_TIMEOUT", sdktrace.DefaultExportTimeout*time.Millisecond),
	}
	q.batch = min(q.batch, q.room)
	return q
}

// A processor is the SDK's queue of spans with a count of what it holds, so that
// what finds no room is dropped here, where it can be counted.
type processor struct {
	sdktrace.SpanProcessor
	r       *route
	room    int64
	held    *atomic.Int64
	drained chan struct{}
}

func newProcessor(e sdktrace.SpanExporter, r *route, q queue) processor {
	held, drained := new(atomic.Int64), make(chan struct{})
	return processor{
		SpanProcessor: sdktrace.NewBatchSpanProcessor(spanSender{e, r, held, drained},
			sdktrace.WithMaxQueueSize(q.room), sdktrace.WithMaxExportBatchSize(q.batch),
			sdktrace.WithBatchTimeout(q.delay), sdktrace.WithExportTimeout(q.timeout)),
		r: r, room: int64(q.room), held: held, drained: drained,
	}
}

// OnEnd puts a span into the queue, or drops it. It never waits.
func (p processor) OnEnd(span sdktrace.ReadOnlySpan) {
	if !span.SpanContext().IsSampled() {
		return
	}
	if p.held.Add(1) > p.room {
		p.held.Add(-1)
		p.r.full.Add(1)
		return
	}
	p.SpanProcessor.OnEnd(span)
}

// Shutdown sends what is in the queue. When the time is over exports fail at once,
// so that little later it is known what was lost.
func (p processor) Shutdown(ctx context.Context) error {
	err := p.SpanProcessor.Shutdown(ctx)
	if err != nil {
		select {
		case <-p.drained:
		case <-time.After(grace / 2):
		}
	}
	return err
}

// A spanSender is an exporter whose failures are counted, and told once.
type spanSender struct {
	sdktrace.SpanExporter
	r       *route
	held    *atomic.Int64
	drained chan struct{} // closed when the queue has been emptied for the last time
}

// ExportSpans sends spans. It fails for nobody: what became of them is known.
func (s spanSender) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	defer s.held.Add(-int64(len(spans)))
	ctx, cancel := s.r.bound(ctx)
	defer cancel()
	s.r.exported(len(spans), s.SpanExporter.ExportSpans(ctx, spans))
	return nil
}

// Shutdown ends the exporter, once the queue is empty.
func (s spanSender) Shutdown(ctx context.Context) error {
	close(s.drained)
	return s.SpanExporter.Shutdown(ctx)
}
