package slipway_test

import (
	"context"
	"encoding/hex"
	"errors"
	"math"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/internal/parking"
	"github.com/slipway-go/slipway/slipwaytest"
)

// measured is a service whose metrics are read.
func measured(h handle) (slipwaytest.Service, *sdkmetric.ManualReader) {
	reader := sdkmetric.NewManualReader()
	configure := func(cfg *slipway.Config) {
		cfg.MeterProvider = sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	}
	return slipwaytest.Service{Files: files("park"), Wire: ship(h), Configure: configure}, reader
}

func TestTheAgesOfWhatWaitsAndWhatIsParkedAreTold(t *testing.T) {
	t.Parallel()
	var app *slipway.App
	handle := func(_ context.Context, m *slipway.Message[order], _ *slipway.Producer[order]) error {
		switch m.Value.OrderID {
		case "parked":
			return slipway.Park(errors.New("for somebody to look at"))
		case "late":
			return slipway.RetryAfter(time.Hour, errors.New("not yet"))
		}
		return nil
	}
	s, reader := measured(handle)
	wire := s.Wire
	s.Wire = func(a *slipway.App) error { app = a; return wire(a) }
	slipwaytest.RunAll(t, []slipwaytest.Service{s}, func(t *testing.T, k *slipwaytest.Kit) {
		send := func(id string) { k.Send(orders, order{id, 1}, slipwaytest.Key(id)) }
		now := app.Consumption()[0]
		if now.WaitingSeconds != nil || now.ParkedSeconds != nil {
			t.Errorf("%+v, want no age while nothing waits", now)
		}
		send("parked")
		k.Advance(time.Minute)
		send("late")
		k.Advance(time.Minute)
		k.ParkKey("shipper", orders, "held")
		k.Advance(10 * time.Second)
		want := func(when string, waiting, parked float64) {
			t.Helper()
			now, got := app.Consumption()[0], read(t, reader)
			if now.WaitingSeconds == nil || now.ParkedSeconds == nil {
				t.Fatalf("%s: Consumption() tells no age", when)
			}
			for what, ages := range map[string][3]float64{
				"waiting": {*now.WaitingSeconds, got["kafka.consumer.held.age waiting"], waiting},
				"parked":  {*now.ParkedSeconds, got["kafka.consumer.held.age parked"], parked},
			} {
				if math.Abs(ages[0]-ages[2]) > 2 || math.Abs(ages[1]-ages[2]) > 2 {
					t.Errorf("%s: %s for %v and %v seconds, want %v", when, what, ages[0], ages[1], ages[2])
				}
			}
		}
		want("at first", 70, 130)
		k.Release("shipper", orders, "parked") // which is parked again
		k.Advance(time.Minute)
		want("after a release", 130, 70)
	})
}

func TestWhatAnOperatorSkipsIsCounted(t *testing.T) {
	t.Parallel()
	s, reader := measured(func(context.Context, *slipway.Message[order], *slipway.Producer[order]) error {
		return slipway.Park(errors.New("for somebody to look at"))
	})
	slipwaytest.RunAll(t, []slipwaytest.Service{s}, func(t *testing.T, k *slipwaytest.Kit) {
		k.Send(orders, order{"bad", 1}, slipwaytest.Key("bad"))
		k.Advance(10 * time.Second)
		k.Skip("shipper", orders, "bad")
		k.Advance(10 * time.Second)
		got := read(t, reader)
		for name, want := range map[string]float64{
			"kafka.consumer.messages.processed skipped": 1, "kafka.consumer.messages.processed parked": 1, "kafka.consumer.held.keys parked": 0,
		} {
			if got[name] != want {
				t.Errorf("%s = %v, want %v", name, got[name], want)
			}
		}
	})
}

// lifeOf is the id by which tickets know a topic.
func lifeOf(t *testing.T, k *slipwaytest.Kit, topic string) string {
	t.Helper()
	topics, err := kadm.NewClient(k.Client()).ListTopics(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	id := topics[topic].ID
	return hex.EncodeToString(id[:])
}

// A dead letter is written before its key is parked, and may be answered at
// once.
func TestAnAnswerThatComesBeforeItsKeyIsParkedTakesEffect(t *testing.T) {
	t.Parallel()
	for name, op := range map[string]parking.Op{"release": parking.Release, "skip": parking.Skip} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var tries atomic.Int64
			var done calls
			handle := func(_ context.Context, m *slipway.Message[order], _ *slipway.Producer[order]) error {
				if m.Value.Amount == 0 && tries.Add(1) == 1 {
					<-time.After(5 * time.Second)
					return slipway.Park(errors.New("for somebody to look at"))
				}
				done.add(m)
				return nil
			}
			slipwaytest.Run(t, files("park"), ship(handle), func(t *testing.T, k *slipwaytest.Kit) {
				for n := range int64(3) {
					k.Send(orders, order{"o-1", n}, slipwaytest.Key("o-1"), slipwaytest.Partition(0))
				}
				k.Advance(time.Second) // the handler has the record
				answer := parking.Entry{Op: op, Key: []byte("o-1"), Ticket: parking.Ticket{Life: lifeOf(t, k, orders)}}
				k.SendBytes(retryTopic, nil, nil, command(answer, 0))
				k.Advance(time.Minute)
				k.RequireDeadLettered("shipper", orders, 1)
				want := []int64{0, 1, 2}
				if op == parking.Skip {
					want = want[1:]
				}
				if got := amounts(done.all(), "o-1"); !slices.Equal(got, want) {
					t.Errorf("handled %v, want %v", got, want)
				}
			})
		})
	}
}
