package parking

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"
)

func decodeEntry(b, recordKey []byte) (Entry, error) {
	// The version comes first, because a later one may be summed differently.
	switch {
	case len(b) == 0:
		return Entry{}, errors.New("it is empty")
	case b[0] != version:
		return Entry{}, fmt.Errorf("version %d is unknown, want %d", b[0], version)
	case len(b) < 4+sumSize:
		return Entry{}, fmt.Errorf("it ends after %d bytes", len(b))
	}
	b, sum := b[:len(b)-sumSize], binary.BigEndian.Uint32(b[len(b)-sumSize:])
	if got := checksum(b); got != sum {
		return Entry{}, fmt.Errorf("checksum is %08x, want %08x", sum, got)
	}
	e, flags := Entry{Kind: Kind(b[1]), Op: Op(b[2])}, b[3]
	if err := checkKind(e.Kind, e.Op); err != nil {
		return Entry{}, err
	}
	if flags >= flagsEnd {
		return Entry{}, fmt.Errorf("flags %#02x are unknown", flags)
	}
	d := scanner{rest: b[4:]}
	d.entry(&e, flags, recordKey)
	if d.err == nil && len(d.rest) > 0 {
		d.err = fmt.Errorf("%d bytes follow its end", len(d.rest))
	}
	if d.err != nil {
		return Entry{}, d.err
	}
	return e, nil
}

// A scanner reads fields until one is at fault; from then on all are zero.
type scanner struct {
	rest []byte
	err  error
}

func (s *scanner) entry(e *Entry, flags byte, recordKey []byte) {
	e.Fence = s.uvarint("fence", math.MaxUint64)
	e.Ticket.Life = string(s.bytes("life"))
	e.Ticket.Epoch = int32(int64(s.uvarint("epoch+1", math.MaxInt32+1)) - 1)
	e.Ticket.Offset = int64(s.uvarint("offset", math.MaxInt64))
	e.Attempts = int(s.uvarint("attempts", maxCount))
	e.Redrives = int(s.uvarint("redrives", maxCount))
	e.Since = int64(s.uvarint("since+1", math.MaxInt64+1) - 1)
	e.Key = s.key(flags, recordKey)
	if flags&flagDue != 0 {
		seconds := s.uvarint("due", uint64(lastDue.Unix()))
		e.Due = s.time(int64(seconds))
	}
	if flags&flagTime != 0 {
		e.Time = s.time(s.varint("time", maxSeconds))
	}
	if flags&flagFirst != 0 {
		e.First = s.time(int64(s.uvarint("first", uint64(lastDue.Unix()))))
	}
	e.Parked = flags&flagParked != 0
	e.Held = flags&flagHeld != 0
}

func (s *scanner) key(flags byte, recordKey []byte) []byte {
	switch flags & (flagKey | flagRecordKey) {
	case flagKey:
		return s.bytes("key")
	case flagRecordKey:
		if recordKey == nil {
			s.fail("its key is the record's, which has none")
		}
		return recordKey
	case flagKey | flagRecordKey:
		s.fail("its key is the record's and another one")
	}
	return nil
}

func (s *scanner) uvarint(what string, most uint64) uint64 {
	n, size := binary.Uvarint(s.rest)
	switch {
	case size == 0:
		s.fail("it ends within %s", what)
	case size < 0 || n > most:
		s.fail("%s is above %d", what, most)
	}
	if s.err != nil {
		return 0
	}
	s.rest = s.rest[size:]
	return n
}

// varint reads a number of either sign whose size is at most most.
func (s *scanner) varint(what string, most int64) int64 {
	n, size := binary.Varint(s.rest)
	switch {
	case size == 0:
		s.fail("it ends within %s", what)
	case size < 0 || n > most || n < -most:
		s.fail("%s is beyond %d seconds", what, most)
	}
	if s.err != nil {
		return 0
	}
	s.rest = s.rest[size:]
	return n
}

func (s *scanner) bytes(what string) []byte {
	n := s.uvarint(what, math.MaxUint64)
	if left := len(s.rest); n > uint64(left) {
		s.fail("%s has %d bytes, and %d are left", what, n, left)
	}
	if s.err != nil {
		return nil
	}
	b := s.rest[:n:n]
	s.rest = s.rest[n:]
	return b
}

func (s *scanner) time(seconds int64) time.Time {
	nanoseconds := s.uvarint("nanoseconds", 999_999_999)
	if s.err != nil {
		return time.Time{}
	}
	return time.Unix(seconds, int64(nanoseconds))
}

// fail keeps the first fault.
func (s *scanner) fail(format string, args ...any) {
	if s.err == nil {
		s.err = fmt.Errorf(format, args...)
	}
}
