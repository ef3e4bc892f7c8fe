package slipway_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/embedded"
	"github.com/slipway-go/slipway/schema"
	"github.com/slipway-go/slipway/schema/avro"
	"github.com/slipway-go/slipway/slipwaytest"
)

// The contract of a service that looks orders up.
const lookup = `apiVersion: slipway.dev/v1
kind: Service
metadata: {name: lookup, owner: team-warehouse}
identity: {auth: scram-sha-512}
consumes:
  orders.created.v1:
    as: table
    schema: {format: avro, file: order.avsc}
`

func lookupFiles() fstest.MapFS {
	return fstest.MapFS{"slipway.yaml": {Data: []byte(lookup)}, "order.avsc": {Data: []byte(orderSchema)}}
}

// reading runs a test against a service that has one reader and nothing else.
func reading(t *testing.T, test func(*testing.T, *slipwaytest.Kit, *slipway.Reader[order])) {
	t.Helper()
	var r *slipway.Reader[order]
	wire := func(app *slipway.App) error {
		r = slipway.NewReader[order](app, orders)
		return nil
	}
	slipwaytest.Run(t, lookupFiles(), wire, func(t *testing.T, k *slipwaytest.Kit) { test(t, k, r) })
}

// readingBeside runs a test against a service with a handler and a reader of
// one entry, with one more line of policy.
func readingBeside(t *testing.T, policy string, h handle, test func(*testing.T, *slipwaytest.Kit, *slipway.Reader[order])) {
	t.Helper()
	var r *slipway.Reader[order]
	wire := func(app *slipway.App) error {
		r = slipway.NewReader[order](app, orders)
		return ship(h)(app)
	}
	slipwaytest.Run(t, with(policy), wire, func(t *testing.T, k *slipwaytest.Kit) { test(t, k, r) })
}

// sendOrders writes orders with the given amounts to partition 0, a second
// apart.
func sendOrders(k *slipwaytest.Kit, from, to int) {
	for n := from; n < to; n++ {
		k.Send(orders, order{"o", int64(n)}, slipwaytest.Partition(0))
		k.Advance(time.Second)
	}
}

// all returns the amounts of what is read, and the first error.
func all(seq iter.Seq2[*slipway.Message[order], error]) ([]int64, error) {
	var got []int64
	for m, err := range seq {
		if err != nil {
			return got, err
		}
		got = append(got, m.Value.Amount)
	}
	return got, nil
}

// listening is a reading in a goroutine of its own that notes what it is handed.
type listening struct {
	cancel context.CancelFunc
	done   chan struct{}

	mu      sync.Mutex
	offsets []int64
	faults  []error // of the partition
	ended   bool    // by itself
}

func listen(t *testing.T, r *slipway.Reader[order], from slipway.Start) *listening {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	l := &listening{cancel: cancel, done: make(chan struct{})}
	note := func(m *slipway.Message[order], err error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		switch {
		case err == nil:
			l.offsets = append(l.offsets, m.Offset)
		case m == nil:
			l.faults = append(l.faults, err)
		default:
			t.Errorf("read: %v", err)
		}
	}
	go func() {
		defer close(l.done)
		for m, err := range r.Read(ctx, 0, from) {
			note(m, err)
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		l.ended = ctx.Err() == nil
	}()
	return l
}

func (l *listening) heard() (offsets []int64, faults []error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.offsets), slices.Clone(l.faults)
}

// stop ends the listening and returns all that it heard.
func (l *listening) stop() (offsets []int64, faults []error) {
	l.cancel()
	<-l.done
	return l.heard()
}

func TestAReaderBeginsWhereItIsTold(t *testing.T) {
	t.Parallel()
	reading(t, func(t *testing.T, k *slipwaytest.Kit, r *slipway.Reader[order]) {
		begin := time.Now()
		sendOrders(k, 0, 10)
		for name, tt := range map[string]struct {
			from slipway.Start
			want []int64
		}{
			"the oldest":               {slipway.Oldest(), []int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}},
			"nothing said":             {slipway.Start{}, []int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}},
			"the newest":               {slipway.Newest(), nil},
			"an offset":                {slipway.At(7), []int64{7, 8, 9}},
			"the first offset":         {slipway.At(0), []int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}},
			"the end":                  {slipway.At(10), nil},
			"a time":                   {slipway.Since(begin.Add(5500 * time.Millisecond)), []int64{6, 7, 8, 9}},
			"a time before all":        {slipway.Since(begin.Add(-time.Hour)), []int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}},
			"a time that is still far": {slipway.Since(begin.Add(time.Hour)), nil},
		} {
			got, err := all(r.Read(t.Context(), 0, tt.from, slipway.UntilEnd()))
			if err != nil || !slices.Equal(got, tt.want) {
				t.Errorf("from %s: %v, %v; want %v", name, got, err, tt.want)
			}
		}
		if got, err := all(r.Read(t.Context(), 1, slipway.Oldest(), slipway.UntilEnd())); err != nil || got != nil {
			t.Errorf("an empty partition: %v, %v; want nothing", got, err)
		}
		oldest, end, err := r.Bounds(t.Context(), 0)
		if oldest != 0 || end != 10 || err != nil {
			t.Errorf("Bounds = %d, %d, %v; want 0, 10", oldest, end, err)
		}
		if ids, err := r.Partitions(t.Context()); err != nil || !slices.Equal(ids, []int32{0, 1, 2}) {
			t.Errorf("Partitions = %v, %v; want 0, 1, 2", ids, err)
		}
	})
}

func TestAReaderKeepsListeningUntilItsContextEnds(t *testing.T) {
	t.Parallel()
	reading(t, func(t *testing.T, k *slipwaytest.Kit, r *slipway.Reader[order]) {
		sendOrders(k, 0, 2)
		l := listen(t, r, slipway.At(1))
		k.Advance(5 * time.Minute)
		sendOrders(k, 2, 4)
		if got, faults := l.stop(); len(faults) > 0 || !slices.Equal(got, []int64{1, 2, 3}) {
			t.Errorf("read %v, %v; want 1, 2, 3 and a quiet end", got, faults)
		}
	})
}

func TestACallerMayLeaveTheLoopAndReadAgain(t *testing.T) {
	t.Parallel()
	reading(t, func(t *testing.T, k *slipwaytest.Kit, r *slipway.Reader[order]) {
		sendOrders(k, 0, 5)
		seq := r.Read(t.Context(), 0, slipway.Oldest())
		for range 2 {
			for m, err := range seq {
				if err != nil {
					t.Fatal(err)
				}
				if m.Value.Amount == 3 {
					break
				}
			}
		}
	})
}

func TestAMessageThatIsReadCarriesWhatAHandlersDoes(t *testing.T) {
	t.Parallel()
	reading(t, func(t *testing.T, k *slipwaytest.Kit, r *slipway.Reader[order]) {
		k.Send(orders, order{"o-1", 5}, slipwaytest.Partition(2), slipwaytest.Key("k"), slipwaytest.ID("e-1"))
		k.SendBytes(orders, []byte("k"), nil, slipwaytest.Partition(2))
		var got []string
		for m, err := range r.Read(t.Context(), 2, slipway.Oldest(), slipway.UntilEnd()) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprintf("%s/%d@%d key %s id %q attempt %d tombstone %v %v", m.Topic, m.Partition, m.Offset, m.Key, m.ID(), m.Attempt, m.Tombstone, m.Value))
		}
		want := []string{
			orders + `/2@0 key k id "e-1" attempt 1 tombstone false {o-1 5}`,
			orders + `/2@1 key k id "" attempt 1 tombstone true { 0}`,
		}
		if !slices.Equal(got, want) {
			t.Errorf("read\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

func TestAReaderTellsOfWhatItCannotDecodeAndGoesOn(t *testing.T) {
	t.Parallel()
	reading(t, func(t *testing.T, k *slipwaytest.Kit, r *slipway.Reader[order]) {
		sendOrders(k, 0, 1)
		k.SendBytes(orders, []byte("o"), []byte("not framed"), slipwaytest.Partition(0))
		sendOrders(k, 2, 3)
		var got, bad []int64
		for m, err := range r.Read(t.Context(), 0, slipway.Oldest(), slipway.UntilEnd()) {
			switch {
			case m == nil:
				t.Fatal(err)
			case err != nil:
				if string(m.Record.Value) != "not framed" {
					t.Errorf("the record's value is %q, want it as it was written", m.Record.Value)
				}
				bad = append(bad, m.Offset)
			default:
				got = append(got, m.Offset)
			}
		}
		if !slices.Equal(got, []int64{0, 2}) || !slices.Equal(bad, []int64{1}) {
			t.Errorf("decoded %v and not %v, want 0 and 2, and not 1", got, bad)
		}
	})
}

func TestWhileTheRegistryIsAwayAReaderTellsSoAndPassesNothingOver(t *testing.T) {
	t.Parallel()
	reading(t, func(t *testing.T, k *slipwaytest.Kit, r *slipway.Reader[order]) {
		sendOrders(k, 0, 3)
		k.CutRegistry(true)
		l := listen(t, r, slipway.Oldest())
		k.Advance(10 * time.Minute)
		got, faults := l.heard()
		if len(faults) == 0 || len(faults) > 40 || len(got) > 0 {
			t.Errorf("told %d times and read %v while the registry was away, want a few and nothing", len(faults), got)
		}
		k.CutRegistry(false)
		k.Advance(time.Minute)
		got, faults = l.stop()
		if !slices.Equal(got, []int64{0, 1, 2}) {
			t.Errorf("read %v after the registry came back, want 0, 1, 2", got)
		}
		for _, err := range faults {
			if !errors.Is(err, schema.ErrUnavailable) {
				t.Errorf("told %v, want that the registry is away", err)
			}
		}
	})
}

func TestAReaderThatIsDeniedTellsSoAndGoesOnOnceItMay(t *testing.T) {
	t.Parallel()
	reading(t, func(t *testing.T, k *slipwaytest.Kit, r *slipway.Reader[order]) {
		denied := k.Kafka().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Topic: orders, Err: kerr.TopicAuthorizationFailed, Count: -1})
		sendOrders(k, 0, 2)
		l := listen(t, r, slipway.Oldest())
		k.Advance(time.Minute)
		if _, faults := l.heard(); len(faults) == 0 || denied.Hits() > 100 {
			t.Errorf("told %d times after %d fetches in a minute, want some and no loop", len(faults), denied.Hits())
		}
		denied.Remove()
		k.Advance(15 * time.Second)
		got, faults := l.stop()
		if !slices.Equal(got, []int64{0, 1}) {
			t.Errorf("read %v after the right came back, want 0, 1", got)
		}
		for _, err := range faults {
			if !errors.Is(err, diag.KafkaDenied) || !errors.Is(err, slipway.ErrNotAuthorized) {
				t.Errorf("told %v, want %s and ErrNotAuthorized", err, diag.KafkaDenied)
			}
		}
	})
}

func TestAReaderBesideAHandlerDisturbsNoGroup(t *testing.T) {
	t.Parallel()
	var seen calls
	note := func(_ context.Context, m *slipway.Message[order], _ *slipway.Producer[order]) error {
		seen.add(m)
		return nil
	}
	readingBeside(t, "gap: stop", note, func(t *testing.T, k *slipwaytest.Kit, r *slipway.Reader[order]) {
		sendOrders(k, 0, 5)
		if got, err := all(r.Read(t.Context(), 0, slipway.Oldest(), slipway.UntilEnd())); err != nil || len(got) != 5 {
			t.Errorf("read %v, %v; want five", got, err)
		}
		k.Advance(5 * time.Second)
		if n, lag := len(seen.all()), k.Lag("shipper"); n != 5 || lag != 0 {
			t.Errorf("the handler got %d records and the lag is %d, want 5 and 0", n, lag)
		}
	})
}

func TestAReaderBeforeTheServiceRunsSaysSo(t *testing.T) {
	t.Parallel()
	app, err := slipway.New(slipway.Config{Files: lookupFiles(), Environment: slipway.Environment{Name: "dev"}})
	if err != nil {
		t.Fatal(err)
	}
	r := slipway.NewReader[order](app, orders)
	if _, err := all(r.Read(t.Context(), 0, slipway.Oldest())); !errors.Is(err, slipway.ErrNotRunning) {
		t.Errorf("Read = %v, want ErrNotRunning", err)
	}
	if _, err := r.Partitions(t.Context()); !errors.Is(err, slipway.ErrNotRunning) {
		t.Errorf("Partitions = %v, want ErrNotRunning", err)
	}
}

func TestWhereReadersAndContractDisagreeTheServiceDoesNotStart(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		wire  func(*slipway.App)
		want  diag.Code
		names string
	}{
		"a reader of what is not consumed": {
			wire: func(app *slipway.App) {
				slipway.NewReader[order](app, orders)
				slipway.NewReader[order](app, "orders.paid.v1")
			},
			want: diag.RuntimeNotConsumed, names: "orders.paid.v1",
		},
		"a handler of a table": {
			wire: func(app *slipway.App) { handleOrders(app, orders) },
			want: diag.RuntimeUnsupported, names: "NewReader",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app, err := slipway.New(slipway.Config{
				Files: lookupFiles(), Environment: slipway.Environment{Name: "dev"}, Codecs: []schema.Codec{avro.Codec()},
			})
			if err != nil {
				t.Fatal(err)
			}
			tt.wire(app)
			if err := app.Run(t.Context()); !errors.Is(err, tt.want) || !strings.Contains(told(err), tt.names) {
				t.Errorf("Run() = %s, want %s naming %s", told(err), tt.want, tt.names)
			}
		})
	}
}

func TestAReadersTypeIsCheckedAtStart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cluster, err := embedded.Start(t.Context(), embedded.Config{Network: new(kfake.VirtualNetwork)})
		if err != nil {
			t.Fatal(err)
		}
		defer farewell(cluster)
		files := lookupFiles()
		files["slipway.yaml"].Data = append(files["slipway.yaml"].Data, "adopt: {principal: admin}\n"...)
		env := mounted(t, cluster)
		env.CreateTopics = true // none is missed
		app, err := slipway.New(slipway.Config{
			Files: files, Environment: env, Codecs: []schema.Codec{avro.Codec()}, Dial: cluster.Dial,
		})
		if err != nil {
			t.Fatal(err)
		}
		slipway.NewReader[wrongOrder](app, orders)
		err = app.Run(t.Context())
		if !errors.Is(err, diag.RuntimeTypeMismatch) || !strings.Contains(told(err), "order_id") {
			t.Errorf("Run() = %s, want %s naming order_id", told(err), diag.RuntimeTypeMismatch)
		}
	})
}
