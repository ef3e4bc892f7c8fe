package auth_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/auth"
)

// A broker accepts one password, by SASL/PLAIN, and says no in its own way.
type broker struct {
	accepts string
	refuse  func(conn net.Conn, id []byte) // nil: with Kafka's code
	down    bool

	mu     sync.Mutex
	logins []string // the passwords that were tried
}

func (b *broker) dial(context.Context, string, string) (net.Conn, error) {
	if b.down {
		return nil, &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	}
	ours, theirs := net.Pipe()
	go b.serve(theirs)
	return ours, nil
}

func (b *broker) serve(conn net.Conn) {
	defer conn.Close()
	for {
		var size [4]byte
		if _, err := io.ReadFull(conn, size[:]); err != nil {
			return
		}
		req := make([]byte, binary.BigEndian.Uint32(size[:]))
		if _, err := io.ReadFull(conn, req); err != nil {
			return
		}
		id := req[4:8]
		if kmsg.Key(binary.BigEndian.Uint16(req)) == kmsg.SASLHandshake {
			answer(conn, id, []byte{0, 0, 0, 0, 0, 0})
			continue
		}
		password := string(req[bytes.LastIndexByte(req, 0)+1:])
		b.mu.Lock()
		b.logins = append(b.logins, password)
		b.mu.Unlock()
		switch {
		case password == b.accepts:
			answer(conn, id, []byte{0, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
		case b.refuse != nil:
			b.refuse(conn, id)
			return
		default:
			answer(conn, id, []byte{0, 58, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
			return
		}
	}
}

func answer(conn net.Conn, id, body []byte) {
	_, _ = conn.Write(slices.Concat(binary.BigEndian.AppendUint32(nil, uint32(4+len(body))), id, body))
}

func (b *broker) tried() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.logins)
}

// A holder is a keyring over files that the test writes.
type holder struct {
	*auth.Keyring
	t       *testing.T
	dir     string
	dial    auth.DialFunc
	log     *bytes.Buffer
	trouble []string
}

func hold(t *testing.T, b *broker, files map[string]string) *holder {
	t.Helper()
	h := &holder{t: t, dir: t.TempDir(), log: new(bytes.Buffer)}
	h.mount(files)
	ring, err := auth.NewKeyring(auth.KeyringConfig{
		File: filepath.Join(h.dir, "password"), Kind: contract.Plain, User: "svc-orders-prod",
		Logger: slog.New(slog.NewTextHandler(h.log, nil)), Trouble: func(problem string) { h.trouble = append(h.trouble, problem) },
	})
	if err != nil {
		t.Fatal(err)
	}
	h.Keyring, h.dial = ring, ring.Dialer(b.dial)
	return h
}

func (h *holder) mount(files map[string]string) {
	h.t.Helper()
	for _, name := range []string{"password", "password.next"} {
		_ = os.Remove(filepath.Join(h.dir, name))
		if text, ok := files[name]; ok {
			if err := os.WriteFile(filepath.Join(h.dir, name), []byte(text), 0o600); err != nil {
				h.t.Fatal(err)
			}
		}
	}
}

// connect opens a connection and logs in as a client does. It returns the
// password that the client used.
func (h *holder) connect(b *broker) (string, error) {
	h.t.Helper()
	conn, err := h.dial(h.t.Context(), "tcp", "kafka:9094")
	if err != nil {
		return "", err
	}
	defer conn.Close()
	p, err := h.Password(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	if p.Reveal() != b.accepts {
		err = kerr.SaslAuthenticationFailed
	}
	h.OnBrokerConnect(kgo.BrokerMetadata{}, 0, conn, err)
	return p.Reveal(), err
}

// However a broker says no, the other password is tried before a client has to
// know.
func TestARefusedPasswordIsPassedOverHoweverTheBrokerSaysSo(t *testing.T) {
	t.Parallel()
	for name, refuse := range map[string]func(net.Conn, []byte){
		"by Kafka's code":   nil,
		"by hanging up":     func(net.Conn, []byte) {},
		"by half an answer": func(conn net.Conn, _ []byte) { _, _ = conn.Write([]byte{0, 0, 0, 20, 0}) },
		"by half a length":  func(conn net.Conn, _ []byte) { _, _ = conn.Write([]byte{0, 0}) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &broker{accepts: "old", refuse: refuse}
			h := hold(t, b, map[string]string{"password": "old\n", "password.next": "new\r\n"})
			for step, want := range []struct{ accepts, using string }{{"old", auth.Current}, {"new", auth.Next}, {"new", auth.Next}, {"old", auth.Current}} {
				b.accepts = want.accepts
				if used, err := h.connect(b); err != nil || used != want.accepts {
					t.Errorf("step %d: logged in with %q, %v, want %q", step, used, err, want.accepts)
				}
				if s := h.Status(); s.Using != want.using || !slices.Equal(s.Mounted, []string{auth.Current, auth.Next}) {
					t.Errorf("step %d: %+v, want %s with both mounted", step, s, want.using)
				}
			}
			if s := h.Status(); s.Refused != 2 || len(h.trouble) != 0 {
				t.Errorf("%d refused, trouble %q, want 2 and none", s.Refused, h.trouble)
			}
		})
	}
}

func TestOnePasswordCostsOneLogin(t *testing.T) {
	t.Parallel()
	b := &broker{accepts: "old"}
	h := hold(t, b, map[string]string{"password": "old", "password.next": "old"})
	for range 3 {
		if _, err := h.connect(b); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(b.tried()); n != 0 {
		t.Errorf("%d logins were made to find out which password to use, want none where there is one", n)
	}
}

// A password that nobody accepts is tried once for each rest, whatever the
// number of connections that want to, and at once when the file changes.
func TestARefusedPasswordIsTriedOnceForEachRest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &broker{accepts: "another"}
		h := hold(t, b, map[string]string{"password": "wrong"})
		tried := 0
		for range 600 { // ten a second
			if used, err := h.connect(b); used != "" {
				tried++
			} else if !errors.Is(err, diag.KafkaLogin) {
				t.Fatalf("Dial = %v, want %s", err, diag.KafkaLogin)
			}
			<-time.After(100 * time.Millisecond)
		}
		if tried < 5 || tried > 10 {
			t.Errorf("%d logins in a minute, want 5 to 10", tried)
		}
		if !slices.Equal(h.trouble, []string{"refused for svc-orders-prod"}) {
			t.Errorf("told %q, want the refusal once", h.trouble)
		}
		h.mount(map[string]string{"password": "another"})
		if _, err := h.connect(b); err != nil {
			t.Errorf("the first login after the file changed: %v", err)
		}
		if s := h.Status(); s.Using != auth.Current || h.trouble[len(h.trouble)-1] != "" {
			t.Errorf("%+v, trouble %q, want all well", s, h.trouble)
		}
	})
}

func TestAClusterThatIsAwayRefusesNobody(t *testing.T) {
	t.Parallel()
	b := &broker{accepts: "old", down: true}
	h := hold(t, b, map[string]string{"password": "old", "password.next": "new"})
	for range 5 {
		if _, err := h.connect(b); err == nil || errors.Is(err, diag.KafkaLogin) {
			t.Errorf("Dial = %v, want the trouble of the network", err)
		}
	}
	b.down = false
	if used, err := h.connect(b); used != "old" || err != nil {
		t.Errorf("logged in with %q, %v, want old at once", used, err)
	}
}

func TestThePasswordThatWorksIsKeptAndItsLossIsTold(t *testing.T) {
	t.Parallel()
	b := &broker{accepts: "old"}
	h := hold(t, b, map[string]string{"password": "old"})
	if _, err := h.connect(b); err != nil {
		t.Fatal(err)
	}
	h.mount(map[string]string{"password": "ol"})
	if used, err := h.connect(b); used != "old" || err != nil {
		t.Errorf("logged in with %q, %v, want the one that works", used, err)
	}
	if s := h.Status(); s.Using != auth.Former || s.Refused != 0 || !strings.Contains(h.log.String(), string(diag.RuntimeCredentialFormer)) {
		t.Errorf("%+v, log %q, want it told that no file holds the password", s, h.log)
	}
	h.mount(nil)
	if used, err := h.connect(b); used != "old" || err != nil {
		t.Errorf("logged in with %q, %v, want the one that works", used, err)
	}
	if s := h.Status(); s.Unread != 1 || len(s.Mounted) != 0 || !strings.Contains(h.log.String(), string(diag.RuntimeCredentialUnread)) {
		t.Errorf("%+v, log %q, want it told that the file is gone", s, h.log)
	}
	if strings.Contains(h.log.String(), "password=old") || strings.Contains(fmt.Sprintf("%+v", h.Status()), "old") {
		t.Error("the password is shown")
	}
}

func TestAKeyringWithoutAPasswordIsRefused(t *testing.T) {
	t.Parallel()
	_, err := auth.NewKeyring(auth.KeyringConfig{File: filepath.Join(t.TempDir(), "password"), Kind: contract.Plain, User: "u", Logger: slog.Default()})
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("NewKeyring() = %v, want that there is no file", err)
	}
}

// FuzzBrokersAnswer holds that whatever a broker answers while it is found out
// which password it accepts, the client goes on with one of the two.
func FuzzBrokersAnswer(f *testing.F) {
	f.Add([]byte{0, 0, 0, 10, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff})
	f.Add([]byte{0, 0, 0, 2, 0, 0})
	f.Add([]byte{0, 0, 0, 4, 0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, said []byte) {
		dial := func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			go func() {
				defer theirs.Close()
				go func() { _, _ = io.Copy(io.Discard, theirs) }()
				_, _ = theirs.Write(said)
			}()
			return ours, nil
		}
		h := hold(t, &broker{}, map[string]string{"password": "old", "password.next": "new"})
		conn, err := h.Dialer(dial)(t.Context(), "tcp", "kafka:9094")
		if err != nil {
			if !errors.Is(err, diag.KafkaLogin) {
				t.Fatalf("Dial = %v", err)
			}
			return
		}
		defer conn.Close()
		if p, err := h.Password(t.Context()); err != nil || p.Reveal() != "old" && p.Reveal() != "new" {
			t.Errorf("Password() = %v", err)
		}
	})
}
