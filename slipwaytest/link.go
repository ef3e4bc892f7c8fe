package slipwaytest

import (
	"net"
	"os"
	"sync"
	"time"
)

// A link is an open connection of an instance. While the instance is isolated
// its reads and writes wait, as they do on a network that drops packets: for no
// longer than their deadline, and nothing is lost.
type link struct {
	net.Conn
	network *network
	of      *instance
	addr    string

	once  sync.Once
	ended chan struct{}

	mu      sync.Mutex
	read    time.Time // deadlines
	write   time.Time
	changed chan struct{} // closed when a deadline is set
	kept    []byte        // what came in while the instance was isolated
}

// Read implements [net.Conn].
func (l *link) Read(p []byte) (int, error) {
	if n := l.take(p); n > 0 {
		return n, nil
	}
	n, err := l.Conn.Read(p)
	if l.network.hole(l.of) == nil {
		return n, err
	}
	l.mu.Lock()
	l.kept = append(l.kept, p[:n]...)
	l.mu.Unlock()
	if late := l.pass(&l.read); late != nil {
		return 0, late
	}
	return l.take(p), err
}

// take hands out what was kept, unless the instance is still isolated.
func (l *link) take(p []byte) int {
	l.mu.Lock()
	waiting := len(l.kept) > 0
	l.mu.Unlock()
	if !waiting || l.pass(&l.read) != nil {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	n := copy(p, l.kept)
	l.kept = l.kept[n:]
	return n
}

// Write implements [net.Conn].
func (l *link) Write(p []byte) (int, error) {
	if err := l.pass(&l.write); err != nil {
		return 0, err
	}
	return l.Conn.Write(p)
}

// pass waits until the instance is not isolated, no longer than a deadline.
func (l *link) pass(deadline *time.Time) error {
	for {
		healed := l.network.hole(l.of)
		if healed == nil {
			return nil
		}
		l.mu.Lock()
		until, changed := *deadline, l.changed
		l.mu.Unlock()
		var late <-chan time.Time
		if !until.IsZero() {
			if !time.Now().Before(until) {
				return os.ErrDeadlineExceeded
			}
			late = time.After(time.Until(until))
		}
		select {
		case <-healed:
		case <-changed:
		case <-late:
		case <-l.ended:
			return net.ErrClosed
		}
	}
}

// SetDeadline implements [net.Conn].
func (l *link) SetDeadline(t time.Time) error {
	l.set(t, &l.read, &l.write)
	return l.Conn.SetDeadline(t)
}

// SetReadDeadline implements [net.Conn].
func (l *link) SetReadDeadline(t time.Time) error {
	l.set(t, &l.read)
	return l.Conn.SetReadDeadline(t)
}

// SetWriteDeadline implements [net.Conn].
func (l *link) SetWriteDeadline(t time.Time) error {
	l.set(t, &l.write)
	return l.Conn.SetWriteDeadline(t)
}

func (l *link) set(t time.Time, deadlines ...*time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, d := range deadlines {
		*d = t
	}
	close(l.changed)
	l.changed = make(chan struct{})
}

// Close implements [net.Conn].
func (l *link) Close() error {
	l.once.Do(func() { close(l.ended) })
	l.network.mu.Lock()
	delete(l.network.links, l)
	l.network.mu.Unlock()
	return l.Conn.Close()
}
