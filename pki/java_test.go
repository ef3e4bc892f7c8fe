//go:build kafka

package pki_test

import (
	"cmp"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/slipway-go/slipway/pki"
)

// clients are certificates of clients, and whether constraints give them a name.
var clients = map[string]struct {
	constraints pki.Constraints
	cn          string
	named       bool
}{
	"a client":             {pki.Constraints{DNSDomains: []string{"prod.example"}}, "svc-orders-prod", true},
	"one of other letters": {pki.Constraints{DNSDomains: []string{"prod.example"}}, "Legacy_App.2-", true},
	"one under domains and ranges": {
		pki.Constraints{DNSDomains: []string{"prod.example"}, IPRanges: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}, "svc-orders-prod", true,
	},
	"one without constraints": {pki.Constraints{}, "svc-orders-prod", false},
}

// A JVM keeps name constraints as crypto/x509 and openssl do, and does not
// fall over how they are written.
func TestJavaKeepsTheSameConstraints(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("javac"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("no JDK is installed, and CI=true promises it")
		}
		t.Skip("no JDK is installed: what a JVM says about our constraints is not asked")
	}
	run := newJavaRun(t)
	for name, tt := range constrained {
		a, err := newAuthority(t, "root").Intermediate("bounded", time.Now(), pki.WithConstraints(tt.constraints))
		if err != nil {
			t.Fatal(err)
		}
		if tt.want == "" {
			run.add(name, a, issue(t, a, pki.Request{CommonName: cmp.Or(tt.cn, "broker"), Usage: pki.Peer, DNSNames: tt.hosts, IPs: tt.ips}).PEM(), "ok")
			continue
		}
		run.add(name, a, forged(t, a, tt.cn, tt.hosts, tt.ips), "refused")
	}
	for name, tt := range clients {
		a, err := newAuthority(t, "root").Intermediate("bounded", time.Now(), pki.WithConstraints(tt.constraints))
		if err != nil {
			t.Fatal(err)
		}
		run.add(name, a, issue(t, a, pki.Request{CommonName: tt.cn, Usage: pki.Client}).PEM(), "ok")
		if tt.named && !strings.Contains(tt.cn, "_") {
			run.add(name+", without its DNS name", a, forged(t, a, tt.cn, nil, nil), "refused")
		}
	}
	run.check()
}

func forged(t *testing.T, a *pki.Authority, cn string, hosts []string, ips []netip.Addr) []byte {
	t.Helper()
	return append(block("CERTIFICATE", forge(t, a, cn, hosts, ips).Raw), block("CERTIFICATE", a.Chain()[0].Raw)...)
}

// A javaRun verifies many chains in one JVM.
type javaRun struct {
	t     *testing.T
	dir   string
	args  []string
	want  map[string]string
	names map[string]string
}

func newJavaRun(t *testing.T) *javaRun {
	return &javaRun{t: t, dir: t.TempDir(), args: []string{filepath.Join("testdata", "Path.java")}, want: map[string]string{}, names: map[string]string{}}
}

func (r *javaRun) add(name string, a *pki.Authority, sent []byte, verdict string) {
	r.t.Helper()
	dir := filepath.Join(r.dir, strconv.Itoa(len(r.want)))
	if err := os.Mkdir(dir, 0o700); err != nil {
		r.t.Fatal(err)
	}
	for file, data := range map[string][]byte{"chain.pem": sent, "root.pem": a.PEM()} {
		if err := os.WriteFile(filepath.Join(dir, file), data, 0o600); err != nil {
			r.t.Fatal(err)
		}
	}
	r.want[dir], r.names[dir] = verdict, name
	r.args = append(r.args, dir)
}

func (r *javaRun) check() {
	r.t.Helper()
	out, err := exec.CommandContext(r.t.Context(), "java", r.args...).Output()
	if err != nil {
		r.t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		dir, verdict, _ := strings.Cut(strings.TrimSpace(line), "\t")
		if verdict != r.want[dir] {
			r.t.Errorf("%s: Java says %s, want %s", r.names[dir], verdict, r.want[dir])
		}
		delete(r.want, dir)
	}
	if len(r.want) > 0 {
		r.t.Errorf("Java said nothing about %d chains", len(r.want))
	}
}
