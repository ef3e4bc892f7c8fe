package inspect

import (
	"encoding/binary"
	"io"
	"net"
)

// question is ApiVersions, version 0, with the length before it: the only request
// that every broker answers whoever asks, and the correlation id of its answer.
const (
	correlation = 0x534C4950
	question    = "\x00\x00\x00\x11" + "\x00\x12\x00\x00" + "SLIP" + "\x00\x07slipway"
)

// askKafka reports whether the other side answers as a broker does. The error is
// that of the connection; what answers something else is no broker, and no error.
func askKafka(conn net.Conn) (bool, error) {
	if _, err := io.WriteString(conn, question); err != nil {
		return false, err
	}
	var head [10]byte // length, correlation id, error code
	if n, err := io.ReadFull(conn, head[:]); err != nil {
		if n > 0 {
			return false, nil
		}
		return false, err
	}
	length := binary.BigEndian.Uint32(head[:])
	return length >= 6 && length < 1<<20 && binary.BigEndian.Uint32(head[4:]) == correlation, nil
}
