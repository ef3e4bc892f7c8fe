package slipway

import "errors"

// The causes that end a handler's context early. Ask with
// errors.Is(context.Cause(ctx), slipway.ErrShutdown). None of them counts as
// an attempt but ErrTimeout.
var (
	// ErrShutdown reports that the service is stopping and its drain budget
	// is spent.
	ErrShutdown = errors.New("service is shutting down")

	// ErrRevoked reports that the partition went to another instance.
	ErrRevoked = errors.New("partition was revoked")

	// ErrTimeout reports that the handler took longer than the contract's
	// timeout. It counts as a failed attempt.
	ErrTimeout = errors.New("handler timed out")
)

// ErrNotRunning reports that a producer was used before [App.Run] has started.
var ErrNotRunning = errors.New("app is not running")

// ErrTooLarge reports that a value is larger than the contract's max. It was
// not sent.
var ErrTooLarge = errors.New("value is larger than the contract allows")
