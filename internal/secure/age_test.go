package secure_test

import (
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/internal/secure"
)

func TestAConnectionEndsBeforeItsCertificates(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	born := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		at    time.Duration // when it is made, since the certificate's birth
		lives []time.Duration
		quiet time.Duration // since the birth, without chance
		hold  time.Duration
		last  time.Duration
	}{
		"made at once":                {0, []time.Duration{30 * day}, 21 * day, 23*day + 6*time.Hour, 24 * day},
		"the earlier of two counts":   {0, []time.Duration{90 * day, 30 * day}, 21 * day, 23*day + 6*time.Hour, 24 * day},
		"made in the middle":          {16 * day, []time.Duration{30 * day}, 23 * day, 23*day + 18*time.Hour, 24 * day},
		"made late: nobody renews":    {22 * day, []time.Duration{30 * day}, 22*day + 134*time.Hour + 24*time.Minute, 22*day + 148*time.Hour + 48*time.Minute, 22*day + 153*time.Hour + 36*time.Minute},
		"a minute":                    {0, []time.Duration{time.Minute}, 38 * time.Second, 45500 * time.Millisecond, 48 * time.Second},
		"a minute, late":              {50 * time.Second, []time.Duration{time.Minute}, 54 * time.Second, 57 * time.Second, 58 * time.Second},
		"the very end":                {time.Minute - 100*time.Millisecond, []time.Duration{time.Minute}, time.Minute + 400*time.Millisecond, time.Minute + 775*time.Millisecond, time.Minute + 900*time.Millisecond},
		"over, and a server takes it": {2 * time.Minute, []time.Duration{time.Minute}, 2*time.Minute + 500*time.Millisecond, 2*time.Minute + 875*time.Millisecond, 2*time.Minute + time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var lives [][2]time.Time
			for _, l := range tt.lives {
				lives = append(lives, [2]time.Time{born, born.Add(l)})
			}
			now := born.Add(tt.at)
			quiet, hold, last := secure.Plan(now, 0, lives...)
			got := []time.Duration{quiet.Sub(born), hold.Sub(born), last.Sub(born)}
			if diff := cmp.Diff([]time.Duration{tt.quiet, tt.hold, tt.last}, got); diff != "" {
				t.Errorf("the plan (-want +got):\n%s", diff)
			}
			latest, _, _ := secure.Plan(now, 1, lives...)
			if !latest.After(quiet) || !latest.Before(hold) {
				t.Errorf("with all of chance it ends from %v on, want between %v and %v", latest, quiet, hold)
			}
		})
	}
}

// Connections that are made while nobody renews a certificate become shorter, but
// not so many that it is a loop.
func TestACertificateThatNobodyRenewsMakesNoStorm(t *testing.T) {
	t.Parallel()
	born := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	end := born.Add(30 * 24 * time.Hour)
	made := 0
	for now := born; now.Before(end); made++ {
		_, _, now = secure.Plan(now, 0, [2]time.Time{born, end})
	}
	if made > 12 {
		t.Errorf("%d connections were made in a certificate's life, want at most 12", made)
	}
}

// A wire is an aging connection to a broker that answers each request after a time.
type wire struct {
	t     *testing.T
	ages  secure.Ages
	conn  net.Conn
	heard chan []byte // the requests that arrived
}

// newWire makes a connection whose stages begin after 10, 15 and 20 s. The broker
// answers requests in order; nil means never.
func newWire(t *testing.T, answer func() time.Duration) *wire {
	near, far := net.Pipe()
	now := time.Now()
	w := &wire{t: t, heard: make(chan []byte, 10_000)}
	w.conn = w.ages.Age(near, now.Add(10*time.Second), now.Add(15*time.Second), now.Add(20*time.Second))
	t.Cleanup(func() { // the broker hangs up
		w.conn.Close()
		<-time.After(2 * time.Minute)
	})
	due := make(chan time.Time, 10_000)
	go func() {
		defer close(w.heard)
		defer close(due)
		for {
			b, err := readFrame(far)
			if err != nil {
				return
			}
			w.heard <- b
			if answer != nil {
				due <- time.Now().Add(answer())
			}
		}
	}()
	go func() {
		defer far.Close()
		for at := range due {
			<-time.After(time.Until(at))
			if _, err := far.Write(frame([]byte("answer"))); err != nil {
				return
			}
		}
	}()
	return w
}

func frame(body []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...)
}

func readFrame(r io.Reader) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	b := make([]byte, binary.BigEndian.Uint32(head[:]))
	_, err := io.ReadFull(r, b)
	return b, err
}

// ask sends one request and reads its answer.
func (w *wire) ask() error {
	if _, err := w.conn.Write(frame([]byte("request"))); err != nil {
		return err
	}
	_, err := readFrame(w.conn)
	return err
}

func (w *wire) want(open, ended, cut int64) {
	w.t.Helper()
	if diff := cmp.Diff([3]int64{open, ended, cut}, w.ages.Counts()); diff != "" {
		w.t.Errorf("open, ended, cut (-want +got):\n%s", diff)
	}
}

// refuses checks that nothing can be written any more, and that the client is told
// so in a way that it opens another connection.
func (w *wire) refuses() {
	w.t.Helper()
	n, err := w.conn.Write(frame([]byte("late")))
	if n != 0 || !errors.Is(err, net.ErrClosed) {
		w.t.Errorf("Write() = %d, %v, want nothing written and net.ErrClosed", n, err)
	}
}

func TestAQuietConnectionEndsInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t, func() time.Duration { return 0 })
		if err := w.ask(); err != nil {
			t.Fatal(err)
		}
		<-time.After(10*time.Second - time.Millisecond)
		w.want(1, 0, 0)
		<-time.After(time.Millisecond)
		synctest.Wait()
		w.want(0, 1, 0)
		w.refuses()
	})
}

func TestABusyConnectionEndsBetweenTwoRequests(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t, func() time.Duration { return 700 * time.Millisecond })
		began, asked := time.Now(), 0
		for {
			n, err := w.conn.Write(frame([]byte("request")))
			if err != nil {
				if n != 0 || !errors.Is(err, net.ErrClosed) {
					t.Errorf("Write() = %d, %v", n, err)
				}
				break
			}
			asked++
			if _, err := readFrame(w.conn); err != nil {
				t.Fatalf("request %d was not answered: %v", asked, err)
			}
		}
		if took := time.Since(began); took < 10*time.Second || took > 11*time.Second {
			t.Errorf("it ended after %v, want 10 s and one request", took)
		}
		w.want(0, 1, 0)
	})
}

// pipelined sends requests without waiting for answers, and returns how many were
// sent and answered until the connection ended.
func (w *wire) pipelined(every time.Duration) (sent, answered int) {
	var reader sync.WaitGroup
	reader.Go(func() {
		for {
			if _, err := readFrame(w.conn); err != nil {
				return
			}
			answered++
		}
	})
	for {
		if n, err := w.conn.Write(frame([]byte("request"))); err != nil {
			if n != 0 || !errors.Is(err, net.ErrClosed) {
				w.t.Errorf("Write() = %d, %v", n, err)
			}
			break
		}
		sent++
		<-time.After(every)
	}
	reader.Wait()
	return sent, answered
}

func TestAConnectionThatIsNeverQuietIsHeldBackAndEndsBetweenTwoRequests(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t, func() time.Duration { return 500 * time.Millisecond })
		began := time.Now()
		sent, answered := w.pipelined(100 * time.Millisecond)
		if sent < 140 || sent != answered {
			t.Errorf("%d sent, %d answered, want all of 140 and more", sent, answered)
		}
		if took := time.Since(began); took < 15*time.Second || took > 16*time.Second {
			t.Errorf("it ended after %v, want 15 s and what was open", took)
		}
		w.want(0, 1, 0)
	})
}

func TestARequestIsNotHeldBackForLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t, func() time.Duration { return 4 * time.Second })
		go io.Copy(io.Discard, w.conn)
		longest := time.Duration(0)
		for {
			began := time.Now()
			if _, err := w.conn.Write(frame([]byte("request"))); err != nil {
				break
			}
			longest = max(longest, time.Since(began))
			<-time.After(100 * time.Millisecond)
		}
		if longest == 0 || longest > 2*time.Second {
			t.Errorf("a request was held back for %v, want something and at most 2 s", longest)
		}
		w.want(0, 0, 1) // it never got quiet
	})
}

func TestTheBoundForWritingHoldsForWhatIsHeldBack(t *testing.T) {
	t.Parallel()
	for name, bound := range map[string]func(net.Conn){
		"before": func(c net.Conn) { _ = c.SetWriteDeadline(time.Now().Add(50 * time.Millisecond)) },
		"meanwhile": func(c net.Conn) {
			time.AfterFunc(50*time.Millisecond, func() { _ = c.SetDeadline(time.Now()) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWire(t, func() time.Duration { return time.Minute })
				if _, err := w.conn.Write(frame([]byte("request"))); err != nil {
					t.Fatal(err)
				}
				<-time.After(15 * time.Second)
				synctest.Wait()
				bound(w.conn)
				began := time.Now()
				n, err := w.conn.Write(frame([]byte("request")))
				if n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != 50*time.Millisecond {
					t.Errorf("Write() = %d, %v after %v", n, err, time.Since(began))
				}
			})
		})
	}
}

func TestARequestThatNobodyAnswersIsCutAtTheVeryEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t, nil)
		began := time.Now()
		if err := w.ask(); err == nil || time.Since(began) != 20*time.Second {
			t.Errorf("after %v: %v, want it cut after 20 s", time.Since(began), err)
		}
		w.want(0, 0, 1)
	})
}

func TestWhatIsCutOffInTheMiddleOfAFrameWaitsForItsRest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t, func() time.Duration { return 0 })
		request := frame([]byte("request"))
		<-time.After(9 * time.Second)
		if _, err := w.conn.Write(request[:6]); err != nil {
			t.Fatal(err)
		}
		<-time.After(3 * time.Second) // it is to end by now
		if _, err := w.conn.Write(request[6:]); err != nil {
			t.Fatalf("the rest of a request: %v", err)
		}
		if b, err := readFrame(w.conn); err != nil || string(b) != "answer" {
			t.Errorf("the answer is %q, %v", b, err)
		}
		synctest.Wait()
		w.want(0, 1, 0)
	})
}

// A producer that wants no acknowledgement is never answered. What it has sent
// arrives all the same when the connection ends.
func TestRecordsThatNobodyAcknowledgesArriveAndKeepNothingOpen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t, nil)
		request := frame(produce(t, 9, 0))
		sent := 0
		for ; ; sent++ {
			if _, err := w.conn.Write(request); err != nil {
				break
			}
			<-time.After(100 * time.Millisecond)
		}
		w.conn.Close() // as a client does whose write has failed
		arrived := 0
		for range w.heard {
			arrived++
		}
		if sent < 90 || arrived != sent {
			t.Errorf("%d sent, %d arrived, want all of 90 and more", sent, arrived)
		}
		w.want(0, 1, 0)
	})
}

func TestAClientThatClosesIsObeyed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t, func() time.Duration { return 0 })
		if err := w.ask(); err != nil {
			t.Fatal(err)
		}
		if err := w.conn.Close(); err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Minute)
		w.want(0, 0, 0)
	})
}

// The same over TCP and TLS, where a connection that is closed with something unread
// in it loses what was sent last: some brokers answer what asks for no answer.
func TestWhatIsSentLastArrivesOverTLS(t *testing.T) {
	t.Parallel()
	m := newMount(t)
	near, far := loopback(t)
	shown := server(t, m.ca).TLS()
	arrived := make(chan int, 1)
	go func() {
		s := tls.Server(far, &tls.Config{Certificates: []tls.Certificate{shown}})
		n := 0
		for ; ; n++ {
			if _, err := readFrame(s); err != nil {
				break
			}
			if _, err := s.Write(frame([]byte("an answer that nobody wants"))); err != nil {
				break
			}
		}
		_ = s.Close()
		arrived <- n
	}()
	c := tls.Client(near, m.open().Client("kafka-0"))
	var ages secure.Ages
	now := time.Now()
	conn := ages.Age(c, now.Add(200*time.Millisecond), now.Add(time.Minute), now.Add(time.Minute))
	request, sent := frame(produce(t, 9, 0)), 0
	for ; ; sent++ {
		if _, err := conn.Write(request); err != nil {
			break
		}
		if sent > 1000 { // else what nobody reads fills up
			<-time.After(time.Millisecond)
		}
	}
	conn.Close()
	if got := <-arrived; got != sent || sent == 0 {
		t.Errorf("%d sent, %d arrived", sent, got)
	}
	if got := ages.Counts(); got != [3]int64{0, 1, 0} {
		t.Errorf("open, ended, cut = %v, want it ended", got)
	}
}
