package spill

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
)

// load reads the directory: which segments there are, what of them is good and
// what is acknowledged.
func (q *Queue) load() error {
	names, err := q.folder.Names()
	if err != nil {
		return err
	}
	found := make(map[uint64]*segment)
	for _, name := range names {
		if err := q.find(name, found); err != nil {
			return fmt.Errorf("open %s: %w", name, err)
		}
	}
	for _, n := range slices.Sorted(maps.Keys(found)) {
		q.segments = append(q.segments, found[n])
	}
	for i, s := range q.segments {
		limit := int64(-1)
		if i+1 < len(q.segments) && q.segments[i+1].before == s.number {
			limit = q.segments[i+1].cut
		}
		if err := q.examine(s, limit); err != nil {
			return fmt.Errorf("read %s: %w", fileName(s.number, dataEnding), err)
		}
	}
	for _, name := range names {
		if n, ok := numberOf(name, marksEnding); ok && found[n] == nil {
			if err := q.folder.Remove(name); err != nil {
				return err
			}
		}
	}
	for _, s := range slices.Clone(q.segments) {
		q.bytes += s.size
		q.waiting.Add(int64(s.left))
		if s.left == 0 {
			q.drop(s)
		}
	}
	return nil
}

// find looks at one file of the directory.
func (q *Queue) find(name string, found map[uint64]*segment) error {
	if n, ok := numberOf(name, badEnding); ok {
		q.number = max(q.number, n)
		f, err := q.folder.Open(name)
		if err != nil {
			return err
		}
		size, err := f.Size()
		q.quarantined += size
		return errors.Join(err, f.Close())
	}
	n, ok := numberOf(name, dataEnding)
	if !ok {
		return nil
	}
	q.number = max(q.number, n)
	f, err := q.folder.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was only read
	h, size, err := readHead(f)
	switch {
	case size == 0 && errors.Is(err, errHead):
		return q.folder.Remove(name) // a crash came between its creation and its first byte
	case errors.Is(err, errHead), err == nil && h.number != n:
		q.report(Damage{Segment: name, Bytes: size, Torn: size < int64(headSize)})
		q.quarantined += size
		return q.folder.Rename(name, fileName(n, badEnding))
	case err != nil:
		return err
	}
	found[n] = &segment{head: h, size: size, sealed: true}
	return nil
}

// examine reads a segment's frames and marks.
func (q *Queue) examine(s *segment, limit int64) error {
	f, err := q.folder.Open(fileName(s.number, dataEnding))
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was only read
	err = s.scan(f, limit)
	switch {
	case errors.Is(err, errTorn), errors.Is(err, errDamaged), errors.Is(err, errBody):
		q.damage(s, errors.Is(err, errTorn))
	case !errors.Is(err, io.EOF):
		return err
	}
	s.left = int(s.frames)
	marks, err := q.folder.Open(fileName(s.number, marksEnding))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	s.marks = marks
	size, err := marks.Size()
	if err != nil {
		return err
	}
	b := make([]byte, size)
	if _, err := io.ReadFull(io.NewSectionReader(marks, 0, size), b); err != nil {
		return err
	}
	s.marksEnd = readMarks(b, s.salt, s.frames, &s.done)
	s.left -= s.done.count()
	return nil
}

// damage notes that what lies beyond a segment's end is not what was written.
func (q *Queue) damage(s *segment, torn bool) {
	s.damaged = true
	bad := max(s.size-s.end, 0)
	q.quarantined += bad
	q.report(Damage{Segment: fileName(s.number, dataEnding), Offset: s.end, Bytes: bad, Torn: torn})
}

// drop deletes a segment of which everything is acknowledged. What is damaged in
// it is kept.
func (q *Queue) drop(s *segment) {
	q.segments = slices.DeleteFunc(q.segments, func(o *segment) bool { return o == s })
	q.bytes -= s.size
	if s.marks != nil {
		q.note(s.marks.Close())
	}
	name := fileName(s.number, dataEnding)
	if s.damaged && s.size > s.end {
		if err := q.keepBad(s); err != nil { // no room for a copy
			q.note(q.folder.Rename(name, fileName(s.number, badEnding)))
			q.note(q.removeMarks(s))
			return
		}
	}
	if err := q.folder.Remove(name); err != nil {
		q.note(err) // the marks stay: they say that it is done
		return
	}
	if err := q.force(q.folder.Sync); err != nil {
		q.note(err) // here too
		return
	}
	q.note(q.removeMarks(s))
}

func (q *Queue) removeMarks(s *segment) error {
	err := q.folder.Remove(fileName(s.number, marksEnding))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// keepBad copies what is damaged in a segment to a file of its own.
func (q *Queue) keepBad(s *segment) (err error) {
	from, err := q.folder.Open(fileName(s.number, dataEnding))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	name := fileName(s.number, badEnding)
	to, err := q.folder.Create(name)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.NewOffsetWriter(to, 0), io.NewSectionReader(from, s.end, s.size-s.end))
	if err = errors.Join(err, to.Sync(), to.Close()); err != nil {
		return errors.Join(err, q.folder.Remove(name))
	}
	return q.folder.Sync()
}
