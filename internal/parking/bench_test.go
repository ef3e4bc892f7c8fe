package parking_test

import (
	"fmt"
	"runtime"
	"strconv"
	"testing"

	"github.com/slipway-go/slipway/internal/parking"
)

// crowded returns a lot with so many tickets, on as many keys.
func crowded(tickets, keys int) *desk {
	d := newDesk(parking.Config{})
	for i := range int64(tickets) {
		d.lot.Acked(d.lot.Wait(at(i), []byte("key-"+strconv.FormatInt(i%int64(keys), 10)), parked), i+1)
	}
	d.lot.Passed(int64(tickets))
	return d
}

// What a source record pays whose key does not wait.
func BenchmarkArriveOnAnAbsentKey(b *testing.B) {
	for _, tickets := range []int{0, 1, 1_000_000} {
		b.Run(strconv.Itoa(tickets), func(b *testing.B) {
			d := crowded(tickets, max(tickets, 1))
			key := []byte("nothing of it waits")
			b.ReportAllocs()
			for b.Loop() {
				if fate, _ := d.lot.Arrive(at(9_000_000), key); fate != parking.Handle {
					b.Fatal(fate)
				}
			}
		})
	}
}

// What a ticket takes in memory.
func BenchmarkTicket(b *testing.B) {
	const tickets = 1_000_000
	for _, keys := range []int{1, 1_000, tickets} {
		b.Run(fmt.Sprintf("%dkeys", keys), func(b *testing.B) {
			for b.Loop() {
				before := inUse()
				d := crowded(tickets, keys)
				b.ReportMetric(float64(inUse()-before)/tickets, "B/ticket")
				runtime.KeepAlive(d)
			}
		})
	}
}

func inUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// A key's followers, from the first that becomes head to the last: what each
// takes does not grow with their number.
func BenchmarkDrainOneKey(b *testing.B) {
	for _, followers := range []int{10_000, 100_000, 1_000_000} {
		b.Run(strconv.Itoa(followers), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				d := newDesk(parking.Config{})
				d.wait(0, "key", parking.Entry{})
				for i := range int64(followers) {
					d.follow(b, i+1, "key")
				}
				b.StartTimer()
				drain(b, d, followers+1)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(followers), "ns/follower")
		})
	}
}

func drain(tb testing.TB, d *desk, tickets int) {
	tb.Helper()
	for i := range int64(tickets) {
		d.catchUp()
		got, heads := d.due(noon)
		if len(heads) != 1 || got[0] != i || !d.lot.Begin(heads[0]) {
			tb.Fatalf("%v may run, want %d", got, i)
		}
		d.write(d.lot.Settle(heads[0]))
		if i%1_000 == 0 {
			d.lot.Frontier(i)
		}
	}
}

// A new owner reads a log in which half of one key's tickets were moved to the
// end to trim it.
func BenchmarkTakeOverOneKey(b *testing.B) {
	for _, tickets := range []int64{10_000, 100_000, 1_000_000} {
		b.Run(strconv.FormatInt(tickets, 10), func(b *testing.B) {
			log := make([]parking.Entry, 0, tickets+1)
			for i := range tickets {
				log = append(log, copyOf((i+tickets/2)%tickets, "key"))
			}
			for b.Loop() {
				newDesk(parking.Config{}, log...)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(tickets), "ns/ticket")
		})
	}
}
