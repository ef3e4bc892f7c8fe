package parking

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math"
	"time"
)

// The value of slipway-retry is, in version 1: the version, kind, operation and
// flags, a byte each; as uvarints the fence, the length of the life and the
// life, epoch+1, offset, attempts, redrives and since+1; the length of the key
// and the key if flagKey is set; due, time and first, if their flags are set, as
// seconds (those of time zigzag) and nanoseconds; the CRC-32C of all that.
const (
	version = 1
	sumSize = 4

	maxCount = 1_000_000 // of attempts and redrives
)

const (
	flagDue byte = 1 << iota
	flagTime
	flagParked
	flagHeld
	flagKey       // the key follows
	flagRecordKey // the key is the record's; with neither flag it is nil
	flagFirst
	flagsEnd
)

// What a time may be: what is due is of a year that has four digits, and a
// record's own time is whatever its producer made of Kafka's milliseconds.
var (
	firstDue, lastDue   = time.Unix(0, 0), time.Unix(253_402_300_799, 999_999_999)
	firstTime, lastTime = time.Unix(-maxSeconds, 0), time.Unix(maxSeconds, 999_999_999)
)

const maxSeconds = math.MaxInt64 / 1000

func appendEntry(b []byte, e Entry, recordKey []byte) []byte {
	flags := flagsOf(e, recordKey)
	b = append(b, version, byte(e.Kind), byte(e.Op), flags)
	b = binary.AppendUvarint(b, e.Fence)
	b = append(binary.AppendUvarint(b, uint64(len(e.Ticket.Life))), e.Ticket.Life...)
	b = binary.AppendUvarint(b, uint64(int64(max(e.Ticket.Epoch, -1))+1))
	b = binary.AppendUvarint(b, uint64(e.Ticket.Offset))
	b = binary.AppendUvarint(b, uint64(min(max(e.Attempts, 0), maxCount)))
	b = binary.AppendUvarint(b, uint64(min(max(e.Redrives, 0), maxCount)))
	b = binary.AppendUvarint(b, uint64(max(e.Since, -1))+1)
	if flags&flagKey != 0 {
		b = append(binary.AppendUvarint(b, uint64(len(e.Key))), e.Key...)
	}
	if flags&flagDue != 0 {
		due := within(e.Due, firstDue, lastDue)
		b = binary.AppendUvarint(b, uint64(due.Unix()))
		b = binary.AppendUvarint(b, uint64(due.Nanosecond()))
	}
	if flags&flagTime != 0 {
		at := within(e.Time, firstTime, lastTime)
		b = binary.AppendVarint(b, at.Unix())
		b = binary.AppendUvarint(b, uint64(at.Nanosecond()))
	}
	if flags&flagFirst != 0 {
		first := within(e.First, firstDue, lastDue)
		b = binary.AppendUvarint(b, uint64(first.Unix()))
		b = binary.AppendUvarint(b, uint64(first.Nanosecond()))
	}
	return binary.BigEndian.AppendUint32(b, checksum(b))
}

func flagsOf(e Entry, recordKey []byte) (flags byte) {
	for flag, on := range [...]bool{!e.Due.IsZero(), !e.Time.IsZero(), e.Parked, e.Held} {
		if on {
			flags |= 1 << flag
		}
	}
	if !e.First.IsZero() {
		flags |= flagFirst
	}
	switch {
	case e.Key == nil:
		return flags
	case recordKey != nil && bytes.Equal(e.Key, recordKey):
		return flags | flagRecordKey
	}
	return flags | flagKey
}

func within(t, first, last time.Time) time.Time {
	switch {
	case t.Before(first):
		return first
	case t.After(last):
		return last
	}
	return t
}

func checksum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }
