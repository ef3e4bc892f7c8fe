package slipway_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/slipwaytest"
)

// The first partitions are taken over, with what waits in their retry topics,
// before the service says that it is ready.
func TestAServiceIsReadyOnceItsFirstPartitionsAreOpen(t *testing.T) {
	t.Parallel()
	var apps []*slipway.App
	var open int
	var first chan error
	wire := func(app *slipway.App) error {
		if apps = append(apps, app); len(apps) == 1 {
			first = make(chan error, 1) // of the bubble
			go func() {
				var err error
				open, err = openWhenReady(app)
				first <- err
			}()
		}
		return ship(forward)(app)
	}
	slipwaytest.Run(t, files("dead-letter"), wire, func(t *testing.T, k *slipwaytest.Kit) {
		if err := <-first; err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(k.Log(), "cannot be opened"); n > 0 {
			t.Errorf("%d times a partition could not be opened", n)
		}
		if open != 3 {
			t.Errorf("%d partitions are open and fetched when it becomes ready, want all 3", open)
		}
		k.Start("shipper") // one of two has no more than its share, and one of four perhaps none
		k.Start("shipper")
		k.Start("shipper")
		k.Advance(30 * time.Second)
		for i, app := range apps {
			if err := app.Ready(); err != nil {
				t.Errorf("instance %d of four, for three partitions: Ready() = %v", i, err)
			}
		}
	})
}

// openWhenReady waits until an instance is ready, and returns how many partitions
// are open and fetched at that moment.
func openWhenReady(app *slipway.App) (open int, err error) {
	for began := time.Now(); app.Ready() != nil; <-time.After(10 * time.Millisecond) {
		if h := app.Health(); app.Ready() != nil && (h.Ready || h.Status() != "unavailable") {
			return 0, fmt.Errorf("Ready() = %w and health is %+v", app.Ready(), h)
		}
		if time.Since(began) > time.Minute {
			return 0, fmt.Errorf("Ready() = %w after a minute", app.Ready())
		}
	}
	for _, e := range app.Consumption() {
		for _, p := range e.Partitions {
			if p.StartSource != "" && !p.Paused {
				open++
			}
		}
	}
	return open, nil
}

// While a service starts it says at what it is, and it is live.
func TestAServiceThatStartsSaysWhatItWaitsFor(t *testing.T) {
	t.Parallel()
	slow := make(chan struct{})
	var app *slipway.App
	var during slipway.Health
	wire := func(a *slipway.App) error {
		if app == nil {
			if h := a.Health(); h.Started || h.Ready || !h.Live || len(h.Checks) != 1 || !errors.Is(a.Ready(), slipway.ErrNotRunning) {
				return errors.New("a service that was not started yet has another health")
			}
		}
		app = a
		a.OnStart("fill the cache", func(context.Context) error {
			during = a.Health()
			close(slow)
			return nil
		})
		return ship(forward)(a)
	}
	slipwaytest.Run(t, files("dead-letter"), wire, func(t *testing.T, k *slipwaytest.Kit) {
		<-slow
		if during.Started || during.Ready || !during.Live || !strings.Contains(during.Checks[0].Reason, "fill the cache") {
			t.Errorf("health while it starts: %+v", during)
		}
		k.Advance(time.Second)
		if h := app.Health(); !h.Started || !h.Ready {
			t.Errorf("health after the start: %+v", h)
		}
		k.Signal("shipper")
		synctest.Wait()
		if h := app.Health(); h.Ready || !h.Live || !h.Started {
			t.Errorf("health when it is told to stop: %+v", h)
		}
	})
}

// Membership that is lost may take a minute to come back; so may a fetch that
// nobody answers, which is only told of.
func TestAServiceOutOfItsGroupIsNotReadyAfterAMinute(t *testing.T) {
	t.Parallel()
	var app *slipway.App
	wire := func(a *slipway.App) error {
		app = a
		return ship(forward)(a)
	}
	slipwaytest.Run(t, files("dead-letter"), wire, func(t *testing.T, k *slipwaytest.Kit) {
		k.Advance(15 * time.Second)
		find := func(name string) (found slipway.Check) {
			for _, c := range app.Health().Checks {
				if c.Name == name {
					found = c
				}
			}
			return found
		}
		beats := k.FailRequests(kmsg.Heartbeat, kerr.UnknownMemberID, -1)
		joins := k.FailRequests(kmsg.JoinGroup, kerr.CoordinatorLoadInProgress, -1)
		k.Advance(20 * time.Second)
		if c := find("group svc-shipper-dev"); c.Status != slipway.CheckWarn || app.Ready() != nil {
			t.Errorf("out of the group for a moment: %+v, Ready() = %v, want a warning", c, app.Ready())
		}
		k.Advance(2 * time.Minute)
		if c := find("group svc-shipper-dev"); c.Status != slipway.CheckFail || c.Code != diag.HealthNotJoined || app.Ready() == nil {
			t.Errorf("out of the group for two minutes: %+v, Ready() = %v, want %s", c, app.Ready(), diag.HealthNotJoined)
		}
		beats.Remove()
		joins.Remove()
		k.Advance(time.Minute)
		if err := app.Ready(); err != nil {
			t.Errorf("Ready() = %v when it is a member again", err)
		}
		k.Kafka().ControlKey(int16(kmsg.Fetch), func(kmsg.Request) (kmsg.Response, error, bool) {
			k.Kafka().KeepControl()
			return nil, errors.New("cut off"), true
		})
		k.Advance(40 * time.Second)
		if c := find("fetch of group svc-shipper-dev"); c.Status != slipway.CheckWarn || c.Code != diag.HealthNoFetch {
			t.Errorf("nothing fetched for 40 seconds: %+v, want %s", c, diag.HealthNoFetch)
		}
	})
}
