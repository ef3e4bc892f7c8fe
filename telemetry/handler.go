package telemetry

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"os"
	"slices"

	"go.opentelemetry.io/otel/trace"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/diag"
)

// Handler returns a handler of logs that passes on to next what its records and
// their contexts say: the trace and the span, and of the message in hand topic,
// partition, offset and a hash of its key. What a record says itself is not said
// twice. Attributes whose name ends in password, secret, token, authorization and
// the like are masked if they are text, and so are the user part of URLs and
// password=… in any text; a value with a LogValue method is its own business.
//
// The hash of a key is one of this process: equal keys have equal hashes here,
// and nowhere else. [Setup] can make it one that instances share.
func Handler(next slog.Handler) slog.Handler {
	return &handler{next: next, hash: newHash(nil)}
}

// handler adds what a record's context knows, and masks.
type handler struct {
	next slog.Handler
	hash *hash
	said said    // by the attributes that next has already
	open []group // groups that have begun, and are not next's since what is added stands before them
}

type group struct {
	name  string
	attrs []slog.Attr
}

// logs makes the handler that the configuration asks for.
func logs(cfg Config, v *Variables) slog.Handler {
	options := &slog.HandlerOptions{Level: cfg.Level}
	var next slog.Handler
	switch cfg.Format {
	case "", "text":
		next = slog.NewTextHandler(cfg.Output, options)
	case "json":
		next = slog.NewJSONHandler(cfg.Output, options)
	default:
		next = slog.NewTextHandler(cfg.Output, options)
		v.Fault(diag.New(diag.TelemetryVariable, "the format of logs is %q", cfg.Format).WithFix("set log.format to text or json"))
	}
	return &handler{next: next, hash: newHash(keyOfHash(v))}
}

// Enabled implements [slog.Handler].
func (h *handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

// Handle implements [slog.Handler].
func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	known, clean := h.said, true
	r.Attrs(func(a slog.Attr) bool {
		if len(h.open) == 0 {
			known |= saidBy(a.Key)
		}
		if clean {
			_, changed := masked(a)
			clean = !changed
		}
		return true
	})
	var room [6]slog.Attr
	added := h.about(ctx, known, room[:0])
	message, changed := maskedText(r.Message)
	if clean && !changed && len(h.open) == 0 {
		if len(added) > 0 {
			r = r.Clone()
			r.AddAttrs(added...)
		}
		return h.next.Handle(ctx, r)
	}
	out := slog.NewRecord(r.Time, r.Level, message, r.PC)
	own := make([]slog.Attr, 0, r.NumAttrs())
	r.Attrs(func(a slog.Attr) bool {
		a, _ = masked(a)
		own = append(own, a)
		return true
	})
	for _, g := range slices.Backward(h.open) {
		own = []slog.Attr{{Key: g.name, Value: slog.GroupValue(append(slices.Clone(g.attrs), own...)...)}}
	}
	out.AddAttrs(own...)
	out.AddAttrs(added...)
	return h.next.Handle(ctx, out)
}

// WithAttrs implements [slog.Handler].
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	if len(attrs) == 0 {
		return h
	}
	out, attrs := *h, slices.Clone(attrs)
	for i, a := range attrs {
		attrs[i], _ = masked(a)
	}
	if n := len(h.open); n > 0 {
		out.open = slices.Clone(h.open)
		out.open[n-1].attrs = append(slices.Clone(h.open[n-1].attrs), attrs...)
		return &out
	}
	for _, a := range attrs {
		out.said |= saidBy(a.Key)
	}
	out.next = h.next.WithAttrs(attrs)
	return &out
}

// WithGroup implements [slog.Handler].
func (h *handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	out := *h
	out.open = append(slices.Clone(h.open), group{name: name})
	return &out
}

// The attributes that are added, and which of them a record has already.
const (
	attrTrace     = "trace_id"
	attrSpan      = "span_id"
	attrTopic     = "topic"
	attrPartition = "partition"
	attrOffset    = "offset"
	attrKey       = "key_hash"
)

type said uint8

const (
	saidTrace said = 1 << iota
	saidSpan
	saidTopic
	saidPartition
	saidOffset
	saidKey
)

func saidBy(name string) said {
	switch name {
	case attrTrace:
		return saidTrace
	case attrSpan:
		return saidSpan
	case attrTopic:
		return saidTopic
	case attrPartition:
		return saidPartition
	case attrOffset:
		return saidOffset
	case attrKey:
		return saidKey
	}
	return 0
}

// about appends what a context knows and the record does not say.
func (h *handler) about(ctx context.Context, known said, all []slog.Attr) []slog.Attr {
	if ctx == nil {
		return all
	}
	if sc := trace.SpanContextFromContext(ctx); sc.IsValid() {
		if known&saidTrace == 0 {
			all = append(all, slog.String(attrTrace, sc.TraceID().String()))
		}
		if known&saidSpan == 0 {
			all = append(all, slog.String(attrSpan, sc.SpanID().String()))
		}
	}
	d, ok := slipway.DeliveryFrom(ctx)
	if !ok || d.Topic == "" { // not of a message
		return all
	}
	if known&saidTopic == 0 {
		all = append(all, slog.String(attrTopic, d.Topic))
	}
	if known&saidPartition == 0 {
		all = append(all, slog.Int(attrPartition, int(d.Partition)))
	}
	if known&saidOffset == 0 {
		all = append(all, slog.Int64(attrOffset, d.Offset))
	}
	if key := d.Key(); len(key) > 0 && known&saidKey == 0 {
		all = append(all, slog.String(attrKey, h.hash.of(key)))
	}
	return all
}

// A hash makes short names of keys that lead back to no key for who does not
// have its own.
type hash struct{ key []byte }

// newHash returns a hash with a key, or with one that nobody knows.
func newHash(key []byte) *hash {
	if len(key) == 0 {
		key = []byte(rand.Text())
	}
	sum := sha256.Sum256(key)
	return &hash{sum[:]}
}

// of is the hash of a record's key, in eight hexadecimal digits. It is cut so
// short that it continues no other, which is why it needs no HMAC.
func (h *hash) of(key []byte) string {
	var room [128]byte
	sum := sha256.Sum256(append(append(room[:0], h.key...), key...))
	return hex.EncodeToString(sum[:4])
}

// minKeyLength is what a key needs that nobody is to guess.
const minKeyLength = 16

// keyOfHash reads the key that instances share, nil if they do not.
func keyOfHash(v *Variables) []byte {
	const variable = "LOG_KEY_HASH_PATH"
	file := v.Text(variable)
	if file == "" {
		return nil
	}
	key, err := os.ReadFile(file)
	if err != nil {
		v.Fault(diag.New(diag.TelemetryVariable, "read what %s names: %v", variable, err))
		return nil
	}
	if len(key) < minKeyLength {
		v.Fault(diag.New(diag.TelemetryVariable, "the file that %s names holds no key of %d bytes or more", variable, minKeyLength))
		return nil
	}
	return key
}
