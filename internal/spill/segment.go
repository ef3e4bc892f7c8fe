package spill

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// A segment is one file of frames. Its fields are the queue's, under its lock.
type segment struct {
	head
	size    int64  // what it takes on disk
	end     int64  // how far its frames go that count
	frames  uint32 // before end
	done    bitset // which of them are acknowledged
	left    int    // how many are not
	sealed  bool   // nothing is written to it any more
	damaged bool   // what lies beyond end is quarantined with it

	marks    File // nil until the first
	marksEnd int64
}

// The endings of file names.
const (
	dataEnding  = ".log"
	marksEnding = ".ack"
	badEnding   = ".bad"
)

func fileName(number uint64, ending string) string { return fmt.Sprintf("%016x%s", number, ending) }

// numberOf reads a segment's number off a file's name.
func numberOf(name, ending string) (uint64, bool) {
	text, ok := strings.CutSuffix(name, ending)
	if !ok || len(text) != 16 {
		return 0, false
	}
	n, err := strconv.ParseUint(text, 16, 64)
	return n, err == nil
}

// Damage is what opening or reading found that is not what was written. It is
// never given back and never deleted: it ends up in a file that ends in .bad.
type Damage struct {
	Segment string // the file's name
	Offset  int64  // where the damage begins
	Bytes   int64  // from there to the file's end
	Torn    bool   // the end is missing: an append that a crash cut short, which nobody was told has succeeded, or a file that was shortened
}

func (d Damage) String() string {
	what := "damaged"
	if d.Torn {
		what = "cut short"
	}
	return fmt.Sprintf("%s is %s at byte %d, %d bytes are set aside", d.Segment, what, d.Offset, d.Bytes)
}

// readHead reads a segment's head. A file that is too short for one is no
// segment.
func readHead(f File) (head, int64, error) {
	size, err := f.Size()
	if err != nil {
		return head{}, 0, err
	}
	b := make([]byte, headSize)
	if _, err := f.ReadAt(b[:min(size, int64(headSize))], 0); err != nil && !errors.Is(err, io.EOF) {
		return head{}, size, err
	}
	if size < int64(headSize) {
		return head{}, size, errHead
	}
	h, err := parseHead(b)
	return h, size, err
}

// scan counts the good frames of a segment up to limit, or to its end if that is
// negative.
func (s *segment) scan(f io.ReaderAt, limit int64) error {
	end := s.size
	if limit >= 0 && limit < end {
		end = limit
	}
	in := readFrames(f, s.salt, int64(headSize), end)
	var buf []byte
	for {
		body, err := in.next(buf)
		if err == nil {
			_, err = parseBody(body)
		}
		if err != nil {
			s.end = in.offset
			if errors.Is(err, io.EOF) && limit > s.end {
				err = errTorn // once it was longer
			}
			return err
		}
		buf = body[:cap(body)]
		s.frames++
	}
}
