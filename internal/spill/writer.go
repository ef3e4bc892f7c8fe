package spill

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"
)

// A writer is the goroutine that alone writes segments. It takes together what
// waits to be appended: one write and one fsync for all of it.
type writer struct {
	q       *Queue
	results *results
	ended   chan struct{}
	failed  error // of the last fsync, at the end

	seg  *segment // nil if the next frame begins a new one
	file File
	at   int64  // where the next frame goes
	next uint32 // its ordinal

	before  uint64 // the segment written before, if it is sealed at a known end
	cut     int64
	pending []frame  // written and not synced, with SyncInterval
	owed    [][]byte // bodies that were acknowledged and are in no file that can be trusted
}

// A frame is one that was written.
type frame struct {
	body    []byte
	ordinal uint32
	offset  int64
}

const (
	maxGroup   = 4 << 20 // bytes that are written together
	maxPending = 8 << 20 // bytes that wait for an interval's fsync
)

func newWriter(q *Queue) *writer {
	return &writer{q: q, results: newResults(), ended: make(chan struct{}), cut: -1}
}

func (w *writer) run() {
	defer close(w.ended)
	defer w.results.close()
	var tick <-chan time.Time
	for {
		if tick == nil && (len(w.pending) > 0 || len(w.owed) > 0) && w.q.cfg.Sync == SyncInterval {
			tick = time.After(w.q.cfg.Interval)
		}
		select {
		case r, ok := <-w.q.requests:
			if !ok {
				w.finish()
				return
			}
			w.serve(r)
		case <-tick:
			tick = nil
			w.flush()
		}
	}
}

// serve appends a request together with those that wait behind it.
func (w *writer) serve(first request) {
	var bodies [][]byte
	var taken []request
	size, now := 0, time.Now()
	admit := func(r request) {
		own, err := encode(r.records, now)
		if err == nil {
			err = w.room(size + sizeOf(own))
		}
		if err != nil {
			w.answer(r, err)
			return
		}
		bodies, taken, size = append(bodies, own...), append(taken, r), size+sizeOf(own)
	}
	admit(first)
	for more := true; more && size < maxGroup; {
		select {
		case r, ok := <-w.q.requests:
			if more = ok; ok {
				admit(r)
			}
		default:
			more = false
		}
	}
	var err error
	if len(bodies) > 0 {
		err = w.put(bodies)
	}
	for _, r := range taken {
		w.answer(r, err)
	}
	if pendingSize(w.pending) > maxPending {
		w.flush()
	}
}

// answer tells whoever appended.
func (w *writer) answer(r request, err error) {
	if err != nil {
		w.q.waiting.Add(-int64(len(r.records)))
		err = fmt.Errorf("append to queue: %w", err)
	}
	w.results.push(result{r.done, err})
}

func encode(records []Record, now time.Time) ([][]byte, error) {
	bodies := make([][]byte, len(records))
	for i := range records {
		bodies[i] = appendBody(nil, &records[i], now)
		if len(bodies[i]) > maxBody-frameHead {
			return nil, errors.New("record is too large for a frame")
		}
	}
	return bodies, nil
}

func sizeOf(bodies [][]byte) (n int) {
	for _, b := range bodies {
		n += frameHead + len(b)
	}
	return n
}

func pendingSize(frames []frame) (n int) {
	for _, f := range frames {
		n += frameHead + len(f.body)
	}
	return n
}

// room reports whether so many bytes more stay below the cap.
func (w *writer) room(size int) error {
	q := w.q
	full := func() bool {
		q.mu.Lock()
		defer q.mu.Unlock()
		return q.bytes+int64(size+sizeOf(w.owed)+headSize) > q.cfg.MaxBytes
	}
	if !full() {
		return nil
	}
	q.mu.Lock()
	spent := w.seg != nil && w.seg.left == 0
	q.mu.Unlock()
	if spent { // all of it was given back
		w.seal()
		if !full() {
			return nil
		}
	}
	return fmt.Errorf("%w: it may hold %d bytes", ErrFull, q.cfg.MaxBytes)
}

// put writes bodies as frames, after those that are owed. A segment that fails
// is never written again: the frames get one try in a new one.
func (w *writer) put(bodies [][]byte) error {
	err := w.try(bodies)
	if err == nil {
		return nil
	}
	w.seal()
	if again := w.try(bodies); again != nil {
		w.seal()
		return again
	}
	return nil
}

func (w *writer) try(bodies [][]byte) error {
	all := append(slices.Clip(w.owed), bodies...)
	if w.spoilt() || w.seg != nil && w.at > int64(headSize) && w.at+int64(sizeOf(all)) > w.q.cfg.SegmentBytes {
		w.seal()
		all = append(slices.Clip(w.owed), bodies...) // more may be owed now
	}
	if w.seg == nil {
		if err := w.begin(); err != nil {
			return err
		}
	}
	buf := make([]byte, 0, sizeOf(all))
	written := make([]frame, len(all))
	for i, body := range all {
		written[i] = frame{body, w.next + uint32(i), w.at + int64(len(buf))}
		buf = appendFrame(buf, body, w.seg.salt, w.at+int64(len(buf)))
	}
	if _, err := w.file.WriteAt(buf, w.at); err != nil {
		return err
	}
	if w.q.cfg.Sync == SyncAlways {
		if err := w.file.Sync(); err != nil {
			return err
		}
	}
	if !w.publish(len(all), int64(len(buf))) {
		return errDamaged
	}
	if w.q.cfg.Sync == SyncInterval {
		w.pending = append(w.pending, written...)
	}
	w.owed = nil
	return nil
}

// publish shows readers what was written, unless they found damage before it.
func (w *writer) publish(frames int, size int64) bool {
	q := w.q
	q.mu.Lock()
	defer q.mu.Unlock()
	if w.seg.damaged {
		return false
	}
	w.at += size
	w.next += uint32(frames)
	w.seg.end, w.seg.size, w.seg.frames = w.at, w.at, w.next
	w.seg.left += frames
	q.bytes += size
	q.wake()
	return true
}

// spoilt reports whether the reader found the segment in hand damaged.
func (w *writer) spoilt() bool {
	w.q.mu.Lock()
	defer w.q.mu.Unlock()
	return w.seg != nil && w.seg.damaged
}

// newSalt returns a number that nobody can guess.
func newSalt() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return binary.LittleEndian.Uint64(b[:])
}

// begin makes a new segment.
func (w *writer) begin() error {
	q := w.q
	q.mu.Lock()
	q.number++
	h := head{number: q.number, salt: newSalt(), before: w.before, cut: w.cut}
	q.mu.Unlock()
	name := fileName(h.number, dataEnding)
	f, err := q.folder.Create(name)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(h.encode(), 0)
	if err == nil && q.cfg.Sync != SyncNever {
		err = q.folder.Sync()
	}
	if err != nil {
		return errors.Join(err, f.Close(), q.folder.Remove(name))
	}
	w.file = f
	w.at, w.next = int64(headSize), 0
	w.seg = &segment{head: h, size: w.at, end: w.at}
	q.mu.Lock()
	q.segments = append(q.segments, w.seg)
	q.bytes += w.seg.size
	q.mu.Unlock()
	return nil
}

// seal ends the segment in hand. Frames of it that cannot be synced are owed to
// the next one.
func (w *writer) seal() {
	if w.seg == nil {
		return
	}
	if len(w.pending) > 0 {
		if err := w.file.Sync(); err != nil {
			w.owe()
		}
		w.pending = nil
	}
	q := w.q
	q.mu.Lock()
	defer q.mu.Unlock()
	q.note(w.file.Close())
	w.before, w.cut = w.seg.number, w.seg.end
	if w.seg.damaged {
		w.cut = -1 // so that opening finds the damage again
	}
	w.seg.sealed = true
	if w.seg.left == 0 {
		q.drop(w.seg)
	}
	w.seg, w.file = nil, nil
}

// owe cuts off the segment the frames that were not synced, and keeps them for
// the next one, but for those that the reader has already.
func (w *writer) owe() {
	q := w.q
	q.mu.Lock()
	defer q.mu.Unlock()
	if w.seg.damaged {
		return // they are quarantined, as all that lies behind the damage
	}
	for i, f := range w.pending {
		if q.reader.passed(w.seg.number, f.ordinal) {
			continue
		}
		w.seg.end, w.seg.frames = f.offset, f.ordinal
		w.seg.left -= len(w.pending) - i
		q.bytes -= w.seg.size - w.seg.end
		w.seg.size = w.seg.end
		for _, g := range w.pending[i:] {
			w.owed = append(w.owed, g.body)
		}
		return
	}
}

// flush syncs what an interval has gathered. After a failure it is owed, to a
// new segment, now or at the next interval.
func (w *writer) flush() {
	for range 2 {
		if len(w.owed) > 0 {
			if w.failed = w.put(nil); w.failed != nil {
				return
			}
		}
		if len(w.pending) == 0 {
			return
		}
		if w.failed = w.file.Sync(); w.failed == nil {
			w.pending = nil
			return
		}
		w.owe()
		w.pending = nil
		w.seal()
	}
}

// finish ends what was written.
func (w *writer) finish() {
	w.flush()
	w.seal()
}
