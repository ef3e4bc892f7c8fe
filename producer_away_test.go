package slipway_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/slipwaytest"
)

// cutAll takes the whole cluster away until mend is called.
func cutAll(k *slipwaytest.Kit) (mend func()) {
	var mends []func()
	for id := range k.Kafka().ListenAddrs() {
		mends = append(mends, k.CutBroker(id))
	}
	return func() {
		for _, m := range mends {
			m()
		}
	}
}

func offer(ctx context.Context, out *slipway.Producer[order], id string) error {
	_, err := out.Send(ctx, &order{OrderID: id}, slipway.WithID(id))
	return err
}

// held lists the ids of a topic's events, and how often each is there.
func held(k *slipwaytest.Kit, topic string) map[string]int {
	ids := make(map[string]int)
	for _, r := range k.Records(topic) {
		ids[headersOf(r)["ce_id"]]++
	}
	return ids
}

func TestASendEndsWithTheContractsTimeout(t *testing.T) {
	t.Parallel()
	sell(t, "{timeout: 40s}", func(t *testing.T, k *slipwaytest.Kit, out *slipway.Producer[order]) {
		if err := offer(t.Context(), out, "before"); err != nil {
			t.Fatal(err)
		}
		mend := cutAll(k)
		began := time.Now()
		err := offer(t.Context(), out, "during")
		if took := time.Since(began); took < 30*time.Second || took > 40*time.Second+100*time.Millisecond {
			t.Errorf("the send took %v, want the timeout of 40s, or a little less where it was surely not written", took)
		}
		t.Logf("%v after %v", err, time.Since(began))
		unknown := errors.Is(err, slipway.ErrUnacknowledged)
		if unknown == errors.Is(err, slipway.ErrDeliveryTimeout) {
			t.Fatalf("%v is neither %v nor %v, or both", err, slipway.ErrUnacknowledged, slipway.ErrDeliveryTimeout)
		}
		mend()
		k.Advance(time.Minute)
		if err := offer(t.Context(), out, "after"); err != nil {
			t.Fatal(err)
		}
		if got := held(k, orders); got["after"] != 1 || got["during"] > 1 || got["during"] == 1 && !unknown {
			t.Errorf("after %v the topic holds %v", err, got)
		}
	})
}

func TestACanceledSendTakesNoOtherWithIt(t *testing.T) {
	t.Parallel()
	sell(t, "{}", func(t *testing.T, k *slipwaytest.Kit, out *slipway.Producer[order]) {
		if err := offer(t.Context(), out, "before"); err != nil {
			t.Fatal(err)
		}
		mend := cutAll(k)
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errors.New("the caller has gone"))
		defer cancel()
		var d fates
		first := make(chan error, 1)
		go func() { first <- offer(ctx, out, "canceled") }()
		k.Advance(0)
		for i := range 50 {
			out.SendAsync(t.Context(), &order{OrderID: "canceled"}, d.done(i), slipway.WithID(fmt.Sprint(i)))
		}
		if err := <-first; !errors.Is(err, slipway.ErrUnacknowledged) || !strings.Contains(err.Error(), "the caller has gone") {
			t.Errorf("canceled send: %v", err)
		}
		k.Advance(5 * time.Second)
		mend()
		k.Advance(time.Minute)
		if written, failed := d.once(t, 50); written != 50 {
			t.Errorf("%d of 50 others were written: %v", written, failed)
		}
	})
}

func TestAwayBlockWaitsForRoomAndNoLongerThanItsContext(t *testing.T) {
	t.Parallel()
	sell(t, "{buffer: {records: 10}}", func(t *testing.T, k *slipwaytest.Kit, out *slipway.Producer[order]) {
		if err := offer(t.Context(), out, "before"); err != nil {
			t.Fatal(err)
		}
		mend := cutAll(k)
		var d fates
		for i := range 10 {
			out.SendAsync(t.Context(), &order{OrderID: "k"}, d.done(i), slipway.WithID(fmt.Sprint(i)))
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		began := time.Now()
		err := offer(ctx, out, "no room")
		if !errors.Is(err, slipway.ErrBufferFull) || errors.Is(err, slipway.ErrUnacknowledged) || time.Since(began) != 3*time.Second {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		patient := make(chan error, 1)
		go func() { patient <- offer(t.Context(), out, "patient") }()
		k.Advance(time.Second)
		mend()
		if err := <-patient; err != nil {
			t.Errorf("a send that waited for room: %v", err)
		}
		if written, failed := d.once(t, 10); written != 10 {
			t.Errorf("%d of 10 were written: %v", written, failed)
		}
		if got := held(k, orders); got["no room"] != 0 || got["patient"] != 1 || len(got) != 12 {
			t.Errorf("the topic holds %v", got)
		}
	})
}

func TestAwayFailRefusesAtOnceAndTakesAgainWhatComesLater(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		produces string
		sends    int
		wait     time.Duration
		want     error
	}{
		"the buffer is full":         {"{away: fail, buffer: {records: 10}}", 10, 0, slipway.ErrBufferFull},
		"the buffer's bytes are":     {"{away: fail, max: 1KiB, buffer: 64KiB}", 400, 0, slipway.ErrBufferFull},
		"nothing is acknowledged":    {"{away: fail}", 1, 11 * time.Second, slipway.ErrAway},
		"one record fills a buffer":  {"{away: fail, buffer: {records: 1}}", 1, 0, slipway.ErrBufferFull},
		"nothing and a full buffer ": {"{away: fail, buffer: {records: 1}}", 1, 11 * time.Second, slipway.ErrAway},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sell(t, tt.produces, func(t *testing.T, k *slipwaytest.Kit, out *slipway.Producer[order]) {
				if err := offer(t.Context(), out, "before"); err != nil {
					t.Fatal(err)
				}
				mend := cutAll(k)
				var d fates
				for i := range tt.sends {
					out.SendAsync(t.Context(), &order{OrderID: strings.Repeat("k", 100)}, d.done(i), slipway.WithID(fmt.Sprint(i)))
				}
				k.Advance(tt.wait)
				began := time.Now()
				_, err := out.Send(t.Context(), &order{OrderID: strings.Repeat("k", 100)}, slipway.WithID("no"))
				if !errors.Is(err, tt.want) || !errors.Is(err, slipway.ErrAway) || !slipway.Retryable(err) || time.Since(began) != 0 {
					t.Errorf("after %v: %v, want %v at once", time.Since(began), err, tt.want)
				}
				mend()
				k.Advance(30 * time.Second)
				if err := offer(t.Context(), out, "after"); err != nil {
					t.Errorf("after the cluster is back: %v", err)
				}
				written, failed := d.once(t, tt.sends)
				if got := held(k, orders); got["no"] != 0 || len(got) != written+2 {
					t.Errorf("%d written, %d refused, and the topic holds %d", written, len(failed), len(got))
				}
			})
		})
	}
}

func TestAwaySampleCountsEveryDropAndReportsOneInAWhile(t *testing.T) {
	t.Parallel()
	reader := sdkmetric.NewManualReader()
	var out *slipway.Producer[order]
	slipwaytest.RunAll(t, []slipwaytest.Service{{
		Files: selling("{away: sample, buffer: {records: 10}}"),
		Wire:  func(app *slipway.App) error { out = slipway.NewProducer[order](app, orders); return nil },
		Configure: func(cfg *slipway.Config) {
			cfg.MeterProvider = sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
		},
	}}, func(t *testing.T, k *slipwaytest.Kit) {
		if err := offer(t.Context(), out, "before"); err != nil {
			t.Fatal(err)
		}
		mend := cutAll(k)
		var d fates
		const n = 500
		for i := range n {
			out.SendAsync(t.Context(), &order{OrderID: "secret"}, d.done(i), slipway.WithID(fmt.Sprint(i)))
			if i%100 == 99 {
				k.Advance(4 * time.Second)
			}
		}
		got := read(t, reader)
		if got["channel.buffer.full"] != 1 {
			t.Errorf("the buffer is full by %v", got["channel.buffer.full"])
		}
		mend()
		k.Advance(time.Minute)
		written, failed := d.once(t, n)
		for _, err := range failed {
			if !errors.Is(err, slipway.ErrDropped) || !errors.Is(err, slipway.ErrAway) {
				t.Fatalf("dropped with %v", err)
			}
		}
		got = read(t, reader)
		dropped := got["channel.write.dropped full"] + got["channel.write.dropped away"]
		if written != 10 || int(dropped) != len(failed) || got["channel.write.success"] != 11 || got["kafka.producer.messages written"] != 11 {
			t.Errorf("%d written, %d dropped, counted %v dropped, %v let in, %v written", written, len(failed), dropped, got["channel.write.success"], got["kafka.producer.messages written"])
		}
		requireLogged(t, k, diag.ProducerDropped)
		requireLogged(t, k, diag.ProducerAway)
		if n := strings.Count(k.Log(), string(diag.ProducerDropped)); n != 2 {
			t.Errorf("reported %d times in 20 seconds, want twice", n)
		}
		if strings.Contains(k.Log(), "secret") {
			t.Error("a key or value is in the log")
		}
	})
}
