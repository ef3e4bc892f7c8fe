package spill

import (
	"errors"
	"fmt"
	"io"
	"slices"
)

// A reader is a place in the queue, with the segment's file open.
type reader struct {
	segment uint64 // 0 before the first
	ordinal uint32 // of the next frame
	offset  int64
	file    File // of segment; nil if it is not open
}

// passed reports whether a frame was read.
func (r *reader) passed(segment uint64, ordinal uint32) bool {
	return r.segment > segment || r.segment == segment && r.ordinal > ordinal
}

func (r *reader) close() error {
	if r.file == nil {
		return nil
	}
	f := r.file
	r.file = nil
	return f.Close()
}

// goTo opens a segment.
func (r *reader) goTo(folder Folder, segment uint64) error {
	if r.segment == segment && r.file != nil {
		return nil
	}
	f, err := folder.Open(fileName(segment, dataEnding))
	if err != nil {
		return err
	}
	if r.segment != segment {
		err = r.close()
		r.segment, r.ordinal, r.offset = segment, 0, int64(headSize)
	}
	r.file = f
	return err
}

// Next returns the next records in the order in which they were appended: at
// most so many of them, and no more once they have so many bytes; none if all
// were read. Each is given once, until the queue is opened anew: then all come
// again that were not acknowledged. An error means that the disk does not
// answer; what was read stays in its order, and another call goes on.
func (q *Queue) Next(most, bytes int) ([]Item, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	var items []Item
	for {
		s := q.unread()
		if s == nil {
			return items, nil
		}
		got, err := q.readSegment(s, most-len(items), &bytes)
		items = append(items, got...)
		if err != nil || len(items) >= most || bytes <= 0 {
			if len(items) > 0 {
				err = nil // it comes again
			}
			return items, err
		}
	}
}

// unread is the first segment with something to read.
func (q *Queue) unread() *segment {
	for _, s := range q.segments {
		switch {
		case s.number < q.reader.segment:
		case s.number == q.reader.segment && q.reader.offset >= s.end:
		case s.end > int64(headSize):
			return s
		}
	}
	return nil
}

// readSegment reads on in one segment.
func (q *Queue) readSegment(s *segment, most int, bytes *int) ([]Item, error) {
	if err := q.reader.goTo(q.folder, s.number); err != nil {
		return nil, fmt.Errorf("read queue: %w", err)
	}
	r := &q.reader
	in := readFrames(r.file, s.salt, r.offset, s.end)
	var items []Item
	for len(items) < most && *bytes > 0 {
		place := Place{s.number, r.ordinal, in.offset}
		body, err := in.next(nil)
		if errors.Is(err, io.EOF) {
			break
		}
		var it Item
		if err == nil {
			it, err = parseBody(body)
		}
		if damaged(err) {
			q.cutOff(s, place, errors.Is(err, errTorn))
			break
		}
		if err != nil {
			return items, fmt.Errorf("read queue: %w", err)
		}
		r.ordinal++
		r.offset = in.offset
		if s.done.has(place.ordinal) {
			continue
		}
		it.Place = place
		items = append(items, it)
		*bytes -= len(body)
	}
	return items, nil
}

func damaged(err error) bool {
	return errors.Is(err, errTorn) || errors.Is(err, errDamaged) || errors.Is(err, errBody)
}

// cutOff takes out of the queue what lies in a segment from a damaged frame on.
func (q *Queue) cutOff(s *segment, from Place, torn bool) {
	lost := 0
	for i := from.ordinal; i < s.frames; i++ {
		if !s.done.has(i) {
			lost++
		}
	}
	s.end, s.frames = from.offset, from.ordinal
	s.left -= lost
	q.waiting.Add(-int64(lost))
	q.damage(s, torn)
	if s.sealed && s.left == 0 {
		q.drop(s)
	}
}

// ErrDamaged reports a record that is no longer what was written. It is
// quarantined with what lies behind it in its segment.
var ErrDamaged = errors.New("record on disk is damaged")

// Load reads again a record that was given before and is not acknowledged.
func (q *Queue) Load(p Place) (Item, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.IndexFunc(q.segments, func(s *segment) bool { return s.number == p.segment })
	if i < 0 || p.ordinal >= q.segments[i].frames {
		return Item{}, fmt.Errorf("load from queue: %w", ErrDamaged)
	}
	s := q.segments[i]
	if err := q.loader.goTo(q.folder, s.number); err != nil {
		return Item{}, fmt.Errorf("load from queue: %w", err)
	}
	var it Item
	body, err := readFrames(q.loader.file, s.salt, p.offset, s.end).next(nil)
	if err == nil {
		it, err = parseBody(body)
	}
	if damaged(err) {
		q.cutOff(s, p, errors.Is(err, errTorn))
		err = fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if err != nil {
		return Item{}, fmt.Errorf("load from queue: %w", err)
	}
	it.Place = p
	return it, nil
}

// Ack says that records are where they belong: they are not given again, and
// their segments are deleted once nothing in them is left. An error means that
// they would come again if the process ended now; it is kept in [Stats] too.
func (q *Queue) Ack(items ...Item) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	var errs []error
	for len(items) > 0 {
		n := 1 // how many are neighbours
		for n < len(items) && items[n].Place.segment == items[0].Place.segment && items[n].Place.ordinal == items[0].Place.ordinal+uint32(n) {
			n++
		}
		first := items[0].Place
		errs = append(errs, q.ack(first.segment, first.ordinal, first.ordinal+uint32(n)))
		items = items[n:]
	}
	err := errors.Join(errs...)
	q.note(err)
	return err
}

// ack marks a range of a segment.
func (q *Queue) ack(number uint64, from, to uint32) error {
	i := slices.IndexFunc(q.segments, func(s *segment) bool { return s.number == number })
	if i < 0 {
		return nil // it was, and is gone
	}
	s := q.segments[i]
	for n := from; n < min(to, s.frames); n++ {
		if s.done.set(n) {
			s.left--
			q.waiting.Add(-1)
		}
	}
	err := q.mark(s, from, to)
	if s.left == 0 && s.sealed {
		q.drop(s)
	}
	return err
}

// mark writes down a range that is acknowledged.
func (q *Queue) mark(s *segment, from, to uint32) error {
	if s.marks == nil {
		f, err := q.folder.Create(fileName(s.number, marksEnding))
		if err != nil {
			return fmt.Errorf("mark in queue: %w", err)
		}
		s.marks = f
		if err := q.force(q.folder.Sync); err != nil {
			return fmt.Errorf("mark in queue: %w", err)
		}
	}
	if _, err := s.marks.WriteAt(appendMark(nil, from, to, s.salt), s.marksEnd); err != nil {
		return fmt.Errorf("mark in queue: %w", err)
	}
	s.marksEnd += markSize
	if err := q.force(s.marks.Sync); err != nil {
		return fmt.Errorf("mark in queue: %w", err)
	}
	return nil
}

// force syncs where the policy wants everything on disk at once.
func (q *Queue) force(sync func() error) error {
	if q.cfg.Sync != SyncAlways {
		return nil
	}
	return sync()
}
