package schema

import (
	"encoding/binary"
	"errors"
	"math"
)

const (
	magic     = 0
	headerLen = 5
)

// ErrNotFramed reports bytes that do not begin with the wire format's header:
// another program wrote them, or they are not values at all. Reading them
// again will not help.
var ErrNotFramed = errors.New("value is not in the registry's wire format")

// AppendHeader appends the header that names the schema of the payload to
// follow. It panics if id is not a positive 32-bit number, because no registry
// hands out another one.
func AppendHeader(dst []byte, id int) []byte {
	if id <= 0 || id > math.MaxInt32 {
		panic("schema: id out of range")
	}
	dst = append(dst, magic)
	return binary.BigEndian.AppendUint32(dst, uint32(id))
}

// SplitHeader returns the schema id and the payload of a framed value. The
// payload aliases b. The error is [ErrNotFramed]; an empty b, which Kafka uses
// as a tombstone when it is nil, is for the caller to catch before.
func SplitHeader(b []byte) (id int, payload []byte, err error) {
	if len(b) < headerLen || b[0] != magic {
		return 0, nil, ErrNotFramed
	}
	n := binary.BigEndian.Uint32(b[1:headerLen])
	if n == 0 || n > math.MaxInt32 {
		return 0, nil, ErrNotFramed
	}
	return int(n), b[headerLen:], nil
}
