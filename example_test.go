package slipway_test

import (
	"errors"
	"fmt"
	"time"

	slipway "github.com/slipway-go/slipway"
)

// A handler tells by what it returns what becomes of a record.
func ExampleReject() {
	errNoStock := errors.New("out of stock")
	for _, err := range []error{
		slipway.Reject(errNoStock),                     // dead letter at once
		slipway.RetryAfter(30*time.Second, errNoStock), // this key waits, others go on
		slipway.Reject(nil),                            // done
	} {
		fmt.Println(err, slipway.Rejected(err), errors.Is(err, errNoStock))
	}
	// Output:
	// out of stock true true
	// out of stock false true
	// <nil> false false
}
