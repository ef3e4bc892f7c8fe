package secure

import (
	"context"
	"net"
)

// A DialFunc opens a connection.
type DialFunc = func(ctx context.Context, network, address string) (net.Conn, error)

// A HandshakeError is what a dialer returns when the connection was opened and
// the TLS handshake over it failed.
type HandshakeError struct{ Err error }

// Error tells that it was the handshake.
func (e *HandshakeError) Error() string { return "TLS handshake: " + e.Err.Error() }

// Unwrap returns what went wrong.
func (e *HandshakeError) Unwrap() error { return e.Err }
