package schema

import "strconv"

// The headers that may name a record's schemas instead of the bytes in front of
// value and key.
const (
	ValueIDHeader = "__value_schema_id"
	KeyIDHeader   = "__key_schema_id"
)

// guidMagic is the first byte of a mark that holds a GUID.
const guidMagic = 1

// A Mark names the schema of a value: by its GUID if there is one, else by its
// id.
type Mark struct {
	ID   int
	GUID GUID
}

// Append appends the mark: a zero byte and four bytes of id, or a byte of one
// and sixteen of GUID.
func (m Mark) Append(dst []byte) []byte {
	if m.GUID != (GUID{}) {
		return append(append(dst, guidMagic), m.GUID[:]...)
	}
	return AppendHeader(dst, m.ID)
}

// SplitMark returns the mark that bytes begin with, and what is behind it. Both
// forms occur in front of a value and in a header. The error is [ErrNotFramed].
func SplitMark(b []byte) (m Mark, rest []byte, err error) {
	if len(b) > len(m.GUID) && b[0] == guidMagic {
		copy(m.GUID[:], b[1:])
		if m.GUID != (GUID{}) {
			return m, b[1+len(m.GUID):], nil
		}
	}
	m.ID, rest, err = SplitHeader(b)
	return m, rest, err
}

// String is the mark in a message.
func (m Mark) String() string {
	if m.GUID != (GUID{}) {
		return m.GUID.String()
	}
	return strconv.Itoa(m.ID)
}
