//go:build kafka && !cgo

package interop_test

import (
	"os"
	"testing"
)

// Without cgo there is no librdkafka, whose serializers all Go clients use here.
func TestKafkaNeedsCgo(t *testing.T) {
	if os.Getenv("CI") == "true" {
		t.Fatal("a C compiler is missing (gcc and libc6-dev have it), or CGO_ENABLED is 0")
	}
	t.Skip("a C compiler is missing (gcc and libc6-dev have it), or CGO_ENABLED is 0")
}
