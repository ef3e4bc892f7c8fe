package history_test

import (
	"fmt"

	"github.com/slipway-go/slipway/slipwaytest/history"
)

// A driver places orders, then reads the ledger of a service and compares.
func ExampleCheck() {
	var rec history.Recorder
	for _, order := range []string{"o-1", "o-2", "o-3"} {
		send := history.Send{ID: order, Topic: "orders", Key: order, Seq: 1}
		rec.Add(send) // before the request …
		send.Outcome = history.OK
		rec.Add(send) // … and when it was answered
	}
	ledger := []string{"o-1", "o-3", "o-3"}
	for _, order := range ledger {
		rec.Add(history.Effect{ID: order, Topic: "orders", Group: "payments", Outcome: history.OK})
	}
	fmt.Println(history.Check(rec.Events()).Result, "while nobody says that payments is done")

	rec.Add(history.Final{Topic: "orders", Group: "payments"})
	fmt.Print(history.Check(rec.Events()))
	// Output:
	// fail while nobody says that payments is done
	// FAIL: 3 sent (3 acknowledged, 0 failed, 0 indefinite), 0 read, 3 effects (3 applied, 0 dead), 0 commits
	// lost 1
	//   orders "o-2" (key "o-2", number 1) never settled by payments, 0 attempts
	// duplicate-effect 1
	//   orders "o-3" (key "o-3", number 1) settled 2 times by payments
}
