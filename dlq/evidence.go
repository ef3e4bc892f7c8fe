package dlq

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/diag"
)

// evidence is the headers of one letter, and the letter to fill in.
type evidence struct {
	headers []kgo.RecordHeader
	letter  *Letter
}

// dialect is the first of those present, in the order of how much they tell.
// Evidence of different dialects is not mixed: it is of different deaths.
func (e evidence) dialect() Dialect {
	present := map[Dialect]bool{}
	for _, h := range e.headers {
		if d, ok := dialectOf(h.Key); ok {
			present[d] = true
		}
	}
	for _, d := range precedence {
		if present[d] {
			return d
		}
	}
	return None
}

// get returns the last header of a name, because whoever wrote it last knows
// most.
func (e evidence) get(name string) ([]byte, bool) {
	for _, h := range slices.Backward(e.headers) {
		if h.Key == name {
			return h.Value, true
		}
	}
	return nil, false
}

// fault notes a header whose value cannot be.
func (e evidence) fault(name, want string) {
	value, _ := e.get(name)
	text := diag.Escape(readable(value, 64))
	e.letter.Faults = append(e.letter.Faults, fmt.Sprintf("%s is %q, which is no %s", name, text, want))
}

// text returns the first of the named headers that there is.
func (e evidence) text(limit int, names ...string) string {
	for _, name := range names {
		if v, ok := e.get(name); ok {
			return clean(v, limit)
		}
	}
	return ""
}

// origin reads topic, partition, offset and group.
func (e evidence) origin(topic, partition, offset, group string) {
	o := &e.letter.Origin
	o.Topic = e.text(maxName, topic)
	o.Group = e.text(maxName, group)
	if n, ok := e.number(partition, 4, 0, math.MaxInt32, "partition"); ok {
		o.Partition = int32(n)
	}
	if n, ok := e.number(offset, 8, 0, math.MaxInt64, "offset"); ok {
		o.Offset = n
	}
}

// count reads how often something was done. Too many are [MaxCount].
func (e evidence) count(names ...string) int {
	for _, name := range names {
		if n, ok := e.number(name, 4, 0, math.MaxInt64, "count"); ok {
			return int(min(n, MaxCount))
		}
	}
	return 0
}

// number reads a header as decimal digits, or as a big-endian integer of width
// bytes, which is how Spring writes them. Where bytes could be either they are
// digits: as an integer they would be an offset or a partition that nobody has.
func (e evidence) number(name string, width int, low, high int64, what string) (int64, bool) {
	v, ok := e.get(name)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(string(v[:min(len(v), 32)]), 10, 64)
	if err != nil && len(v) == width {
		n, err = integer(v), nil
	}
	if err != nil || n < low || n > high {
		e.fault(name, what)
		return 0, false
	}
	return n, true
}

func integer(b []byte) int64 {
	if len(b) == 4 {
		return int64(int32(binary.BigEndian.Uint32(b)))
	}
	return int64(binary.BigEndian.Uint64(b))
}

// moment reads a time: RFC 3339, or milliseconds as digits or as a long.
// Anything that this letter cannot have seen is a fault.
func (e evidence) moment(names ...string) time.Time {
	for _, name := range names {
		v, ok := e.get(name)
		if !ok {
			continue
		}
		t, err := time.Parse(time.RFC3339Nano, string(v[:min(len(v), 64)]))
		if err != nil {
			n, ok := e.number(name, 8, 0, latest.UnixMilli(), "time")
			if !ok {
				return time.Time{}
			}
			t = time.UnixMilli(n)
		}
		if t.Before(earliest) || t.After(latest) {
			e.fault(name, "time")
			return time.Time{}
		}
		return t.UTC()
	}
	return time.Time{}
}

// wrote reports whether a header is of the evidence in this dialect. Names that
// another tool would use are the record's own: they were there when it died.
func (d Dialect) wrote(name string) bool {
	of, ok := dialectOf(name)
	return ok && (of == d || d == Slipway && of == ShareGroup)
}

// dialectOf says whose header a name is. It is asked for every header of every
// letter, so it looks at the first letter of a name before anything else.
func dialectOf(name string) (Dialect, bool) {
	if name == "" || !strings.ContainsRune(initials, rune(name[0])) {
		return None, false
	}
	for _, p := range prefixes {
		if strings.HasPrefix(name, p.prefix) {
			return p.dialect, true
		}
	}
	d, ok := names[name]
	return d, ok
}
