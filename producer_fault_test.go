package slipway_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/slipwaytest"
)

// soak is n in a soak test, and few otherwise.
func soak(few, n int) int {
	if os.Getenv("SLIPWAY_SOAK") == "1" {
		return n
	}
	return few
}

// Requests whose answer is lost after the work was done, once and three times in
// a row: every record is there once (F-05).
func TestLostAnswersLoseAndRepeatNothing(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		key   kmsg.Key
		err   *kerr.Error
		times int
	}{
		"produce, once":                    {kmsg.Produce, kerr.RequestTimedOut, 1},
		"produce, three times":             {kmsg.Produce, kerr.RequestTimedOut, 3},
		"produce, not enough replicas":     {kmsg.Produce, kerr.NotEnoughReplicasAfterAppend, 3},
		"producer id, once":                {kmsg.InitProducerID, kerr.RequestTimedOut, 1},
		"producer id, three times":         {kmsg.InitProducerID, kerr.RequestTimedOut, 3},
		"produce, refused and not written": {kmsg.Produce, kerr.NotEnoughReplicas, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := soak(2000, 10_000)
			sell(t, "{}", func(t *testing.T, k *slipwaytest.Kit, out *slipway.Producer[order]) {
				hits := func() int { return 0 }
				var d fates
				for i := range n {
					if i%(n/10) == 0 && (tt.key == kmsg.Produce || i == 0) {
						fault := k.FailRequests(tt.key, tt.err, tt.times)
						before := hits
						hits = func() int { return before() + fault.Hits() }
					}
					out.SendAsync(t.Context(), &order{OrderID: fmt.Sprint(i % 50)}, d.done(i), slipway.WithID(fmt.Sprint(i)))
					if i%(n/10) == n/20 {
						k.Advance(20 * time.Second)
					}
				}
				k.Advance(2 * time.Minute)
				written, failed := d.once(t, n)
				if len(failed) > 0 {
					t.Fatalf("%d failed: %v", len(failed), failed[0])
				}
				if hits() == 0 {
					t.Error("the fault did not happen")
				}
				got := held(k, orders)
				var lost, twice int
				for i := range n {
					switch got[fmt.Sprint(i)] {
					case 0:
						lost++
					case 1:
					default:
						twice++
					}
				}
				if lost != 0 || twice != 0 || written != n {
					t.Errorf("of %d records %d were acknowledged, %d are lost, %d are there twice", n, written, lost, twice)
				}
			})
		})
	}
}

// Contexts and timeouts end while batches are appended and their answers lost:
// what was acknowledged is there, and what was told not to be written is not
// (F-12).
func TestNoAcknowledgementWithoutAWriteAndNoDenialWithOne(t *testing.T) {
	t.Parallel()
	n := soak(6000, 100_000)
	sell(t, "{timeout: 21s, linger: 5ms}", func(t *testing.T, k *slipwaytest.Kit, out *slipway.Producer[order]) {
		if err := offer(t.Context(), out, "before"); err != nil {
			t.Fatal(err)
		}
		results := make([]error, n)
		ended := make(chan int, n)
		for i := range n {
			switch i % 1000 {
			case 100, 700: // appended, and the answer is lost
				k.FailRequests(kmsg.Produce, kerr.RequestTimedOut, 2)
			case 400: // for longer than the timeout
				mend := cutAll(k)
				time.AfterFunc(time.Duration(15+i/1000%4*6)*time.Second, mend)
			case 600:
				k.Advance(50 * time.Second)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+i%7)*3*time.Millisecond)
			if i%3 != 0 {
				ctx = t.Context()
			}
			go func() {
				defer cancel()
				results[i] = offer(ctx, out, fmt.Sprint(i))
				ended <- i
			}()
			if i%100 == 99 {
				k.Advance(4 * time.Millisecond)
			}
		}
		for range n {
			<-ended
		}
		k.Advance(time.Minute)
		got := held(k, orders)
		var acked, unknown, unknownWritten, denied, phantom, lied, twice int
		for i, err := range results {
			there := got[fmt.Sprint(i)]
			switch {
			case there > 1:
				twice++
			case err == nil:
				acked++
				if there == 0 {
					phantom++
				}
			case errors.Is(err, slipway.ErrUnacknowledged):
				unknown++
				unknownWritten += there
			default:
				denied++
				if there > 0 {
					lied++
				}
			}
		}
		t.Logf("%d sends: %d acknowledged, %d unknown (%d of them written), %d told not to be written", n, acked, unknown, unknownWritten, denied)
		if phantom != 0 || lied != 0 || twice != 0 {
			t.Errorf("%d were acknowledged and are not there, %d were denied and are there, %d are there twice", phantom, lied, twice)
		}
		if acked == 0 || unknown == 0 || unknownWritten == 0 {
			t.Error("the faults had no effect")
		}
	})
}
