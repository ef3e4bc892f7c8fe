package telemetry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/slogtest"
	"time"

	"go.opentelemetry.io/otel/trace"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/secret"
	"github.com/slipway-go/slipway/telemetry"
)

// in is the context of a message within a trace.
func in(ctx context.Context) context.Context {
	sc := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{0xab, 1}, SpanID: trace.SpanID{0xcd, 2}})
	return slipway.WithDelivery(trace.ContextWithSpanContext(ctx, sc), slipway.Delivery{Topic: "orders.created.v1", Partition: 3, Offset: 41})
}

func TestTheHandlerIsASlogHandler(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	slogtest.Run(t, func(*testing.T) slog.Handler {
		out.Reset()
		return telemetry.Handler(slog.NewJSONHandler(&out, nil))
	}, func(t *testing.T) map[string]any { return decode(t, out.Bytes()) })
}

func decode(t *testing.T, line []byte) map[string]any {
	t.Helper()
	var got map[string]any
	if err := json.Unmarshal(line, &got); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	return got
}

func TestALineSaysWhichTraceAndWhichMessageItBelongsTo(t *testing.T) {
	t.Parallel()
	const about = "trace_id=ab010000000000000000000000000000 span_id=cd02000000000000 topic=orders.created.v1 partition=3 offset=41"
	for name, tt := range map[string]struct {
		log  func(*slog.Logger, context.Context)
		want string
	}{
		"plain": {func(l *slog.Logger, ctx context.Context) { l.InfoContext(ctx, "done", "n", 1) }, "msg=done n=1 " + about},
		"with":  {func(l *slog.Logger, ctx context.Context) { l.With("a", 1).InfoContext(ctx, "done") }, "msg=done a=1 " + about},
		"group": {func(l *slog.Logger, ctx context.Context) {
			l.WithGroup("g").With("a", 1).InfoContext(ctx, "done", "n", 2)
		}, "msg=done g.a=1 g.n=2 " + about},
		"said":      {func(l *slog.Logger, ctx context.Context) { l.InfoContext(ctx, "done", "topic", "x", "offset", 9) }, "msg=done topic=x offset=9 " + strings.Replace(strings.Replace(about, " topic=orders.created.v1", "", 1), " offset=41", "", 1)},
		"said by":   {func(l *slog.Logger, ctx context.Context) { l.With("trace_id", "x").InfoContext(ctx, "done") }, "msg=done trace_id=x " + strings.TrimPrefix(about, "trace_id=ab010000000000000000000000000000 ")},
		"elsewhere": {func(l *slog.Logger, _ context.Context) { l.Info("done") }, "msg=done"},
		"masked":    {func(l *slog.Logger, ctx context.Context) { l.InfoContext(ctx, "done", "password", "p") }, "msg=done password=*** " + about},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			tt.log(slog.New(telemetry.Handler(slog.NewTextHandler(&out, nil))), in(t.Context()))
			_, got, _ := strings.Cut(strings.TrimSpace(out.String()), "level=INFO ")
			if got != tt.want {
				t.Errorf("logged\n %s, want\n %s", got, tt.want)
			}
		})
	}
}

// named is an attribute with a name that is somebody else's.
func named(name, text string) slog.Attr { return slog.Attr{Key: name, Value: slog.StringValue(text)} }

type spoken struct{}

func (spoken) LogValue() slog.Value { return slog.StringValue("for itself") }

func TestSecretsAreMasked(t *testing.T) {
	t.Parallel()
	address, err := url.Parse("https://user:hunter2@db.example:5432/orders?x=1")
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		attr slog.Attr
		want string
	}{
		"password":        {slog.String("password", "hunter2"), "***"},
		"in a name":       {slog.String("db_password", "hunter2"), "***"},
		"camel case":      {named("clientSecret", "hunter2"), "***"},
		"token":           {named("ACCESS_TOKEN", "hunter2"), "***"},
		"several":         {slog.Any("tokens", []string{"hunter2"}), "***"},
		"header":          {named("Authorization", "Bearer hunter2"), "***"},
		"bytes":           {slog.Any("secret", []byte("hunter2")), "***"},
		"a number is not": {slog.Int("token", 7), "7"},
		"a file is not":   {slog.String("password_file", "/run/password"), "/run/password"},
		"speaks":          {slog.Any("token", spoken{}), "for itself"},
		"secret type":     {slog.Any("login", secret.New("hunter2")), "***"},
		"url":             {slog.Any("address", address), "https://***@db.example:5432/orders?x=1"},
		"url by value":    {slog.Any("address", *address), "https://***@db.example:5432/orders?x=1"},
		"url in text":     {slog.String("address", "dial postgres://user:hunter2@db/x: refused"), "dial postgres://***@db/x: refused"},
		"url in an error": {slog.Any("error", fmt.Errorf("dial %s: %w", address, io.EOF)), "dial https://***@db.example:5432/orders?x=1: EOF"},
		"database":        {slog.Any("error", errors.New("connect to host=db password=hunter2 user=x")), "connect to host=db password=*** user=x"},
		"quoted":          {slog.String("dsn", "password='hunter2 x' user=x"), "password=*** user=x"},
		"plain":           {slog.String("address", "https://db.example/a@b"), "https://db.example/a@b"},
		"nil":             {slog.Any("token", nil), "<nil>"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			log := slog.New(telemetry.Handler(slog.NewJSONHandler(&out, nil)))
			log.Info("m", tt.attr)
			log.With(tt.attr).Info("m")
			log.Info("m", slog.GroupAttrs("g", slog.Int("first", 1), tt.attr))
			log.Info("dial https://user:hunter2@db/")
			if strings.Contains(out.String(), "hunter2") {
				t.Fatalf("the log has the secret:\n%s", out.String())
			}
			line := decode(t, out.Bytes()[:bytes.IndexByte(out.Bytes(), '\n')])
			if got := fmt.Sprint(line[tt.attr.Key]); got != tt.want {
				t.Errorf("logged %s, want %s", got, tt.want)
			}
		})
	}
}

func TestTheLevelAndTheFormatAreTheConfigurations(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	level := new(slog.LevelVar)
	got := setup(t, telemetry.Config{Output: &out, Level: level, Format: "json", Lookup: lookup(nil)})
	got.Logger.Debug("unheard")
	level.Set(slog.LevelDebug)
	got.Logger.Debug("heard")
	if line := decode(t, out.Bytes()); line["msg"] != "heard" || line["level"] != "DEBUG" {
		t.Errorf("logged %v", line)
	}
}

func TestAKeyOfHashesThatCannotBeUsedIsRefused(t *testing.T) {
	t.Parallel()
	short := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(short, []byte("hunter2"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := telemetry.Setup(t.Context(), telemetry.Config{Lookup: lookup(map[string]string{"LOG_KEY_HASH_PATH": short})})
	if !errors.Is(err, diag.TelemetryVariable) || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
}

// Whatever stands around it, the user part of a URL is masked, and text without
// one stays as it is.
func FuzzMaskedTextHasNoUserAndNoPassword(f *testing.F) {
	for _, seed := range []string{"", "https://u:p@h/x", "a password=x b", "://@", "password='", "x://a@b@c password=\"1\"://q@"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.ReplaceAll(text, "hunter2", "")
		for _, around := range []string{"dial https://user:hunter2@host/" + text, text + " https://user:hunter2@host/", "password=hunter2 " + text} {
			if out := masked(around); strings.Contains(out, "hunter2") {
				t.Errorf("%q has the secret", out)
			}
		}
		if got := masked(text); !strings.Contains(text, "://") && !strings.Contains(text, "assword=") && got != text {
			t.Errorf("%q became %q", text, got)
		}
	})
}

// masked is text as the handler passes it on.
func masked(text string) (out string) {
	h := telemetry.Handler(taking(func(r slog.Record) { out = r.Message }))
	_ = h.Handle(context.Background(), slog.NewRecord(time.Time{}, 0, text, 0))
	return out
}

// taking is a handler that gives its records to a function.
type taking func(slog.Record)

func (taking) Enabled(context.Context, slog.Level) bool { return true }
func (f taking) Handle(_ context.Context, r slog.Record) error {
	f(r)
	return nil
}
func (f taking) WithAttrs([]slog.Attr) slog.Handler { return f }
func (f taking) WithGroup(string) slog.Handler      { return f }

// nowhere is where text goes that costs what it costs.
type nowhere struct{}

func (nowhere) Write(b []byte) (int, error) { return len(b), nil }

func BenchmarkHandler(b *testing.B) {
	for name, h := range map[string]slog.Handler{
		"slog":      slog.NewTextHandler(nowhere{}, nil),
		"telemetry": telemetry.Handler(slog.NewTextHandler(nowhere{}, nil)),
	} {
		for place, ctx := range map[string]context.Context{"outside": b.Context(), "message": in(b.Context())} {
			b.Run(name+"/"+place, func(b *testing.B) {
				log := slog.New(h)
				b.ReportAllocs()
				for b.Loop() {
					log.InfoContext(ctx, "order placed", "order", "o-17", "items", 3)
				}
			})
		}
	}
}
