package secure

import "encoding/binary"

// frames follows one direction of a Kafka connection: each request and each
// answer is four bytes with a length and that many bytes.
type frames struct {
	head  [4]byte
	have  int   // of head
	left  int64 // of the body
	wrong bool  // what came is no frame: nothing can be told any more
}

// between reports whether nothing of a frame has passed, or all of it.
func (f *frames) between() bool { return f.have == 0 && f.left == 0 && !f.wrong }

// pass follows bytes, and returns how many frames have begun and have ended.
func (f *frames) pass(b []byte) (begun, ended int) {
	for len(b) > 0 && !f.wrong {
		if f.left > 0 {
			n := min(f.left, int64(len(b)))
			f.left, b = f.left-n, b[n:]
			if f.left == 0 {
				ended++
			}
			continue
		}
		if f.have == 0 {
			begun++
		}
		n := copy(f.head[f.have:], b)
		f.have, b = f.have+n, b[n:]
		if f.have < len(f.head) {
			continue
		}
		f.have = 0
		f.left = int64(int32(binary.BigEndian.Uint32(f.head[:])))
		switch {
		case f.left < 0:
			f.wrong = true
		case f.left == 0:
			ended++
		}
	}
	return begun, ended
}

// unacknowledged reports whether a request is one that no broker answers: records
// to produce with acks=0. It wants the request from its length on, and at least up
// to its acks; of what is less it says no.
func unacknowledged(request []byte) bool {
	const head = 4 + 2 + 2 + 4 // length, key, version, correlation id
	if len(request) < head+2 || binary.BigEndian.Uint16(request[4:]) != 0 {
		return false
	}
	version := binary.BigEndian.Uint16(request[6:])
	rest, ok := skipString(request[head:]) // client id, in the old form in all versions
	if !ok {
		return false
	}
	if version >= 9 { // flexible: tags of the header, and a compact transactional id
		if rest, ok = skipCompact(rest); !ok {
			return false
		}
	} else if version >= 3 {
		if rest, ok = skipString(rest); !ok {
			return false
		}
	}
	return len(rest) >= 2 && rest[0] == 0 && rest[1] == 0
}

// skipString skips a nullable string.
func skipString(b []byte) ([]byte, bool) {
	if len(b) < 2 {
		return nil, false
	}
	n := 2 + max(0, int(int16(binary.BigEndian.Uint16(b))))
	if len(b) < n {
		return nil, false
	}
	return b[n:], true
}

// skipCompact skips a header's tags, of which there must be none, and a compact
// nullable string.
func skipCompact(b []byte) ([]byte, bool) {
	if len(b) < 2 || b[0] != 0 {
		return nil, false
	}
	n, size := binary.Uvarint(b[1:])
	if size <= 0 || n > uint64(len(b)) {
		return nil, false
	}
	skip := 1 + size + max(0, int(n)-1)
	if len(b) < skip {
		return nil, false
	}
	return b[skip:], true
}
