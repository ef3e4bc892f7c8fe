package slipway_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/slipwaytest"
)

// A service all of whose entries are on another cluster handles in transactions
// there, and has nothing to do with the default one.
func TestTransactionsAreOfTheClusterThatTheyAreOn(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{"slipway.yaml": {Data: []byte(`apiVersion: slipway.dev/v1
kind: Service
metadata: {name: worker, owner: team-data}
topics:
  ` + jobsOut + `: {cluster: analytics, partitions: 3}
produces:
  ` + jobsOut + `: {cluster: analytics, via: transaction}
consumes:
  ` + jobs + `: {cluster: analytics, order: key, static: true, retry: {delays: [100ms], inPlace: 1s, then: dead-letter}}
`)}}
	var app *slipway.App
	wire := func(a *slipway.App) error {
		app = a
		out := slipway.NewProducer[[]byte](a, jobsOut)
		slipway.Handle(a, jobs, func(ctx context.Context, m *slipway.Message[[]byte]) error {
			if _, err := out.Send(ctx, &m.Value, slipway.WithKey(m.Record.Key)); err != nil || string(m.Record.Key) != "bad" {
				return err
			}
			return slipway.Reject(errors.New("refused"))
		})
		return nil
	}
	service := slipwaytest.Service{Files: files, Wire: wire, Configure: func(cfg *slipway.Config) { cfg.Environment.BootstrapServers = "" }}
	slipwaytest.RunAll(t, []slipwaytest.Service{service}, func(t *testing.T, k *slipwaytest.Kit) {
		there := k.On(analytics)
		for i := range 30 {
			there.SendBytes(jobs, []byte(copiedKeys[i%4]), []byte("v"))
		}
		there.SendBytes(jobs, []byte("bad"), []byte("v"))
		there.RequireProduced(jobsOut, 30) // what was committed
		k.RequireDeadLettered("worker", jobs, 1)
		if lag := there.Lag("worker"); lag != 0 {
			t.Errorf("lag is %d, want 0", lag)
		}
		k.Advance(15 * time.Second)
		for _, c := range app.Health().Checks {
			if c.Name == "cluster" || c.Status != slipway.CheckOK {
				t.Errorf("%+v, want the other cluster's checks alone, and well", c)
			}
		}
		all := app.Consumption()
		if len(all) != 1 || all[0].Cluster != analytics {
			t.Errorf("Consumption() = %+v, want the entry's cluster", all)
		}
		if s := app.Credential(); s.Using != "" || s.Clusters[analytics].Using != "current" {
			t.Errorf("Credential() = %+v, want a login to the other cluster alone", s)
		}
	})
}

func TestAClusterThatIsAwayDoesNotHoldUpTheEnd(t *testing.T) {
	t.Parallel()
	for _, alias := range []string{"", analytics} {
		t.Run("without "+alias, func(t *testing.T) {
			t.Parallel()
			c := new(copier)
			var out *slipway.Producer[[]byte]
			wire := func(app *slipway.App) error {
				out = slipway.NewProducer[[]byte](app, passages)
				return c.wire(app)
			}
			files := severalFiles()
			text := string(files["slipway.yaml"].Data)
			text = strings.Replace(text, "topics:\n", "topics:\n  "+passages+": {partitions: 3}\n", 1)
			text = strings.Replace(text, "produces:\n", "produces:\n  "+passages+": {linger: 1m, timeout: 5m}\n", 1)
			files["slipway.yaml"].Data = []byte(text)
			slipwaytest.Run(t, files, wire, func(t *testing.T, k *slipwaytest.Kit) {
				feed(k, jobs, 0, 3)
				k.Advance(10 * time.Second)
				defer away(k.On(alias))()
				for i := range 20 {
					key, value := []byte{byte('a' + i)}, []byte("last")
					out.SendAsync(t.Context(), &value, func(slipway.Receipt, error) {}, slipway.WithKey(key))
					c.app.Publish(t.Context(), &kgo.Record{Topic: jobs, Key: key, Value: value}, func(error) {})
				}
				began := time.Now()
				k.Stop("worker")
				if took := time.Since(began); took > slipway.DefaultShutdownTimeout {
					t.Errorf("took %v to stop, want at most %v", took, slipway.DefaultShutdownTimeout)
				}
				well, topic := k.On(analytics), jobs
				if alias == analytics {
					well, topic = k, passages
				}
				last := slices.DeleteFunc(well.Records(topic), func(r *kgo.Record) bool { return string(r.Value) != "last" })
				if len(last) != 20 {
					t.Errorf("%d records came to the cluster that is well, want all 20: they are sent at the end", len(last))
				}
			})
		})
	}
}

// A copy is acknowledged before the record that it was made of is committed: a
// crash in between makes it again, and loses nothing.
func TestAMirrorThatDiesCopiesEverythingAtLeastOnce(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{"slipway.yaml": {Data: []byte(`apiVersion: slipway.dev/v1
kind: Service
metadata: {name: worker, owner: team-data}
topics:
  ` + jobs + `: {cluster: analytics, partitions: 3}
produces:
  ` + jobs + `: {cluster: analytics}
consumes:
  ` + jobs + `: {order: key, static: true, ` + patient + `}
`)}}
	slipwaytest.Run(t, files, mirror, func(t *testing.T, k *slipwaytest.Kit) {
		k.Advance(time.Second)
		feed(k, jobs, 0, 5)
		k.Advance(20 * time.Millisecond)
		if n := len(k.On(analytics).Records(jobs)); n == 0 {
			t.Error("nothing was copied before the crash, want copies that nobody has committed")
		}
		k.Kill("worker")
		feed(k, jobs, 5, 10)
		k.Start("worker")
		k.Advance(5 * time.Second)
		if lag := k.Lag("worker"); lag != 0 {
			t.Errorf("lag is %d, want 0", lag)
		}
		for _, key := range copiedKeys {
			var first []string // of each value
			all := numbers(k.On(analytics).Records(jobs), key)
			for _, v := range all {
				if !slices.Contains(first, v) {
					first = append(first, v)
				}
			}
			requireAll(t, "first copies of "+key, first, 10, false)
			t.Logf("%s: %d copies of 10 records", key, len(all))
		}
	})
}
