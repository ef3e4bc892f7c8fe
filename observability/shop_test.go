//go:build kafka

package observability_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// scale is how much faster time goes for the rules of the test than for those that
// are rendered: five minutes are five seconds.
const scale = 60

// hasten rewrites every time in rules. What the rules say of each other stays.
func hasten(rules string) string {
	times := regexp.MustCompile(`(\[|offset |for: )(\d+)([smhd])`)
	return times.ReplaceAllStringFunc(rules, func(text string) string {
		m := times.FindStringSubmatch(text)
		var n int
		_, _ = fmt.Sscan(m[2], &n) // the expression has matched digits
		seconds := n * map[string]int{"s": 1, "m": 60, "h": 3600, "d": 86400}[m[3]]
		return fmt.Sprintf("%s%dms", m[1], seconds*1000/scale)
	})
}

// A shelf of the shop is jammed. Its orders fail and are parked, and Prometheus,
// which scrapes the running shop, says which service has which trouble with which
// topic. When the shop is gone, it says that as well.
func TestAFaultInTheShopFiresTheAlertThatNamesIt(t *testing.T) {
	shop, err := filepath.Abs(estates["shop"].dir)
	if err != nil {
		t.Fatal(err)
	}
	slipway := filepath.Join(t.TempDir(), "slipway")
	run(t, "..", "go", "build", "-o", slipway, "./cmd/slipway")
	prometheus := prometheus(t, "prometheus")
	up := start(t, shop, "the shop consumes", slipway, "up", shop, "--broker", "embedded", "--timeout", "4m", "--", "sh", "-c", "echo the shop consumes; exec sleep 600")
	watch := watcher(t, prometheus)

	watch.quiet(t)
	send(t, "PUT", "http://127.0.0.1:18082/stock/lamp", `{"available": 100}`)
	send(t, "PUT", "http://127.0.0.1:18082/stock/lamp/jam", "")
	send(t, "POST", "http://127.0.0.1:18081/orders", `{"sku": "lamp", "quantity": 1, "unit_price": {"amount": 1250, "currency": "EUR"}, "payment_method": "card-ok"}`)
	parked := map[string]string{
		"alertname": "SlipwayKeysParked", "service": "inventory", "environment": "dev", "owner": "team-warehouse", "severity": "ticket",
		"consumer_group": "svc-inventory-dev", "topic": "orders.created.v1",
	}
	got := watch.fires(t, parked)
	if want := "inventory: keys of orders.created.v1 are parked and wait for an operator"; got["summary"] != want {
		t.Errorf("the alert says %q, want %q", got["summary"], want)
	}
	if !strings.HasSuffix(got["runbook_url"], "/keys-parked.md") {
		t.Errorf("the alert leads to %q", got["runbook_url"])
	}
	watch.fires(t, map[string]string{"alertname": "SlipwayDeadLettersWritten", "service": "inventory", "topic": "orders.created.v1", "reason": "parked"})

	up.stop(t)
	for _, service := range []string{"orders", "inventory", "payments", "users", "notifications", "audit", "recommendations", "webhooks"} {
		watch.fires(t, map[string]string{"alertname": "SlipwayServiceAbsent", "service": service, "severity": "page"})
	}
}

// A process that runs beside the test, with all it has said.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{}
}

// start starts a program and waits until it says something.
func start(t *testing.T, dir, until, name string, args ...string) *process {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.SysProcAttr = dir, &syscall.SysProcAttr{Setpgid: true}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = w, w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = w.Close() // the program has its own
	p := &process{cmd, make(chan struct{})}
	said := make(chan struct{})
	go func() {
		defer close(p.ended)
		log := &watchedLog{until: until, said: said}
		_, _ = io.Copy(log, r) // until the program ends
		_ = cmd.Wait()         // however it ended
		if t.Failed() || !log.found {
			t.Logf("%s said:\n%s", filepath.Base(name), log.text.String())
		}
	}()
	t.Cleanup(func() { p.stop(t) })
	select {
	case <-said:
	case <-p.ended:
		t.Fatalf("%s ended before it said %q", name, until)
	case <-time.After(6 * time.Minute):
		t.Fatalf("%s does not say %q", name, until)
	}
	return p
}

// stop ends a process in good order, and its group if it will not end.
func (p *process) stop(t *testing.T) {
	t.Helper()
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-p.ended:
	case <-time.After(time.Minute):
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-p.ended
		t.Errorf("%s did not end within a minute", p.cmd.Path)
	}
}

// A watchedLog keeps a text, and tells when something is in it.
type watchedLog struct {
	until string
	said  chan struct{}
	found bool
	text  bytes.Buffer
}

func (l *watchedLog) Write(b []byte) (int, error) {
	l.text.Write(b)
	if !l.found && strings.Contains(l.text.String(), l.until) {
		l.found = true
		close(l.said)
	}
	return len(b), nil
}

// A prometheusServer is Prometheus that scrapes the shop every second.
type prometheusServer struct{ address string }

// watcher starts Prometheus with the rules of the shop, as they are rendered but for
// their times.
func watcher(t *testing.T, program string) prometheusServer {
	t.Helper()
	dir := t.TempDir()
	write(t, "shop", dir)
	for _, name := range files(t, dir, "rules") {
		rewrite(t, filepath.Join(dir, name), hasten)
	}
	rewrite(t, filepath.Join(dir, "prometheus.yaml"), func(text string) string { return strings.ReplaceAll(text, "interval: 15s", "interval: 1s") })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	start(t, dir, "Server is ready to receive web requests", program, "--config.file=prometheus.yaml", "--storage.tsdb.path=data", "--web.listen-address="+address)
	return prometheusServer{address}
}

func rewrite(t *testing.T, path string, change func(string) string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(change(string(text))), 0o600); err != nil {
		t.Fatal(err)
	}
}

// An alert as Prometheus tells it.
type alert struct {
	Labels, Annotations map[string]string
	State               string
}

// alerts are those that fire or are about to.
func (p prometheusServer) alerts(t *testing.T) []alert {
	t.Helper()
	var answer struct{ Data struct{ Alerts []alert } }
	p.get(t, "/api/v1/alerts", &answer)
	return answer.Data.Alerts
}

func (p prometheusServer) get(t *testing.T, path string, into any) {
	t.Helper()
	resp, err := http.Get("http://" + p.address + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s, %v", path, resp.Status, err)
	}
}

// fires waits for an alert with these labels, and returns its annotations.
func (p prometheusServer) fires(t *testing.T, labels map[string]string) map[string]string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	began := time.Now()
	for {
		all := p.alerts(t)
		for _, a := range all {
			if a.State == "firing" && holds(a.Labels, labels) {
				t.Logf("after %v: %v", time.Since(began).Round(time.Second), a.Labels)
				return a.Annotations
			}
		}
		select {
		case <-ctx.Done():
			t.Fatalf("no alert fires with %v; these do: %v", labels, all)
		case <-time.After(time.Second):
		}
	}
}

func holds(all, some map[string]string) bool {
	for name, value := range some {
		if all[name] != value {
			return false
		}
	}
	return true
}

// quiet waits until all of the shop is scraped and nothing fires but what is so
// with a cluster in one process.
func (p prometheusServer) quiet(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	for {
		var answer struct{ Data struct{ Result []any } }
		p.get(t, "/api/v1/query?query="+url.QueryEscape(`kafka_acl_missing or up == 1 or slipway_health_check{status="ok"}`), &answer)
		var loud []alert
		for _, a := range p.alerts(t) {
			if a.State == "firing" && a.Labels["service"] != "slipway-lag-export" {
				loud = append(loud, a)
			}
		}
		if len(answer.Data.Result) >= 8 && len(loud) == 0 {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%d series, and before any fault: %v", len(answer.Data.Result), loud)
		case <-time.After(time.Second):
		}
	}
}

// send sends a request to the shop.
func send(t *testing.T, method, url, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Idempotency-Key", "the-first-order")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if text, _ := io.ReadAll(resp.Body); resp.StatusCode/100 != 2 {
		t.Fatalf("%s %s: %s %s", method, url, resp.Status, text)
	}
}
