package avro

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/twmb/avro"
)

// maxDepth bounds nesting while scanning. The decoder has a bound of its own
// that is lower for most schemas.
const maxDepth = 1000

var (
	errShort = errors.New("value ends too early")
	errDeep  = fmt.Errorf("value is nested deeper than %d", maxDepth)
)

// shape is a schema reduced to what it takes to step over its values.
//
// It is there for one weakness of the decoder: an array may come in any number
// of blocks, the decoder grows its slice by exactly one block at a time, and so
// a megabyte of one-item blocks costs it a terabyte of copies. Values of a
// schema with arrays are therefore scanned first, and an array in several
// blocks, which hardly any writer makes, is rewritten as one.
type shape struct {
	kind  string
	size  int      // of a fixed
	inner []*shape // fields, branches, items or values
	empty bool     // values take no bytes
}

// shapeOf returns the shape of a schema's values, or nil if they hold no
// array: then there is nothing to scan for.
func shapeOf(s *avro.Schema) *shape {
	b := shapes{named: make(map[string]*shape)}
	root := b.of(s.Root())
	if !b.arrays {
		return nil
	}
	for b.settle() {
	}
	return root
}

// shapes builds shapes; a named type has one, which may contain itself.
type shapes struct {
	walker walker
	named  map[string]*shape
	all    []*shape
	arrays bool
}

// settle finds shapes whose values take no bytes because no part of them does,
// and reports whether it found one.
func (b *shapes) settle() (found bool) {
	for _, s := range b.all {
		empty := s.kind == "null" || s.kind == "fixed" && s.size == 0 ||
			s.kind == "record" && !slices.ContainsFunc(s.inner, func(f *shape) bool { return !f.empty })
		found = found || empty && !s.empty
		s.empty = empty
	}
	return found
}

func (b *shapes) of(n *avro.SchemaNode) *shape {
	n = b.walker.resolve(n)
	if known, ok := b.named[fullName(n)]; ok && n.Name != "" {
		return known
	}
	s := &shape{kind: n.Type, size: n.Size}
	b.all = append(b.all, s)
	if n.Name != "" {
		b.named[fullName(n)] = s
	}
	switch n.Type {
	case "record":
		for i := range n.Fields {
			s.inner = append(s.inner, b.of(&n.Fields[i].Type))
		}
	case "union":
		for i := range n.Branches {
			s.inner = append(s.inner, b.of(&n.Branches[i]))
		}
	case "array":
		b.arrays = true
		s.inner = []*shape{b.of(n.Items)}
	case "map":
		s.inner = []*shape{{kind: "string"}, b.of(n.Values)}
	}
	return s
}

// scanner steps over values.
type scanner struct{ split bool } // an array came in several blocks

// skip steps over one value and returns what is behind it. What it refuses, no
// writer writes.
func (c *scanner) skip(s *shape, data []byte, depth int) ([]byte, error) {
	switch {
	case s.empty:
		return data, nil
	case depth > maxDepth:
		return nil, errDeep
	}
	switch s.kind {
	case "boolean":
		return after(data, 1)
	case "int", "long", "enum":
		_, rest, err := varint(data)
		return rest, err
	case "float":
		return after(data, 4)
	case "double":
		return after(data, 8)
	case "fixed":
		return after(data, int64(s.size))
	case "string", "bytes":
		n, rest, err := varint(data)
		if err != nil {
			return nil, err
		}
		return after(rest, n)
	case "union":
		branch, rest, err := s.branch(data)
		if err != nil {
			return nil, err
		}
		return c.skip(branch, rest, depth+1)
	case "record":
		return c.skipAll(s.inner, data, depth)
	default: // array, map
		return c.skipBlocks(s, data, depth)
	}
}

func (c *scanner) skipAll(all []*shape, data []byte, depth int) ([]byte, error) {
	for _, s := range all {
		var err error
		if data, err = c.skip(s, data, depth+1); err != nil {
			return nil, err
		}
	}
	return data, nil
}

func (c *scanner) skipBlocks(s *shape, data []byte, depth int) ([]byte, error) {
	for blocks := 0; ; blocks++ {
		count, rest, err := block(data)
		if err != nil || count == 0 {
			return rest, err
		}
		c.split = c.split || blocks > 0
		data = rest
		if s.kind == "array" && s.inner[0].empty {
			continue // their number is the decoder's to bound
		}
		for range count {
			if data, err = c.skipAll(s.inner, data, depth); err != nil {
				return nil, err
			}
		}
	}
}

// join appends one value to dst with every array and map in one block. The
// value was scanned before, so nothing in it can fail.
func (s *shape) join(dst, data []byte) (out, rest []byte) {
	switch s.kind {
	case "record":
		return joinAll(s.inner, dst, data)
	case "union":
		branch, rest, _ := s.branch(data)
		return branch.join(append(dst, data[:len(data)-len(rest)]...), rest)
	case "array", "map":
		return s.joinBlocks(dst, data)
	}
	rest, _ = new(scanner).skip(s, data, 0)
	return append(dst, data[:len(data)-len(rest)]...), rest
}

func joinAll(all []*shape, dst, data []byte) (out, rest []byte) {
	for _, s := range all {
		dst, data = s.join(dst, data)
	}
	return dst, data
}

func (s *shape) joinBlocks(dst, data []byte) (out, rest []byte) {
	start := len(dst)
	var total int64
	for {
		count, rest, _ := block(data)
		data = rest
		if count == 0 {
			break
		}
		if total += count; total < 0 {
			total = math.MaxInt64 // of items without bytes: the decoder refuses them
		}
		if s.kind == "array" && s.inner[0].empty {
			continue
		}
		for range count {
			dst, data = joinAll(s.inner, dst, data)
		}
	}
	if total > 0 {
		dst = slices.Insert(dst, start, binary.AppendVarint(nil, total)...)
	}
	return append(dst, 0), data
}

// branch reads which of a union's branches follows.
func (s *shape) branch(data []byte) (*shape, []byte, error) {
	n, rest, err := varint(data)
	if err != nil {
		return nil, nil, err
	}
	if n < 0 || n >= int64(len(s.inner)) {
		return nil, nil, fmt.Errorf("union has no branch %d", n)
	}
	return s.inner[n], rest, nil
}

// block reads how many items the next block has, none after the last one. A
// negative count is followed by the block's size, which is not trusted.
func block(data []byte) (count int64, rest []byte, err error) {
	count, rest, err = varint(data)
	if err == nil && count < 0 {
		_, rest, err = varint(rest)
		count = -count
	}
	if err == nil && count < 0 { // the one number without a positive twin
		err = errShort
	}
	return count, rest, err
}

func after(data []byte, n int64) ([]byte, error) {
	if n < 0 || n > int64(len(data)) {
		return nil, errShort
	}
	return data[n:], nil
}

func varint(data []byte) (int64, []byte, error) {
	v, n := binary.Varint(data)
	if n <= 0 {
		return 0, nil, errShort
	}
	return v, data[n:], nil
}
