package pgxbox_test

import (
	"strings"
	"testing"

	"github.com/slipway-go/slipway/outbox/pgxbox"
)

// A slash in a password makes a part of it look like a port, which the parser
// would repeat.
func TestAURLThatCannotBeParsedIsNotRepeated(t *testing.T) {
	t.Parallel()
	err := pgxbox.Listen("postgres://orders:hunter/2@127.0.0.1/orders")(t.Context(), func() {})
	if err == nil || strings.Contains(err.Error(), "hunter") {
		t.Errorf("Listen() = %v, want an error without the password", err)
	}
}
