package schema

import (
	"encoding/hex"
	"errors"
)

// A GUID names a schema across registries. Its zero value is none.
type GUID [16]byte

// String returns the canonical form of 36 characters.
func (g GUID) String() string {
	text := make([]byte, 0, 36)
	for i, part := range [][]byte{g[:4], g[4:6], g[6:8], g[8:10], g[10:]} {
		if i > 0 {
			text = append(text, '-')
		}
		text = hex.AppendEncode(text, part)
	}
	return string(text)
}

// MarshalText returns the canonical form.
func (g GUID) MarshalText() ([]byte, error) { return []byte(g.String()), nil }

// UnmarshalText reads the canonical form. No text is the zero value.
func (g *GUID) UnmarshalText(text []byte) error {
	*g = GUID{}
	if len(text) == 0 {
		return nil
	}
	var got GUID
	if len(text) != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return errNoGUID
	}
	plain := append(append(append(append(append([]byte(nil), text[:8]...), text[9:13]...), text[14:18]...), text[19:23]...), text[24:]...)
	if _, err := hex.Decode(got[:], plain); err != nil {
		return errNoGUID
	}
	*g = got
	return nil
}

var errNoGUID = errors.New("it is not a GUID of 36 characters")
