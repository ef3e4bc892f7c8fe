package spill

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"time"
)

// Segment returns a file with a good head and these bytes behind it.
func Segment(rest []byte) []byte {
	return append(head{number: 1, salt: 7, cut: -1}.encode(), rest...)
}

// Reseal makes the checksum of a segment's head right again.
func Reseal(data []byte) []byte {
	binary.LittleEndian.PutUint32(data[headSize-4:], crc32.Checksum(data[:headSize-4], castagnoli))
	return data
}

// Body returns a record as a frame has it, and ParseBody the record.
func Body(r Record) []byte { return appendBody(nil, &r, time.Unix(1, 0)) }

func ParseBody(b []byte) (Record, error) {
	it, err := parseBody(b)
	return it.Record, err
}

// Scan counts the good frames of a segment.
func Scan(data []byte) uint32 {
	s := segment{head: head{number: 1, salt: 7}, size: int64(len(data))}
	_ = s.scan(bytes.NewReader(data), -1)
	return s.frames
}
