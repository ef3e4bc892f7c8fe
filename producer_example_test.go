package slipway_test

import (
	"context"
	"errors"
	"fmt"

	slipway "github.com/slipway-go/slipway"
)

// One question decides what to do after a send that failed: may the cluster
// have the record?
func ExampleErrUnacknowledged() {
	decide := func(err error) string {
		switch {
		case err == nil:
			return "written"
		case errors.Is(err, slipway.ErrUnacknowledged):
			return "send it again, with the same id"
		case errors.Is(err, slipway.ErrAway):
			return "not written: try later"
		default:
			return "not written: look at the error"
		}
	}
	for _, err := range []error{
		nil,
		fmt.Errorf("%w: %w", slipway.ErrUnacknowledged, context.DeadlineExceeded),
		slipway.ErrBufferFull,
		slipway.ErrTooLarge,
	} {
		fmt.Println(decide(err))
	}
	// Output:
	// written
	// send it again, with the same id
	// not written: try later
	// not written: look at the error
}
