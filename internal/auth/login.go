package auth

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl"
)

// errRefused reports that the cluster did not accept a password.
var errRefused = errors.New("login refused")

const (
	loginVersion  = 1 // of both requests: the newest without flexible fields
	maxLoginReply = 1 << 20
)

// login logs in on a fresh connection, as a client does before its first
// request. It returns errRefused if the broker says no, or hangs up instead of
// an answer, which is how some say it.
func login(ctx context.Context, conn net.Conn, mechanism sasl.Mechanism, host string) error {
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return err
		}
	}
	talk := exchange{conn: conn, format: kmsg.NewRequestFormatter(kmsg.FormatterClientID("slipway-login"))}
	hello := kmsg.NewPtrSASLHandshakeRequest()
	hello.Version, hello.Mechanism = loginVersion, mechanism.Name()
	welcome := hello.ResponseKind().(*kmsg.SASLHandshakeResponse)
	if err := talk.ask(hello, welcome); err != nil {
		return err
	}
	if err := kerr.ErrorForCode(welcome.ErrorCode); err != nil {
		return err
	}
	session, msg, err := mechanism.Authenticate(ctx, host)
	for done := false; err == nil && (!done || len(msg) > 0); {
		done, msg, err = talk.step(session, msg, done)
	}
	return err
}

// An exchange is requests and answers, one after the other.
type exchange struct {
	conn   net.Conn
	format *kmsg.RequestFormatter
	id     int32
}

// step sends one message of a login and acts on the answer.
func (x *exchange) step(session sasl.Session, msg []byte, done bool) (bool, []byte, error) {
	req := kmsg.NewPtrSASLAuthenticateRequest()
	req.Version, req.SASLAuthBytes = loginVersion, msg
	resp := req.ResponseKind().(*kmsg.SASLAuthenticateResponse)
	err := x.ask(req, resp)
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return done, nil, errRefused
	case err != nil:
		return done, nil, err
	}
	switch err := kerr.ErrorForCode(resp.ErrorCode); {
	case errors.Is(err, kerr.SaslAuthenticationFailed):
		return done, nil, errRefused
	case err != nil:
		return done, nil, err
	case done:
		return done, nil, nil
	}
	return session.Challenge(resp.SASLAuthBytes)
}

// ask sends a request and reads its answer.
func (x *exchange) ask(req kmsg.Request, resp kmsg.Response) error {
	x.id++
	if _, err := x.conn.Write(x.format.AppendRequest(nil, req, x.id)); err != nil {
		return err
	}
	var head [4]byte
	if _, err := io.ReadFull(x.conn, head[:]); err != nil {
		return err
	}
	size := binary.BigEndian.Uint32(head[:])
	if size < 4 || size > maxLoginReply {
		return fmt.Errorf("broker answers with %d bytes, want 4 to %d", size, maxLoginReply)
	}
	reply := make([]byte, size)
	if _, err := io.ReadFull(x.conn, reply); err != nil {
		return err
	}
	if got := int32(binary.BigEndian.Uint32(reply)); got != x.id {
		return fmt.Errorf("broker answers request %d, want %d", got, x.id)
	}
	return resp.ReadFrom(reply[4:])
}
