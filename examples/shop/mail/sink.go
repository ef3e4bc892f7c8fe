package mail

import (
	"errors"
	"io"
	"log/slog"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

// Kept is how many letters a sink remembers; older ones are forgotten.
const Kept = 1000

// largest is the longest letter that a sink takes.
const largest = 64 << 10

// A Received is a letter that a sink was given, once or several times.
type Received struct {
	ID      string `json:"message_id"`
	To      string `json:"to"`
	Subject string `json:"subject"`
	Body    string `json:"body"`
	Times   int    `json:"times"` // how often it came
}

// A Sink is a mail server that delivers nothing.
type Sink struct {
	server *smtp.Server

	mu      sync.Mutex
	letters []*Received // in the order in which they came first
	down    bool
}

// NewSink returns a sink that does not listen yet.
func NewSink() *Sink {
	s := new(Sink)
	s.server = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &session{sink: s}, nil }))
	s.server.Domain = "localhost"
	s.server.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError) // of connections that end without QUIT

	s.server.MaxMessageBytes = largest
	s.server.MaxRecipients = 1
	s.server.ReadTimeout = 10 * time.Second
	s.server.WriteTimeout = 10 * time.Second
	return s
}

// Serve takes letters until the sink is closed.
func (s *Sink) Serve(l net.Listener) error {
	if err := s.server.Serve(l); !errors.Is(err, smtp.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// Close ends Serve.
func (s *Sink) Close() error {
	if err := s.server.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// Refuse lets the sink refuse every letter, or take letters again: a mail
// server that is out of order.
func (s *Sink) Refuse(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

// Letters are those to an address, in the order in which they came; to "" all.
func (s *Sink) Letters(to string) []Received {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := []Received{}
	for _, l := range s.letters {
		if to == "" || strings.EqualFold(to, l.To) {
			all = append(all, *l)
		}
	}
	return all
}

func (s *Sink) keep(r Received) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "out of order, try again"}
	}
	if i := slices.IndexFunc(s.letters, func(l *Received) bool { return l.ID == r.ID }); i >= 0 {
		s.letters[i].Times++
		return nil
	}
	if len(s.letters) == Kept {
		s.letters = slices.Delete(s.letters, 0, 1)
	}
	r.Times = 1
	s.letters = append(s.letters, &r)
	return nil
}

// A session takes the letters of one connection.
type session struct {
	sink *Sink
	to   string
}

// Mail implements [smtp.Session].
func (s *session) Mail(string, *smtp.MailOptions) error { return nil }

// Rcpt implements [smtp.Session].
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error { s.to = to; return nil }

// Data implements [smtp.Session].
func (s *session) Data(r io.Reader) error {
	m, err := mail.ReadMessage(r)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if err != nil {
		return err
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		return err
	}
	id := strings.Trim(m.Header.Get("Message-ID"), "<>")
	return s.sink.keep(Received{ID: id, To: s.to, Subject: subject, Body: string(body)})
}

// Reset implements [smtp.Session].
func (s *session) Reset() { s.to = "" }

// Logout implements [smtp.Session].
func (s *session) Logout() error { return nil }
