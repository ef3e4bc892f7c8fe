package notice_test

import (
	"context"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/slipway-go/slipway/slipwaytest"

	"example.com/shop/mail"
	"example.com/shop/notifications/notice"
)

// A post is a mail server, and the way to it.
type post struct {
	*mail.Sink
	pipe *mail.Pipe
	deaf atomic.Bool // its answers get lost
}

// dial is a [mail.Dialer].
func (p *post) dial(ctx context.Context) (net.Conn, error) {
	conn, err := p.pipe.Dial(ctx)
	if err == nil && p.deaf.Load() {
		return &lossy{Conn: conn}, nil
	}
	return conn, err
}

// lossy is a connection that breaks when the letter has been taken.
type lossy struct {
	net.Conn
	data bool
}

// Read implements [net.Conn].
func (l *lossy) Read(b []byte) (int, error) {
	n, err := l.Conn.Read(b)
	text := string(b[:n])
	if l.data && strings.HasPrefix(text, "250") {
		l.Conn.Close()
		return 0, net.ErrClosed
	}
	l.data = l.data || strings.HasPrefix(text, "354") // go ahead
	return n, err
}

func run(t *testing.T, test func(t *testing.T, k *slipwaytest.Kit, p *post)) {
	t.Helper()
	p := new(post)
	ways := func(ctx context.Context) (net.Conn, error) { return p.dial(ctx) }
	slipwaytest.Run(t, os.DirFS(".."), notice.WireTo(ways), func(t *testing.T, k *slipwaytest.Kit) {
		p.Sink, p.pipe = mail.NewSink(), mail.NewPipe()
		served := make(chan error, 1)
		go func() { served <- p.Serve(p.pipe) }()
		test(t, k, p)
		k.Stop("notifications")
		p.pipe.Close()
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
}

var ann = notice.UserCreated{UserID: "u-1", Email: "ann@example.com", Name: "Ann Öhler"}

func require(t *testing.T, p *post, subjects ...string) {
	t.Helper()
	all := p.Letters(ann.Email)
	if len(all) != len(subjects) {
		t.Fatalf("letters are %+v, want %d", all, len(subjects))
	}
	for i, l := range all {
		if !strings.Contains(l.Subject, subjects[i]) || !strings.Contains(l.Body, "Ann Öhler") || l.Times != 1 {
			t.Errorf("letter %d is %+v, want one with %q", i+1, l, subjects[i])
		}
	}
}

func TestAnOrderThatComesBeforeItsUserWaits(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, k *slipwaytest.Kit, p *post) {
		order := notice.OrderClosed{OrderID: "o-1", UserID: "u-1", State: "CONFIRMED", SKU: "lamp", Quantity: 2, Amount: 2500, Currency: "EUR"}
		k.Send("orders.closed.v1", order)
		guest := order
		guest.OrderID, guest.UserID = "o-2", ""
		k.Send("orders.closed.v1", guest)
		k.Advance(2 * time.Second)
		require(t, p)
		k.Send("users.created.v1", ann)
		k.Advance(time.Minute)
		require(t, p, "Welcome", "o-1 is confirmed")
		if body := p.Letters("")[1].Body; !strings.Contains(body, "2 lamp over 25.00 EUR") {
			t.Errorf("the letter says %q, want what was bought", body)
		}
	})
}

func TestAMailIsSentOnceAndAgainWhereItIsInDoubt(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, k *slipwaytest.Kit, p *post) {
		p.Refuse(true)
		k.Send("users.created.v1", ann, slipwaytest.ID("e1"))
		k.Advance(10 * time.Second)
		if n := len(p.Letters("")); n != 0 {
			t.Fatalf("%d letters were taken by a server that refuses all", n)
		}
		p.Refuse(false)
		k.Advance(time.Minute)
		k.Send("users.created.v1", ann, slipwaytest.ID("e1")) // again
		k.Send("users.created.v1", ann, slipwaytest.ID("e2")) // and under another id
		k.Advance(time.Minute)
		require(t, p, "Welcome")

		p.deaf.Store(true)
		bob := notice.UserCreated{UserID: "u-2", Email: "bob@example.com", Name: "Bob"}
		k.Send("users.created.v1", bob)
		k.Advance(500 * time.Millisecond) // taken, and nobody heard of it
		p.deaf.Store(false)
		k.Advance(time.Minute)
		all := p.Letters(bob.Email)
		if len(all) != 1 || all[0].Times < 2 {
			t.Errorf("letters are %+v, want one Message-ID that came again", all)
		}
		k.RequireDeadLettered("notifications", "users.created.v1", 0)
	})
}
