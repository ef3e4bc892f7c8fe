package outbox_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/internal/database"
	"github.com/slipway-go/slipway/internal/record"
	"github.com/slipway-go/slipway/outbox"
	"github.com/slipway-go/slipway/slipwaytest"
)

const relayContract = `apiVersion: slipway.dev/v1
kind: Service
metadata: {name: till, owner: team-money}
identity: {auth: scram-sha-512}
topics:
  booked.v1: {partitions: 1}
produces:
  booked.v1: {via: outbox}
`

// The relay acts for whoever wrote the row, however much later: its send is the
// child of the span that the row was written in, and the record carries that of
// the relay.
func TestTheRelayGoesOnInTheTraceThatARowWasWrittenIn(t *testing.T) {
	t.Parallel()
	kept := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(kept))
	var db *sql.DB
	var out *slipway.Producer[[]byte]
	file := filepath.Join(t.TempDir(), "till.db")
	service := slipwaytest.Service{
		Files:     fstest.MapFS{"slipway.yaml": {Data: []byte(relayContract)}},
		Configure: func(cfg *slipway.Config) { cfg.TracerProvider = provider },
		Wire: func(app *slipway.App) error {
			var err error
			if db, err = database.Open(context.WithoutCancel(t.Context()), "sqlite:"+file+"?mode=rwc"); err != nil {
				return err
			}
			app.OnStop("close database", db.Close)
			if err := outbox.Migrate(context.WithoutCancel(t.Context()), db); err != nil {
				return err
			}
			out = slipway.NewProducer[[]byte](app, "booked.v1")
			_, err = outbox.Open(app, outbox.Config{DB: db})
			return err
		},
	}
	slipwaytest.RunAll(t, []slipwaytest.Service{service}, func(t *testing.T, k *slipwaytest.Kit) {
		ctx, request := provider.Tracer("test").Start(t.Context(), "request")
		err := outbox.Do(ctx, db, func(ctx context.Context, tx *sql.Tx) error {
			value := []byte("7 EUR")
			return outbox.Send(ctx, tx, out, &value)
		})
		if err != nil {
			t.Fatal(err)
		}
		request.End()
		k.RequireProduced("booked.v1", 1)
		k.Advance(time.Second)
		var sent []tracetest.SpanStub
		for _, s := range kept.GetSpans() {
			if s.Name == "send booked.v1" {
				sent = append(sent, s)
			}
		}
		if len(sent) != 1 || sent[0].Parent.SpanID() != request.SpanContext().SpanID() {
			t.Fatalf("sends are %v, want one, the child of the request", sent)
		}
		want := fmt.Sprintf("00-%s-%s-01", request.SpanContext().TraceID(), sent[0].SpanContext.SpanID())
		if got, _ := record.Get(k.Records("booked.v1")[0].Headers, "traceparent"); got != want {
			t.Errorf("the record carries %s, want the span of the relay, %s", got, want)
		}
	})
}
