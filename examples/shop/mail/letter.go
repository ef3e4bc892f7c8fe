package mail

import (
	"bytes"
	"context"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strings"
	"time"

	"github.com/emersion/go-smtp"
)

// A Letter is one mail to one person.
type Letter struct {
	ID      string // the Message-ID without its brackets: the idempotency key
	From    string
	To      string
	Subject string
	Body    string
}

// message is the letter as RFC 5322 has it. What people filled in is encoded,
// so that it cannot add a header.
func (l Letter) message() ([]byte, error) {
	var b bytes.Buffer
	for _, h := range [][2]string{
		{"Message-ID", "<" + l.ID + ">"},
		{"Date", time.Now().UTC().Format(time.RFC1123Z)},
		{"From", (&mail.Address{Address: l.From}).String()},
		{"To", (&mail.Address{Address: l.To}).String()},
		{"Subject", mime.QEncoding.Encode("utf-8", l.Subject)},
		{"MIME-Version", "1.0"},
		{"Content-Type", "text/plain; charset=utf-8"},
		{"Content-Transfer-Encoding", "quoted-printable"},
	} {
		if strings.ContainsAny(h[1], "\r\n") {
			return nil, fmt.Errorf("write letter: %s has a line break", h[0])
		}
		fmt.Fprintf(&b, "%s: %s\r\n", h[0], h[1])
	}
	b.WriteString("\r\n")
	w := quotedprintable.NewWriter(&b)
	if _, err := w.Write([]byte(l.Body)); err != nil {
		return nil, err
	}
	return b.Bytes(), w.Close()
}

// A Dialer connects to a mail server.
type Dialer func(ctx context.Context) (net.Conn, error)

// To dials an address, as in 127.0.0.1:25.
func To(address string) Dialer {
	return func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", address)
	}
}

// A Sender sends letters, each over a connection of its own.
type Sender struct{ Dial Dialer }

// Send returns once the server has taken the letter. After an error it may have
// taken it nevertheless.
func (s Sender) Send(ctx context.Context, l Letter) error {
	text, err := l.message()
	if err != nil {
		return err
	}
	conn, err := s.Dial(ctx)
	if err != nil {
		return fmt.Errorf("send letter to %s: %w", l.To, err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })() // SMTP knows no contexts
	client := smtp.NewClient(conn)
	if err := client.SendMail(l.From, []string{l.To}, bytes.NewReader(text)); err != nil {
		return fmt.Errorf("send letter to %s: %w", l.To, err)
	}
	_ = client.Quit() // the letter is delivered, whatever the server says to this
	return nil
}
