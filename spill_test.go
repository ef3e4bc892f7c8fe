package slipway_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/slipwaytest"
)

// soaking reports whether tests run in their full length.
func soaking() bool { return os.Getenv("SLIPWAY_SOAK") != "" }

// inOrder requires that the records of every key were written in the order of
// their numbers, which are their ids, and returns how many there are of each.
func inOrder(t *testing.T, k *slipwaytest.Kit, topic string) map[int]int {
	t.Helper()
	last, count := map[string]int{}, map[int]int{}
	records := k.Records(topic)
	slices.SortStableFunc(records, func(a, b *kgo.Record) int {
		return cmp.Or(cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Offset, b.Offset))
	})
	for _, r := range records {
		n, err := strconv.Atoi(headersOf(r)["ce_id"])
		if err != nil {
			t.Fatal(err)
		}
		count[n]++
		if count[n] > 1 {
			continue // a reader knows it by its id
		}
		if before, seen := last[string(r.Key)]; seen && before > n {
			t.Fatalf("key %s: %d came after %d", r.Key, n, before)
		}
		last[string(r.Key)] = n
	}
	return count
}

// keep is sell with a topic that is not compacted.
func keep(t *testing.T, produces string, test func(t *testing.T, k *slipwaytest.Kit, out *slipway.Producer[order])) {
	t.Helper()
	files := selling(produces)
	files["slipway.yaml"].Data = bytes.Replace(files["slipway.yaml"].Data, []byte("    compact: true\n"), nil, 1)
	var out *slipway.Producer[order]
	slipwaytest.Run(t, files, func(app *slipway.App) error {
		out = slipway.NewProducer[order](app, orders)
		return nil
	}, func(t *testing.T, k *slipwaytest.Kit) { test(t, k, out) })
}

// sendNumbered sends a record whose id is its number, with one of five keys.
func sendNumbered(t *testing.T, out *slipway.Producer[order], n int, done func(slipway.Receipt, error)) {
	out.SendAsync(t.Context(), &order{OrderID: fmt.Sprint("key ", n%5)}, done, slipway.WithID(fmt.Sprint(n)))
}

func TestSpilledRecordsKeepTheOrderOfTheirKeysAcrossTheBoundary(t *testing.T) {
	t.Parallel()
	reader := sdkmetric.NewManualReader()
	var out *slipway.Producer[order]
	slipwaytest.RunAll(t, []slipwaytest.Service{{
		Files: selling("{away: spill, buffer: {records: 10}}"),
		Wire:  func(app *slipway.App) error { out = slipway.NewProducer[order](app, orders); return nil },
		Configure: func(cfg *slipway.Config) {
			cfg.MeterProvider = sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
		},
	}}, func(t *testing.T, k *slipwaytest.Kit) {
		if err := offer(t.Context(), out, "1000000"); err != nil {
			t.Fatal(err)
		}
		mend := cutAll(k)
		var d fates
		spilled := 0
		for n := range 300 {
			sendNumbered(t, out, n, func(r slipway.Receipt, err error) {
				if r.Offset == -1 && r.Partition == -1 && err == nil {
					spilled++
				}
				d.done(n)(r, err)
			})
			if n == 200 {
				k.Advance(time.Minute)
			}
		}
		k.Advance(time.Second)
		if spilled != 290 {
			t.Errorf("%d of 300 were accepted on disk, want all but the 10 in the buffer", spilled)
		}
		if got := read(t, reader); got["kafka.producer.spill.records"] != 290 || got["kafka.producer.spill.bytes"] == 0 || got["kafka.producer.spill.oldest.age"] < 30 || got["channel.write.spilled"] != 290 {
			t.Errorf("metrics while the cluster is away: %v", got)
		}
		mend()
		for n := range 50 {
			sendNumbered(t, out, 300+n, d.done(300+n))
			k.Advance(100 * time.Millisecond)
		}
		k.Advance(time.Minute)
		if written, failed := d.once(t, 350); written != 350 {
			t.Fatalf("%d of 350 were accepted: %v", written, failed)
		}
		if count := inOrder(t, k, orders); len(count) != 351 {
			t.Errorf("%d of 351 are in the topic", len(count))
		}
		if got := len(k.Records(orders)); got != 351 {
			t.Errorf("%d records for 351 sends", got)
		}
		receipt, err := out.Send(t.Context(), &order{OrderID: "after"}, slipway.WithID("350"))
		if err != nil || receipt.Offset < 0 {
			t.Errorf("once all is written a send is %v, %v, want a place", receipt, err)
		}
		if got := read(t, reader); got["kafka.producer.spill.records"] != 0 || got["kafka.producer.spill.replayed"] < 290 || got["kafka.producer.spill.replayed"] != got["channel.write.spilled"] || got["kafka.producer.spill.oldest.age"] != 0 {
			t.Errorf("metrics afterwards: %v", got)
		}
	})
}

// A service that stops while the cluster is away leaves what it has accepted to
// its next life, which writes it before anything else of the topic.
func TestWhatIsOnDiskIsWrittenByTheNextLifeBeforeAnythingNew(t *testing.T) {
	t.Parallel()
	var out *slipway.Producer[order]
	first := true
	slipwaytest.Run(t, selling("{away: spill, buffer: {records: 1}, timeout: 25s}"), func(app *slipway.App) error {
		out = slipway.NewProducer[order](app, orders)
		if first {
			first = false
			return nil
		}
		app.OnStart("send early", func(ctx context.Context) error {
			r, err := out.Send(ctx, &order{OrderID: "key 0"}, slipway.WithID("100"))
			if err == nil && r.Offset != -1 {
				return errors.New("a new record overtook those on disk")
			}
			return err
		})
		return nil
	}, func(t *testing.T, k *slipwaytest.Kit) {
		mend := cutAll(k)
		var d fates
		for n := range 40 {
			sendNumbered(t, out, n, d.done(n))
		}
		k.Advance(time.Minute)
		written, _ := d.once(t, 40)
		if written < 39 {
			t.Fatalf("%d of 40 were accepted", written)
		}
		k.Stop("seller")
		mend()
		k.Start("seller")
		k.Advance(time.Minute)
		count := inOrder(t, k, orders)
		for n := 1; n < 40; n++ {
			if count[n] != 1 {
				t.Errorf("record %d is there %d times", n, count[n])
			}
		}
		if count[100] != 1 {
			t.Errorf("the new record is there %d times", count[100])
		}
	})
}

// F-47.
func TestATenMinuteOutageIsReplayedWholeAndInOrder(t *testing.T) {
	t.Parallel()
	each := 3 // records a second, 1,800 in all
	if soaking() {
		each = 500 // 300,000
	}
	keep(t, "{away: spill, spill: {sync: interval}, buffer: {records: 100}}", func(t *testing.T, k *slipwaytest.Kit, out *slipway.Producer[order]) {
		n, failed, accepted := 0, 0, 0
		send := func() {
			for range each {
				sendNumbered(t, out, n, func(_ slipway.Receipt, err error) {
					if err != nil {
						failed++
					} else {
						accepted++
					}
				})
				n++
			}
		}
		mend := cutAll(k)
		for range 600 {
			send()
			<-time.After(time.Second)
		}
		mend()
		for range 60 { // and it goes on meanwhile
			send()
			<-time.After(time.Second)
		}
		k.Advance(time.Minute)
		count := inOrder(t, k, orders)
		if accepted+failed != n || failed > 100 || len(count) < accepted {
			t.Fatalf("%d sent, %d accepted, %d failed, %d in the topic", n, accepted, failed, len(count))
		}
		t.Logf("%d accepted, %d failed (in the buffer when the cluster went away), %d written, %d of them twice",
			accepted, failed, len(count), len(k.Records(orders))-len(count))
	})
}

func TestTheCapOfASpillIsAnErrorAndLosesNothing(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		spill string
		send  int
		wait  time.Duration
	}{
		"in bytes": {"{max: 64KiB}", 1000, time.Second},
		"in age":   {"{age: 1m}", 50, 2 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sell(t, "{away: spill, buffer: {records: 1}, spill: "+tt.spill+"}", func(t *testing.T, k *slipwaytest.Kit, out *slipway.Producer[order]) {
				if err := offer(t.Context(), out, "1000000"); err != nil {
					t.Fatal(err)
				}
				mend := cutAll(k)
				var d fates
				for n := range tt.send {
					sendNumbered(t, out, n, d.done(n))
				}
				k.Advance(tt.wait)
				err := offer(t.Context(), out, "2000000")
				if !errors.Is(err, slipway.ErrSpillFull) || !errors.Is(err, slipway.ErrBufferFull) || !slipway.Retryable(err) || errors.Is(err, slipway.ErrUnacknowledged) {
					t.Errorf("at the cap a send is %v", err)
				}
				mend()
				k.Advance(2 * time.Minute)
				written, failed := d.once(t, tt.send)
				for _, err := range failed {
					if !errors.Is(err, slipway.ErrSpillFull) && !errors.Is(err, slipway.ErrDeliveryTimeout) && !errors.Is(err, slipway.ErrUnacknowledged) {
						t.Error(err)
					}
				}
				count := inOrder(t, k, orders)
				if len(count) < written+1 || count[2000000] != 0 {
					t.Errorf("%d accepted, and %d in the topic", written, len(count))
				}
				if err := offer(t.Context(), out, "3000000"); err != nil {
					t.Errorf("afterwards a send is %v", err)
				}
			})
		})
	}
}

// A disk that refuses is an error of the send, with its code in the log, and the
// topic goes on once the disk or the cluster does.
func TestADiskThatRefusesIsToldToTheSender(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "spill")
	var out *slipway.Producer[order]
	slipwaytest.RunAll(t, []slipwaytest.Service{{
		Files:     selling("{away: spill, buffer: {records: 1}}"),
		Wire:      func(app *slipway.App) error { out = slipway.NewProducer[order](app, orders); return nil },
		Configure: func(cfg *slipway.Config) { cfg.Environment.SpillDir = dir },
	}}, func(t *testing.T, k *slipwaytest.Kit) {
		mend := cutAll(k)
		var d fates
		sendNumbered(t, out, 0, d.done(0))
		k.Advance(0)
		if err := os.RemoveAll(dir); err != nil { // as a volume that goes away
			t.Fatal(err)
		}
		err := offer(t.Context(), out, "1")
		if !errors.Is(err, slipway.ErrUnacknowledged) || !errors.Is(err, os.ErrNotExist) || !slipway.Retryable(err) {
			t.Errorf("a send that the disk refuses is %v", err)
		}
		if log := k.Log(); !strings.Contains(log, string(diag.SpillFailed)) || !strings.Contains(log, string(diag.SpillBegan)) {
			t.Errorf("log:\n%s", log)
		}
		mend()
		k.Advance(time.Minute)
		if r, err := out.Send(t.Context(), &order{OrderID: "2"}); err != nil || r.Offset < 0 {
			t.Errorf("afterwards a send is %v, %v", r, err)
		}
	})
}

func TestAwaySpillIsRefusedWhereItCannotBeKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open := filepath.Join(dir, "open")
	link := filepath.Join(dir, "link")
	if err := errors.Join(os.Mkdir(open, 0o700), os.Chmod(open, 0o777), os.Symlink(dir, link)); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		produces, dir string
		want          diag.Code
	}{
		"no directory":      {"{away: spill}", "", diag.ProducerSpillDir},
		"in transactions":   {"{away: spill, via: transaction}", dir, diag.ProducerSpillVia},
		"in an outbox":      {"{away: spill, via: outbox}", dir, diag.ProducerSpillVia},
		"writable for all":  {"{away: spill}", open, diag.SpillUnusable},
		"a symbolic link":   {"{away: spill}", link, diag.SpillUnusable},
		"its parent absent": {"{away: spill}", filepath.Join(dir, "absent", "spill"), diag.SpillUnusable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := startOnce(t, tt.produces, tt.dir); !codedAs(err, tt.want) {
				t.Errorf("Run() = %v, want %s", err, tt.want)
			}
		})
	}
}

// startOnce runs a service against the cluster of another until it has started,
// and returns what Run said.
func startOnce(t *testing.T, produces, dir string) (err error) {
	t.Helper()
	slipwaytest.RunAll(t, []slipwaytest.Service{{
		Files: selling("{}"), Wire: func(*slipway.App) error { return nil },
		Configure: func(cfg *slipway.Config) {
			other := *cfg
			other.Files, other.Environment.SpillDir = selling(produces), dir
			app, failed := slipway.New(other)
			if failed != nil {
				err = failed
				return
			}
			ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
			defer cancel()
			err = app.Run(ctx)
		},
	}}, func(*testing.T, *slipwaytest.Kit) {})
	return err
}

// F-48.
func TestASecondProcessDoesNotGetTheDirectory(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "spill")
	var out *slipway.Producer[order]
	var again func() error
	slipwaytest.RunAll(t, []slipwaytest.Service{{
		Files: selling("{away: spill}"),
		Wire:  func(app *slipway.App) error { out = slipway.NewProducer[order](app, orders); return nil },
		Configure: func(cfg *slipway.Config) {
			cfg.Environment.SpillDir = dir
			other := *cfg
			again = func() error {
				app, err := slipway.New(other)
				if err != nil {
					return err
				}
				ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
				defer cancel()
				return app.Run(ctx)
			}
		},
	}}, func(t *testing.T, k *slipwaytest.Kit) {
		if err := again(); !codedAs(err, diag.SpillInUse) {
			t.Errorf("a second process: %v, want %s", err, diag.SpillInUse)
		}
		if err := offer(t.Context(), out, "1"); err != nil {
			t.Errorf("the first one afterwards: %v", err)
		}
		k.Stop("seller")
		if err := again(); err != nil {
			t.Errorf("once the first has ended: %v", err)
		}
	})
}

// Damage on disk is told, and keeps nobody from starting.
func TestDamageOnDiskIsToldAtTheStart(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "spill")
	var out *slipway.Producer[order]
	slipwaytest.RunAll(t, []slipwaytest.Service{{
		Files:     selling("{away: spill, buffer: {records: 1}}"),
		Wire:      func(app *slipway.App) error { out = slipway.NewProducer[order](app, orders); return nil },
		Configure: func(cfg *slipway.Config) { cfg.Environment.SpillDir = dir },
	}}, func(t *testing.T, k *slipwaytest.Kit) {
		mend := cutAll(k)
		var d fates
		for n := range 20 {
			sendNumbered(t, out, n, d.done(n))
		}
		k.Advance(time.Second)
		k.Stop("seller")
		files, err := filepath.Glob(filepath.Join(dir, "topic.*", "*.log"))
		if err != nil || len(files) != 1 {
			t.Fatalf("segments: %v, %v", files, err)
		}
		b, err := os.ReadFile(files[0])
		if err != nil {
			t.Fatal(err)
		}
		b[len(b)/2] ^= 1
		if err := os.WriteFile(files[0], b, 0o600); err != nil {
			t.Fatal(err)
		}
		mend()
		k.Start("seller")
		k.Advance(time.Minute)
		if !strings.Contains(k.Log(), string(diag.SpillDamaged)) {
			t.Errorf("the damage was not told:\n%s", k.Log())
		}
		if count := inOrder(t, k, orders); len(count) < 8 || len(count) > 12 {
			t.Errorf("%d records of 20 are in the topic, want those before the damage", len(count))
		}
	})
}
