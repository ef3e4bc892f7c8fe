package otlp_test

import (
	"context"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	colmetricpb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	coltracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
)

// A collector takes what is sent to it, and counts. It answers as answer says,
// if that is set.
type collector struct {
	coltracepb.UnimplementedTraceServiceServer
	url            string
	spans, metrics atomic.Int64
	header         atomic.Value // authorization of the last request
	answer         atomic.Pointer[http.HandlerFunc]
}

// overHTTP starts a collector.
func overHTTP(t *testing.T) *collector {
	c := new(collector)
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	c.url = server.URL
	return c
}

// overTLS starts a collector and returns the file of its authority too.
func overTLS(t *testing.T) (*collector, string) {
	c := new(collector)
	server := httptest.NewTLSServer(c)
	t.Cleanup(server.Close)
	c.url = server.URL
	file := filepath.Join(t.TempDir(), "ca.crt")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return c, file
}

// overGRPC starts a collector that speaks gRPC.
func overGRPC(t *testing.T) *collector {
	c, server := new(collector), grpc.NewServer()
	coltracepb.RegisterTraceServiceServer(server, c)
	colmetricpb.RegisterMetricsServiceServer(server, measures{c: c})
	ln := listen(t)
	var done sync.WaitGroup
	done.Go(func() { _ = server.Serve(ln) })
	t.Cleanup(func() { server.Stop(); done.Wait() })
	c.url = "http://" + ln.Addr().String()
	return c
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.header.Store(r.Header.Get("Authorization"))
	if answer := c.answer.Load(); answer != nil {
		(*answer)(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	switch r.URL.Path {
	case "/v1/traces":
		var req coltracepb.ExportTraceServiceRequest
		err = proto.Unmarshal(body, &req)
		c.spans.Add(count(&req))
	case "/v1/metrics":
		c.metrics.Add(1)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
	}
}

// Export implements the service for traces.
func (c *collector) Export(ctx context.Context, req *coltracepb.ExportTraceServiceRequest) (*coltracepb.ExportTraceServiceResponse, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	c.header.Store(strings.Join(md.Get("authorization"), ","))
	c.spans.Add(count(req))
	return &coltracepb.ExportTraceServiceResponse{}, nil
}

type measures struct {
	colmetricpb.UnimplementedMetricsServiceServer
	c *collector
}

func (m measures) Export(context.Context, *colmetricpb.ExportMetricsServiceRequest) (*colmetricpb.ExportMetricsServiceResponse, error) {
	m.c.metrics.Add(1)
	return &colmetricpb.ExportMetricsServiceResponse{}, nil
}

func count(req *coltracepb.ExportTraceServiceRequest) (n int64) {
	for _, r := range req.GetResourceSpans() {
		for _, s := range r.GetScopeSpans() {
			n += int64(len(s.GetSpans()))
		}
	}
	return n
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return ln
}

// silent is where connections are taken and nothing is ever said.
func silent(t *testing.T) string {
	ln := listen(t)
	var done sync.WaitGroup
	t.Cleanup(done.Wait)
	t.Cleanup(func() { ln.Close() })
	done.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { conn.Close() })
		}
	})
	return "http://" + ln.Addr().String()
}

// away is where nobody is.
func away(t *testing.T) string {
	ln := listen(t)
	defer ln.Close()
	return "http://" + ln.Addr().String()
}

// A journal is a log that can be waited for.
type journal struct {
	mu      sync.Mutex
	text    strings.Builder
	written chan struct{}
}

func newJournal() *journal { return &journal{written: make(chan struct{}, 1)} }

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	select {
	case j.written <- struct{}{}:
	default:
	}
	return j.text.Write(b)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// await waits until a line has all of these words.
func (j *journal) await(t *testing.T, words ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for !j.has(words...) {
		select {
		case <-j.written:
		case <-ctx.Done():
			t.Fatalf("no line with %q:\n%s", words, j)
		}
	}
}

func (j *journal) has(words ...string) bool {
next:
	for line := range strings.Lines(j.String()) {
		for _, w := range words {
			if !strings.Contains(line, w) {
				continue next
			}
		}
		return true
	}
	return false
}
