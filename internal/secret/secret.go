package secret

import (
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// mask is what every rendering of a secret shows.
const mask = "***"

// A Secret is text that must not be printed. The zero value is the empty
// secret. Secrets are compared with [Secret.Equal].
type Secret struct {
	// text is a function and not a string, so that reflection (%#v of a
	// struct that holds one unexported, a dump of a debugger's kind) finds an
	// address and not the text.
	text func() string
}

// New returns a secret that holds text.
func New(text string) Secret { return Secret{func() string { return text }} }

// Generate returns a new random secret of at least 128 bits, in letters and
// digits that need no quoting anywhere.
func Generate() Secret { return New(rand.Text()) }

// Reveal returns the text. Call it where the text is used, never earlier.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return s.text()
}

// Empty reports whether there is nothing to hide.
func (s Secret) Empty() bool { return s.Reveal() == "" }

// Equal compares two secrets in a time that tells nothing about their text.
func (s Secret) Equal(other Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(other.Reveal())) == 1
}

// String returns ***.
func (Secret) String() string { return mask }

// GoString returns ***.
func (Secret) GoString() string { return mask }

// Format writes *** for every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, mask) }

// LogValue is *** in every slog handler.
func (Secret) LogValue() slog.Value { return slog.StringValue(mask) }

// MarshalText writes ***; encoding/json and YAML go through it.
func (Secret) MarshalText() ([]byte, error) { return []byte(mask), nil }

// MarshalJSON writes "***".
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + mask + `"`), nil }

// MarshalYAML writes ***.
func (Secret) MarshalYAML() (any, error) { return mask, nil }

// UnmarshalText refuses: what was written is *** and reading it back as a
// password would lock somebody out.
func (*Secret) UnmarshalText([]byte) error {
	return errors.New("read secret: secrets are not read from documents")
}
