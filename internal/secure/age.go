package secure

import (
	"crypto/tls"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// patience is how long a request is held back at most until those before it
	// are answered. The client sends nothing to this broker meanwhile.
	patience = 2 * time.Second

	lastWords = 5 * time.Second // to hand over what nobody answers
)

// errAged is what a client gets that writes to a connection which has ended for its
// age. Nothing was written, so it can write the same to a new one.
var errAged = &net.OpError{Op: "write", Net: "tcp", Err: agedError{}}

type agedError struct{}

func (agedError) Error() string        { return "the connection has ended for the age of its certificates" }
func (agedError) Is(target error) bool { return target == net.ErrClosed }

// ages counts what becomes of aging connections.
type ages struct{ open, ended, cut atomic.Int64 }

// An aging connection to a Kafka broker ends between two requests when its time
// has come: all that was asked is answered, and nothing of the next request was
// written. The client learns of it when it writes the next one, of which nothing
// was written, so it opens another connection and nobody else notices.
type aging struct {
	net.Conn // a *tls.Conn, or what a test puts in its place
	plan     plan
	patience time.Duration
	counts   *ages

	mu       sync.Mutex
	stage    stage
	closed   bool // by the client, or by us
	out, in  frames
	open     int       // requests without an answer
	silent   bool      // a request was sent that nobody answers
	until    time.Time // the client's bound for writing
	progress chan struct{}
	resumed  time.Time // no request is held back before
	timer    *time.Timer
}

type stage int

const (
	fresh    stage = iota
	aged           // ends when no request is open
	holding        // and lets none in
	finished       // has ended
)

// age has a connection end by a plan.
func age(conn net.Conn, p plan, counts *ages) *aging {
	a := &aging{Conn: conn, plan: p, counts: counts, progress: make(chan struct{})}
	a.patience = min(patience, p.last.Sub(p.hold)/3)
	counts.open.Add(1)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.timer = time.AfterFunc(time.Until(p.quiet), a.advance)
	return a
}

// advance is called when the next stage begins.
func (a *aging) advance() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return
	}
	now := time.Now()
	switch {
	case !now.Before(a.plan.last):
		a.end()
		return
	case !now.Before(a.plan.hold):
		a.stage = holding
		a.timer.Reset(a.plan.last.Sub(now))
	default:
		a.stage = aged
		a.timer.Reset(a.plan.hold.Sub(now))
	}
	if a.quiet() {
		a.end()
	}
}

// quiet reports whether the connection can end without anybody's noticing. The
// lock is held.
func (a *aging) quiet() bool { return a.open == 0 && a.out.between() && a.in.between() }

// end ends the connection. The lock is held.
func (a *aging) end() {
	a.stage, a.closed = finished, true
	a.counts.open.Add(-1)
	if a.quiet() {
		a.counts.ended.Add(1)
	} else {
		a.counts.cut.Add(1)
	}
	a.moved()
	go a.bye(a.silent)
}

// bye closes the connection. What was sent and is not answered by anybody gets the
// time to arrive: a connection that is closed with something unread in it loses it.
func (a *aging) bye(silent bool) {
	defer a.Conn.Close()
	half, ok := a.Conn.(interface{ CloseWrite() error })
	if !silent || !ok {
		return
	}
	_ = a.Conn.SetDeadline(time.Now().Add(lastWords))
	if half.CloseWrite() != nil { // waits for what is being written
		return
	}
	for scrap := make([]byte, 512); ; {
		if _, err := a.Conn.Read(scrap); err != nil {
			return
		}
	}
}

// moved wakes who is held back. The lock is held.
func (a *aging) moved() {
	close(a.progress)
	a.progress = make(chan struct{})
}

// Write writes a request, unless the connection ends instead.
func (a *aging) Write(b []byte) (int, error) {
	if err := a.admit(b); err != nil {
		return 0, err
	}
	return a.Conn.Write(b)
}

// admit counts what is about to be written.
func (a *aging) admit(b []byte) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.stage == holding && a.out.between() && a.open > 0 {
		if err := a.wait(); err != nil {
			return err
		}
	}
	if a.stage == aged || a.stage == holding {
		if a.quiet() && !a.closed {
			a.end()
		}
	}
	if a.stage == finished {
		return errAged
	}
	first := a.out.between()
	begun, _ := a.out.pass(b)
	if first && begun > 0 && unacknowledged(b) {
		begun--
		a.silent = true
	}
	a.open += begun
	return nil
}

// wait holds a request back until those before it are answered, or patience is
// over. The lock is held, and let go meanwhile.
func (a *aging) wait() error {
	bound := time.Now().Add(a.patience)
	if time.Now().Before(a.resumed) {
		return nil
	}
	for a.stage == holding && !a.closed && a.open > 0 {
		now := time.Now()
		if !a.until.IsZero() && !now.Before(a.until) {
			return &net.OpError{Op: "write", Net: "tcp", Err: os.ErrDeadlineExceeded}
		}
		left := bound.Sub(now)
		if left <= 0 {
			a.resumed = now.Add(2 * a.patience)
			return nil
		}
		if !a.until.IsZero() {
			left = min(left, a.until.Sub(now))
		}
		progress := a.progress
		a.mu.Unlock()
		timer := time.NewTimer(left)
		select {
		case <-progress:
		case <-timer.C:
		}
		timer.Stop()
		a.mu.Lock()
	}
	return nil
}

// Read reads answers.
func (a *aging) Read(b []byte) (int, error) {
	n, err := a.Conn.Read(b)
	if n > 0 {
		a.answered(b[:n])
	}
	return n, err
}

func (a *aging) answered(b []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, ended := a.in.pass(b)
	if ended == 0 {
		return
	}
	a.open = max(0, a.open-ended)
	if a.stage == fresh || a.closed {
		return
	}
	if a.quiet() {
		a.end()
		return
	}
	if a.open == 0 {
		a.moved()
	}
}

// Close closes the connection, unless that is under way.
func (a *aging) Close() error {
	a.mu.Lock()
	if a.closed {
		ours := a.stage == finished
		a.mu.Unlock()
		if ours {
			return nil
		}
		return a.Conn.Close()
	}
	a.closed = true
	a.counts.open.Add(-1)
	a.timer.Stop()
	a.moved()
	a.mu.Unlock()
	return a.Conn.Close()
}

// SetWriteDeadline bounds the time that a request is held back, too.
func (a *aging) SetWriteDeadline(t time.Time) error {
	a.bound(t)
	return a.Conn.SetWriteDeadline(t)
}

// SetDeadline bounds the time that a request is held back, too.
func (a *aging) SetDeadline(t time.Time) error {
	a.bound(t)
	return a.Conn.SetDeadline(t)
}

func (a *aging) bound(t time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.until = t
	if a.stage == holding {
		a.moved()
	}
}

// ConnectionState is the TLS connection's.
func (a *aging) ConnectionState() tls.ConnectionState {
	if c, ok := a.Conn.(*tls.Conn); ok {
		return c.ConnectionState()
	}
	return tls.ConnectionState{}
}
