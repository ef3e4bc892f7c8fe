package secure_test

import (
	"bytes"
	"io"
	"net"
	"testing"
	"time"

	"github.com/slipway-go/slipway/internal/secure"
)

// A pump is a connection that always has the next bytes of an endless row of
// answers, and takes whatever is written.
type pump struct {
	net.Conn
	stream []byte
	at     int
}

func (p *pump) Read(b []byte) (int, error) {
	n := copy(b, p.stream[p.at:])
	p.at = (p.at + n) % len(p.stream)
	return n, nil
}

func (p *pump) Write(b []byte) (int, error) { return len(b), nil }

func (p *pump) Close() error { return nil }

// BenchmarkRead reads answers of 64 KiB, in records of TLS.
func BenchmarkRead(b *testing.B) {
	for name, wrap := range benchmarked() {
		b.Run(name, func(b *testing.B) {
			conn := wrap(&pump{stream: frame(make([]byte, 64<<10-4))})
			buf := make([]byte, 16<<10)
			b.SetBytes(int64(len(buf)))
			for b.Loop() {
				if _, err := io.ReadFull(conn, buf); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkRequest writes a request of 1 KiB and reads its answer.
func BenchmarkRequest(b *testing.B) {
	for name, wrap := range benchmarked() {
		b.Run(name, func(b *testing.B) {
			conn := wrap(&pump{stream: frame(make([]byte, 100))})
			request, buf := frame(bytes.Repeat([]byte{1}, 1<<10)), make([]byte, 104)
			for b.Loop() {
				if _, err := conn.Write(request); err != nil {
					b.Fatal(err)
				}
				if _, err := io.ReadFull(conn, buf); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func benchmarked() map[string]func(net.Conn) net.Conn {
	later := time.Now().Add(time.Hour)
	return map[string]func(net.Conn) net.Conn{
		"bare":  func(c net.Conn) net.Conn { return c },
		"aging": func(c net.Conn) net.Conn { return new(secure.Ages).Age(c, later, later, later) },
	}
}

// BenchmarkLook is what a dial pays for the files when nothing has changed.
func BenchmarkLook(b *testing.B) {
	m := newMount(b)
	f := m.open()
	for _, file := range []string{"ca.crt", "tls.crt", "tls.key"} {
		m.age(file)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.Material(); err != nil {
			b.Fatal(err)
		}
	}
}
