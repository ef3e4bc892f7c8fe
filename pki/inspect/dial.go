package inspect

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"

	"github.com/slipway-go/slipway/diag"
)

func (l *look) dial(ctx context.Context) (net.Conn, error) {
	end := l.deadline(ctx)
	conn, err := (&net.Dialer{Deadline: end}).DialContext(ctx, "tcp", l.address)
	if err != nil {
		return nil, l.unreached(ctx, err)
	}
	return conn, conn.SetDeadline(end)
}

// unreached tells why there is no connection.
func (l *look) unreached(ctx context.Context, err error) error {
	dns, ofNames := errors.AsType[*net.DNSError](err)
	_, ofAddress := errors.AsType[*net.AddrError](err)
	switch {
	case givenUp(ctx):
		return context.Cause(ctx)
	case ofNames && dns.IsTimeout:
		return diag.New(diag.InspectName, "the name service does not say in time where %s is", dns.Name)
	case ofNames:
		return diag.New(diag.InspectName, "%s does not resolve: %s", dns.Name, dns.Err)
	case ofAddress:
		return diag.New(diag.InspectName, "%s cannot be connected to: %v", l.address, err)
	case late(err):
		return diag.New(diag.InspectTimeout, "%s does not take the connection within %s", l.address, Span(l.Timeout))
	case errors.Is(err, syscall.ECONNREFUSED):
		return diag.New(diag.InspectClosed, "nothing listens at %s: the connection is refused", l.address)
	}
	return diag.New(diag.InspectClosed, "%s cannot be reached: %v", l.address, cause(err))
}

// givenUp reports whether somebody ended the context, other than its time.
func givenUp(ctx context.Context) bool {
	return ctx.Err() != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded)
}

// cause is an error without the operation and the addresses around it.
func cause(err error) error {
	if sys, ok := errors.AsType[*os.SyscallError](err); ok {
		return sys.Err
	}
	return err
}

func late(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return errors.Is(err, context.DeadlineExceeded) || ok && timeout.Timeout()
}

func wasReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrUnexpectedEOF)
}

// alertOf is the alert that ended a handshake, in the words of crypto/tls.
func alertOf(err error) string {
	if err == nil {
		return ""
	}
	_, alert, _ := strings.Cut(err.Error(), "remote error: tls: ")
	return alert
}

// oursToRefuse reports whether it was this side that ended the handshake.
func oursToRefuse(err error) bool {
	_, other := errors.AsType[tls.RecordHeaderError](err)
	return !other && strings.HasPrefix(err.Error(), "tls: ")
}

// A recorder keeps the first bytes that the other side sent.
type recorder struct {
	net.Conn
	first []byte
}

func (r *recorder) Read(b []byte) (int, error) {
	n, err := r.Conn.Read(b)
	if room := 64 - len(r.first); room > 0 {
		r.first = append(r.first, b[:min(n, room)]...)
	}
	return n, err
}

// unspoken tells of a listener that sent no TLS.
func (l *look) unspoken(ctx context.Context, err error, first []byte) error {
	text := string(first)
	switch {
	case len(first) == 0 && late(err):
		return diag.New(diag.InspectTimeout, "%s takes the connection and says nothing within %s", l.address, Span(l.Timeout))
	case late(err):
		return diag.New(diag.InspectTimeout, "%s begins to speak and does not go on within %s", l.address, Span(l.Timeout)).WithEvidence("it sent %q", text)
	case strings.HasPrefix(text, "HTTP/"):
		return diag.New(diag.InspectPlain, "%s speaks HTTP without TLS", l.address).WithEvidence("it sent %q", text)
	case strings.HasPrefix(text, "SSH-"):
		return diag.New(diag.InspectPlain, "%s speaks SSH", l.address).WithEvidence("it sent %q", text)
	case len(first) > 0 && l.plainKafka(ctx):
		return l.plaintext()
	case len(first) > 0:
		return diag.New(diag.InspectPlain, "%s speaks something that is not TLS", l.address).WithEvidence("it sent %q", text)
	}
	return diag.New(diag.InspectHandshake, "%s breaks off the handshake: %v", l.address, cause(err))
}

func (l *look) plaintext() error {
	return diag.New(diag.InspectPlain, "%s is a Kafka listener without TLS (PLAINTEXT or SASL_PLAINTEXT)", l.address)
}

// plainKafka asks on a new connection whether a broker answers without TLS.
func (l *look) plainKafka(ctx context.Context) bool {
	conn, err := l.dial(ctx)
	if err != nil {
		return false
	}
	defer conn.Close()
	spoken, err := askKafka(conn)
	return err == nil && spoken
}
