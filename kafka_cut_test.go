//go:build kafka

package slipway_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// cuts stand between a process and brokers: what it sends or what it gets is held
// back while the broker is cut off, and goes on its way afterwards, as TCP does
// when packets were lost for a while. That holds for connections that were
// closed meanwhile too: what was written may arrive long after its writer has
// given it up.
type cuts struct {
	mu                   sync.Mutex
	from, to             []string      // addresses: nothing comes from, nothing gets to
	changed              chan struct{} // closed at the next change
	reads, writes, dials atomic.Int64  // that were held back
}

// watchCuts follows a file of lines "from address" and "to address". It lives
// as long as the process.
func watchCuts(file string) *cuts {
	c := &cuts{changed: make(chan struct{})}
	go func() {
		last := ""
		for range time.Tick(20 * time.Millisecond) {
			if text, err := os.ReadFile(file); err == nil && string(text) != last {
				last = string(text)
				c.set(last)
			}
		}
	}()
	return c
}

func (c *cuts) set(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.from, c.to = nil, nil
	for line := range strings.Lines(text) {
		switch way, addr, _ := strings.Cut(strings.TrimSpace(line), " "); way {
		case "from":
			c.from = append(c.from, addr)
		case "to":
			c.to = append(c.to, addr)
		}
	}
	close(c.changed)
	c.changed = make(chan struct{})
	fmt.Fprintf(os.Stderr, "cuts from=%v to=%v held_reads=%d held_writes=%d held_dials=%d\n",
		c.from, c.to, c.reads.Load(), c.writes.Load(), c.dials.Load())
}

// look reports whether an address is cut off, and what tells of a change.
func (c *cuts) look(addr string) (from, to bool, changed <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Contains(c.from, addr), slices.Contains(c.to, addr), c.changed
}

// dial is for [slipway.Config]. A connection needs both ways.
func (c *cuts) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	for held := false; ; held = true {
		from, to, changed := c.look(addr)
		if !from && !to {
			break
		}
		if !held {
			c.dials.Add(1)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	raw, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	conn := &cutConn{Conn: raw, cuts: c, addr: addr, done: make(chan struct{}), wake: make(chan struct{}, 1)}
	go conn.send()
	return conn, nil
}

// A cutConn is a connection that may be cut off.
type cutConn struct {
	net.Conn
	cuts *cuts
	addr string
	done chan struct{} // closed by Close
	once sync.Once
	wake chan struct{}

	mu       sync.Mutex
	queue    []byte // written, not sent
	closed   bool
	err      error
	deadline time.Time // of reads
}

// Write takes what is to be sent, as the kernel does.
func (c *cutConn) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return 0, net.ErrClosed
	}
	if c.err != nil {
		return 0, c.err
	}
	c.queue = append(c.queue, b...)
	c.nudge()
	return len(b), nil
}

func (c *cutConn) nudge() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// send sends what was written, in order, when it gets through, until that was
// all of a closed connection.
func (c *cutConn) send() {
	defer c.Conn.Close()
	counted := false
	for {
		c.mu.Lock()
		waiting, closed, failed := len(c.queue) > 0, c.closed, c.err
		c.mu.Unlock()
		_, to, changed := c.cuts.look(c.addr)
		switch {
		case failed != nil || closed && !waiting:
			return
		case !waiting:
			<-c.wake
		case to:
			if !counted {
				c.cuts.writes.Add(1)
			}
			counted = true
			<-changed
		default:
			counted = false
			c.flush()
		}
	}
}

func (c *cutConn) flush() {
	c.mu.Lock()
	b := c.queue
	c.queue = nil
	c.mu.Unlock()
	if _, err := c.Conn.Write(b); err != nil {
		c.mu.Lock()
		c.err = err
		c.mu.Unlock()
	}
}

// Read gives what has come, once that gets through.
func (c *cutConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	for held := false; n > 0; held = true {
		from, _, changed := c.cuts.look(c.addr)
		if !from {
			break
		}
		if !held {
			c.cuts.reads.Add(1)
		}
		select {
		case <-changed:
		case <-c.done:
			return 0, net.ErrClosed
		case <-c.timeout():
			c.Close() // its reader gives it up
			return 0, os.ErrDeadlineExceeded
		}
	}
	return n, err
}

// timeout fires at the read deadline; never without one.
func (c *cutConn) timeout() <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.deadline.IsZero() {
		return nil
	}
	return time.After(time.Until(c.deadline))
}

// SetReadDeadline implements [net.Conn].
func (c *cutConn) SetReadDeadline(at time.Time) error {
	c.mu.Lock()
	c.deadline = at
	c.mu.Unlock()
	return c.Conn.SetReadDeadline(at)
}

// SetDeadline implements [net.Conn]. Writes never wait.
func (c *cutConn) SetDeadline(at time.Time) error { return c.SetReadDeadline(at) }

// SetWriteDeadline implements [net.Conn].
func (c *cutConn) SetWriteDeadline(time.Time) error { return nil }

// Close lets go of the connection. What was written is on its way.
func (c *cutConn) Close() error {
	c.once.Do(func() {
		c.mu.Lock()
		c.closed = true
		c.nudge()
		c.mu.Unlock()
		close(c.done)
		_ = c.Conn.SetReadDeadline(time.Unix(1, 0)) // whoever reads is let go
	})
	return nil
}

// cutFor is longer than a session.
const cutFor = 10 * time.Second

// heldBack is what watchCuts says when nothing is cut off any more.
var heldBack = regexp.MustCompile(`cuts from=\[\] to=\[\] held_reads=(\d+) held_writes=(\d+) held_dials=(\d+)`)
