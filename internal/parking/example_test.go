package parking_test

import (
	"fmt"
	"time"

	"github.com/slipway-go/slipway/internal/parking"
)

// A runtime reads the log to the lot, asks it about source records, runs the
// heads it gives out, and appends what it asks for.
func Example() {
	lot := parking.New(parking.Config{Life: "topic", Fence: 1})
	var log []parking.Entry
	write := func(a *parking.Append) { // the real one does not wait for the acknowledgement
		log = append(log, a.Entry)
		lot.Acked(a, int64(len(log)-1))
	}
	log = append(log, parking.Entry{Kind: parking.Fence, Fence: 1})
	lot.Read(0, log[0]) // up to the owner's own fence: now it is ready

	first, second, key := parking.Ticket{Life: "topic", Offset: 0}, parking.Ticket{Life: "topic", Offset: 1}, []byte("order-17")
	if fate, _ := lot.Arrive(first, key); fate == parking.Handle { // its handler fails
		write(lot.Wait(first, key, parking.Entry{Attempts: 1, Due: time.Unix(60, 0)}))
	}
	if fate, a := lot.Arrive(second, key); fate == parking.Follow {
		write(a)
	}
	lot.Passed(2)

	for now := time.Unix(60, 0); ; {
		heads, _ := lot.Due(now, 100)
		if len(heads) == 0 {
			break
		}
		if h := heads[0]; lot.Begin(h) {
			fmt.Printf("offset %d runs, attempt %d\n", h.Ticket.Offset, h.Attempts+1)
			write(lot.Settle(h))
		}
	}
	for offset := 1; offset < len(log); offset++ {
		lot.Read(int64(offset), log[offset]) // its own appends come back
	}
	offset, fence := lot.Frontier(2) // committed with the source's frontier, in one request
	fmt.Printf("%d of %d can be deleted, fence %d\n", offset, len(log), fence)
	// Output:
	// offset 0 runs, attempt 2
	// offset 1 runs, attempt 1
	// 5 of 5 can be deleted, fence 1
}
