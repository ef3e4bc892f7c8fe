package secure

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net"
	"sync"
	"time"

	"github.com/slipway-go/slipway/diag"
)

const (
	handshakeTimeout  = 10 * time.Second
	maxHandshakes     = 512 // at a time; who comes then waits in the system's queue
	toldPerSecond     = 5   // refused handshakes in the log
	acceptRetry       = 100 * time.Millisecond
	maxCause          = 400 // characters
	lingerTimeout     = 500 * time.Millisecond
	maxLinger         = 64 << 10
	waitingConnection = 16 // with their handshake done, before somebody accepts them
)

// A Listener accepts TLS connections whose handshake is over: nobody gets to
// hold a connection whose client has not been verified, not even for reading its
// first byte. It tells of the handshakes that it refuses.
//
// Handshakes run beside each other and for ten seconds at most, so that a client
// that is slow, or means to be, keeps nobody waiting.
type Listener struct {
	inner net.Listener
	cfg   *tls.Config
	log   *slog.Logger

	ready  chan *tls.Conn
	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu     sync.Mutex
	counts map[diag.Code]int
	second time.Time // when the second began in which told refusals were logged
	told   int
	untold int
}

var _ net.Listener = (*Listener)(nil)

// Listen accepts TLS connections from a listener, which it owns from then on, by
// the configuration that [Server] or [PublicServer] made. Refused handshakes are
// logged: code, cause, address and subject, at most five in a second and the
// number of those left out. What a handshake broke off by itself is counted and
// told at debug level only: every port check is one.
func Listen(inner net.Listener, cfg *tls.Config, log *slog.Logger) *Listener {
	ctx, cancel := context.WithCancel(context.Background())
	l := &Listener{
		inner: inner, cfg: cfg, log: log, ctx: ctx, cancel: cancel,
		ready: make(chan *tls.Conn, waitingConnection), counts: make(map[diag.Code]int),
	}
	l.wg.Go(l.accept)
	return l
}

// Accept waits for the next connection whose handshake has succeeded; it is a
// *tls.Conn. After [Listener.Close] the error is [net.ErrClosed].
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.ready:
		return conn, nil
	case <-l.ctx.Done():
		return nil, &net.OpError{Op: "accept", Net: l.Addr().Network(), Addr: l.Addr(), Err: net.ErrClosed}
	}
}

// Addr is where the listener listens.
func (l *Listener) Addr() net.Addr { return l.inner.Addr() }

// Close ends the listening and every handshake that is under way, and waits for
// them. Connections that were accepted stay.
func (l *Listener) Close() error {
	l.cancel()
	err := l.inner.Close()
	l.wg.Wait()
	for {
		select {
		case conn := <-l.ready:
			_ = conn.Close()
		default:
			return err
		}
	}
}

// Refused counts the handshakes that failed, by their codes. The caller owns the
// map.
func (l *Listener) Refused() map[diag.Code]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.counts)
}

func (l *Listener) accept() {
	places := make(chan struct{}, maxHandshakes)
	for {
		select {
		case places <- struct{}{}:
		case <-l.ctx.Done():
			return
		}
		raw, err := l.inner.Accept()
		if err == nil {
			l.wg.Go(func() {
				defer func() { <-places }()
				l.shake(raw)
			})
			continue
		}
		<-places
		if l.ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
			l.cancel()
			return
		}
		l.log.Warn("accept a connection", "address", l.Addr().String(), "error", err.Error())
		select { // no file descriptor is free, for instance
		case <-time.After(acceptRetry):
		case <-l.ctx.Done():
		}
	}
}

// shake hands over a connection, or tells why not.
func (l *Listener) shake(raw net.Conn) {
	ctx, cancel := context.WithTimeout(l.ctx, handshakeTimeout)
	defer cancel()
	w := &watched{Conn: raw}
	conn := tls.Server(w, l.cfg)
	if err := conn.HandshakeContext(ctx); err != nil {
		if l.ctx.Err() == nil {
			l.refuse(w, conn.ConnectionState(), err)
			linger(raw)
		}
		raw.Close()
		return
	}
	w.hello, w.roots = nil, nil // of no more use
	select {
	case l.ready <- conn:
	case <-l.ctx.Done():
		raw.Close()
	}
}

// refuse counts a handshake that failed, and logs it unless that was done often
// enough in this second.
func (l *Listener) refuse(w *watched, state tls.ConnectionState, err error) {
	peer := slog.String("peer", diag.Escape(w.RemoteAddr().String()))
	if _, ours := errors.AsType[*sourceError](err); ours {
		l.log.Error("cannot answer to TLS", peer, slog.String("error", bounded(err.Error(), maxCause)))
		return
	}
	d := Classify(err, Handshake{Hello: w.hello, State: state, Roots: w.roots})
	attrs := []any{peer, slog.String("code", string(d.Code)), slog.String("cause", bounded(d.Message, maxCause))}
	if d.Code == diag.TLSBroken {
		l.count(d.Code, false)
		l.log.Debug("a TLS handshake broke off", append(attrs, slog.String("error", bounded(err.Error(), maxCause)))...)
		return
	}
	tell, untold := l.count(d.Code, true)
	if untold > 0 {
		attrs = append(attrs, slog.Int("untold", untold))
	}
	if tell {
		l.log.Warn("refused a TLS handshake", attrs...)
	}
}

// count counts a refusal. Of one that is to be told it says whether it may be,
// and how many were not since one was.
func (l *Listener) count(code diag.Code, loud bool) (tell bool, untold int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts[code]++
	now := time.Now()
	if now.Sub(l.second) >= time.Second {
		l.second, l.told = now, 0
	}
	switch {
	case !loud:
		return false, 0
	case l.told == toldPerSecond:
		l.untold++
		return false, 0
	}
	l.told++
	untold, l.untold = l.untold, 0
	return true, untold
}

// linger reads on for a moment what the client sent on top of its handshake. To
// close with that unread would reset the connection, and the client might lose
// the alert that says why it was refused.
func linger(raw net.Conn) {
	half, ok := raw.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil || raw.SetReadDeadline(time.Now().Add(lingerTimeout)) != nil {
		return
	}
	_, _ = io.CopyN(io.Discard, raw, maxLinger)
}

// watched remembers what a handshake was about, for the case that it fails. It
// is written by the handshake and read after it.
type watched struct {
	net.Conn
	hello *tls.ClientHelloInfo
	roots *x509.CertPool
}
