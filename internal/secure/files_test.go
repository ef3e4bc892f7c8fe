package secure_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/secure"
	"github.com/slipway-go/slipway/pki"
)

// A mount is the files of a service under test, and what is said of them.
type mount struct {
	t   testing.TB
	dir string
	ca  *pki.Authority
	log journal
}

// A journal is a log that is counted.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(b)
}

func (j *journal) count(s string) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Count(j.text.String(), s)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

func newAuthority(t testing.TB, name string) *pki.Authority {
	t.Helper()
	ca, err := pki.NewAuthority(name, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

// newMount mounts a good certificate.
func newMount(t testing.TB) *mount {
	t.Helper()
	m := &mount{t: t, dir: t.TempDir(), ca: newAuthority(t, "ours")}
	m.write("ca.crt", m.ca.PEM())
	m.renew(m.issue(time.Hour))
	return m
}

func (m *mount) path(name string) string { return filepath.Join(m.dir, name) }

func (m *mount) write(name string, data []byte) {
	m.t.Helper()
	if err := os.WriteFile(m.path(name), data, 0o600); err != nil {
		m.t.Fatal(err)
	}
}

// issue makes a certificate that lives for a time from now.
func (m *mount) issue(lifetime time.Duration) *pki.Certificate {
	m.t.Helper()
	c, err := m.ca.Issue(pki.Request{CommonName: "svc-orders-dev", Usage: pki.Client, Lifetime: lifetime, Now: time.Now()})
	if err != nil {
		m.t.Fatal(err)
	}
	return c
}

func (m *mount) renew(c *pki.Certificate) {
	m.t.Helper()
	m.write("tls.crt", c.PEM())
	m.write("tls.key", c.KeyPEM())
}

func (m *mount) config() secure.FilesConfig {
	return secure.FilesConfig{
		CA: m.path("ca.crt"), Cert: m.path("tls.crt"), Key: m.path("tls.key"),
		Logger: slog.New(slog.NewTextHandler(&m.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
}

func (m *mount) open() *secure.Files {
	m.t.Helper()
	f, err := secure.NewFiles(m.config())
	if err != nil {
		m.t.Fatal(err)
	}
	return f
}

// uses returns the serial number of the certificate in use.
func uses(t testing.TB, f *secure.Files) string {
	t.Helper()
	got, err := f.Material()
	if err != nil || got.Certificate == nil || got.Certificate.Leaf == nil || got.Roots == nil {
		t.Fatalf("Material() = %+v, %v, want all of it", got, err)
	}
	shown, err := f.Client("kafka").GetClientCertificate(&tls.CertificateRequestInfo{})
	if err != nil || shown == nil || shown.Leaf.SerialNumber.Cmp(got.Certificate.Leaf.SerialNumber) != 0 {
		t.Fatalf("a client shows %v, %v, and a listener %v", shown, err, got.Certificate.Leaf.SerialNumber)
	}
	return secure.Serial(got.Certificate.Leaf)
}

// broken are changes of a pair's files that leave something which cannot be used.
var broken = map[string]struct {
	change func(*mount)
	says   string
}{
	"the certificate is half written": {func(m *mount) { c := m.issue(time.Hour).PEM(); m.write("tls.crt", c[:len(c)/2]) }, "cut off"},
	"the certificate has no end line": {func(m *mount) { c := m.issue(time.Hour).PEM(); m.write("tls.crt", c[:len(c)-10]) }, "cut off"},
	"its chain is half written": {func(m *mount) {
		c := m.issue(time.Hour)
		chain := append(c.PEM(), m.ca.PEM()...)
		m.renew(c)
		m.write("tls.crt", chain[:len(chain)-30])
	}, "cut off"},
	"a block of its chain is damaged": {func(m *mount) {
		c := m.issue(time.Hour)
		m.renew(c)
		m.write("tls.crt", append(append(c.PEM()[:200:200], '\n'), c.PEM()...))
	}, "damaged"},
	"the key is half written":        {func(m *mount) { k := m.issue(time.Hour).KeyPEM(); m.write("tls.key", k[:len(k)/2]) }, "tls.key"},
	"the certificate is empty":       {func(m *mount) { m.write("tls.crt", nil) }, "tls.crt is empty"},
	"the key is empty":               {func(m *mount) { m.write("tls.key", nil) }, "tls.key is empty"},
	"both are empty":                 {func(m *mount) { m.write("tls.crt", nil); m.write("tls.key", nil) }, "is empty"},
	"the key of another":             {func(m *mount) { m.write("tls.key", m.issue(time.Hour).KeyPEM()) }, "key of another certificate"},
	"the certificate of another":     {func(m *mount) { m.write("tls.crt", m.issue(time.Hour).PEM()) }, "key of another certificate"},
	"the certificate is garbage":     {func(m *mount) { m.write("tls.crt", []byte("\x00\xff garbage")) }, "no certificate in it"},
	"a block that is no certificate": {func(m *mount) { m.write("tls.crt", m.issue(time.Hour).KeyPEM()) }, "no certificate in it"},
	"a block of garbage":             {func(m *mount) { m.write("tls.crt", encode("CERTIFICATE", []byte("garbage"))) }, "certificate 1"},
	"the key is garbage":             {func(m *mount) { m.write("tls.key", []byte("garbage")) }, "tls.key"},
	"the key is encrypted":           {func(m *mount) { m.write("tls.key", encode("ENCRYPTED PRIVATE KEY", []byte("x"))) }, "is encrypted"},
	"the certificate is gone":        {func(m *mount) { m.remove("tls.crt") }, "no such file"},
	"the key is gone":                {func(m *mount) { m.remove("tls.key") }, "no such file"},
	"all is gone":                    {func(m *mount) { m.remove("tls.crt"); m.remove("tls.key") }, "no such file"},
	"a directory instead":            {func(m *mount) { m.remove("tls.crt"); m.mkdir("tls.crt") }, "is not a file"},
	"a key that anybody may replace": {func(m *mount) { m.renew(m.issue(time.Hour)); m.chmod("tls.key", 0o666) }, "written by everybody"},
	"a file of a megabyte and more":  {func(m *mount) { m.write("tls.crt", bytes.Repeat([]byte("#"), 1<<20+1)) }, "at most"},
	"it has expired":                 {func(m *mount) { m.shift(-2 * time.Hour) }, "has expired at"},
	"it is not valid yet":            {func(m *mount) { m.shift(time.Minute) }, "is not valid before"},
}

func (m *mount) remove(name string) {
	if err := os.RemoveAll(m.path(name)); err != nil {
		m.t.Fatal(err)
	}
}

func (m *mount) mkdir(name string) {
	if err := os.Mkdir(m.path(name), 0o700); err != nil {
		m.t.Fatal(err)
	}
}

func (m *mount) chmod(name string, mode fs.FileMode) {
	if err := os.Chmod(m.path(name), mode); err != nil {
		m.t.Fatal(err)
	}
}

// shift mounts a certificate whose life begins at another time.
func (m *mount) shift(by time.Duration) {
	m.t.Helper()
	ca, own := m.ca.Chain()[0], newKey(m.t)
	from := time.Now().Add(by)
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(from.UnixNano()), Subject: pkix.Name{CommonName: "svc-orders-dev"},
		NotBefore: from, NotAfter: from.Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, ca, own.Public(), issuerOf(m.t, m.ca).key)
	if err != nil {
		m.t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(own)
	if err != nil {
		m.t.Fatal(err)
	}
	m.write("tls.crt", encode("CERTIFICATE", der))
	m.write("tls.key", encode("PRIVATE KEY", pkcs8))
}

// F-53.
func TestABrokenPairLeavesTheOneBeforeInUseAndIsToldOnce(t *testing.T) {
	t.Parallel()
	for name, tt := range broken {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMount(t)
			f := m.open()
			before := uses(t, f)
			told := func(want int) {
				t.Helper()
				for range 3 {
					if got := uses(t, f); got != before {
						t.Fatalf("certificate %s is in use, want %s", got, before)
					}
				}
				s := f.Status()
				if warned := m.log.count("level=WARN"); warned != want || s.Refused != int64(want) || m.log.count(string(diag.TLSPairUnread)) != want {
					t.Errorf("%d warnings and %d counted, want %d, one for each change:\n%s", warned, s.Refused, want, &m.log)
				}
				if len(s.Faults) != 1 || !errors.Is(s.Faults[0], diag.TLSPairUnread) {
					t.Errorf("faults = %v, want one, %s", s.Faults, diag.TLSPairUnread)
				}
			}
			tt.change(m)
			told(1)
			if got := f.Status().Faults[0].Error(); !strings.Contains(got, tt.says) {
				t.Errorf("the fault is %q, want it to say %q", got, tt.says)
			}
			m.remove("tls.key")
			m.write("tls.key", []byte("other garbage"))
			told(2)
			m.remove("tls.crt")
			m.remove("tls.key")
			next := m.issue(time.Hour)
			m.renew(next)
			if got := uses(t, f); got != fmt.Sprintf("%x", next.TLS().Leaf.SerialNumber) {
				t.Errorf("after the repair %s is in use, want the new one", got)
			}
			if s := f.Status(); len(s.Faults) > 0 || m.log.count("PRIVATE KEY") > 0 {
				t.Errorf("faults = %v, want none:\n%s", s.Faults, &m.log)
			}
		})
	}
}

// Kubernetes swaps all files at once; whoever reads meanwhile never has the
// certificate of one time with the key of another, nor one that lasts.
func TestFilesThatAreSwappedWhileTheyAreReadAreOfOneTime(t *testing.T) {
	t.Parallel()
	m := newMount(t)
	pairs := []*pki.Certificate{m.issue(time.Hour), m.issue(time.Hour), m.issue(time.Hour)}
	m.remove("tls.crt")
	m.remove("tls.key")
	m.remove("ca.crt")
	m.swap(0, pairs[0])
	f := m.open()
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					if got, err := f.Material(); err != nil || got.Certificate == nil {
						t.Errorf("Material() = %+v, %v", got, err)
					}
				}
			}
		})
	}
	for n := 1; n <= 300; n++ {
		m.swap(n, pairs[n%len(pairs)])
	}
	close(done)
	readers.Wait()
	if s := f.Status(); s.Refused != 0 || m.log.count("level=WARN") > 0 {
		t.Errorf("%d changes were refused, want none:\n%s", s.Refused, &m.log)
	}
	if m.log.count("certificate changed") == 0 {
		t.Error("no change was seen: nothing is put to the test")
	}
}

// swap mounts files as the kubelet does.
func (m *mount) swap(generation int, c *pki.Certificate) {
	m.t.Helper()
	must := func(err error) {
		m.t.Helper()
		if err != nil {
			m.t.Fatal(err)
		}
	}
	name := fmt.Sprint("..", generation)
	m.mkdir(name)
	for file, data := range map[string][]byte{"tls.crt": c.PEM(), "tls.key": c.KeyPEM(), "ca.crt": m.ca.PEM()} {
		m.write(filepath.Join(name, file), data)
		if generation == 0 {
			must(os.Symlink(filepath.Join("..data", file), m.path(file)))
		}
	}
	must(os.Symlink(name, m.path("..data_tmp")))
	must(os.Rename(m.path("..data_tmp"), m.path("..data")))
	if generation > 0 {
		m.remove(fmt.Sprint("..", generation-1))
	}
}

func TestACertificateIsTakenWhenItBecomesValid(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMount(t)
		f := m.open()
		before := uses(t, f)
		m.shift(10 * time.Minute)
		for range 3 {
			if got := uses(t, f); got != before {
				t.Fatalf("%s is in use before its time", got)
			}
			<-time.After(3 * time.Minute)
		}
		<-time.After(time.Minute + time.Second)
		if got := uses(t, f); got == before {
			t.Error("the new certificate is valid and not in use")
		}
		if s := f.Status(); s.Refused != 1 || len(s.Faults) > 0 {
			t.Errorf("%d refused, faults %v, want one that is over", s.Refused, s.Faults)
		}
	})
}

func TestTheEndOfACertificateIsToldOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMount(t)
		f := m.open()
		m.renew(m.issue(100 * time.Minute)) // dated back by five minutes, which does not count for a renewed one
		for minute := range 130 {
			s, now := f.Status(), time.Now()
			if scarce := s.Scarce(now) != nil; scarce != (minute > 80 && minute <= 100) {
				t.Errorf("scarce after %d minutes: %v", minute, scarce)
			}
			if expired := s.Expired(now) != nil; expired != (minute > 100) {
				t.Errorf("expired after %d minutes: %v", minute, expired)
			}
			uses(t, f) // it is never without one
			<-time.After(time.Minute)
		}
		if n, e := m.log.count(string(diag.TLSOwnScarce)), m.log.count(string(diag.TLSOwnExpired)); n != 2 || e != 2 { // as code and in the text
			t.Errorf("told:\n%s", &m.log)
		}
		m.renew(m.issue(time.Hour))
		if s := f.Status(); s.Expired(time.Now()) != nil || s.Scarce(time.Now()) != nil {
			t.Errorf("after the renewal: %v, %v", s.Expired(time.Now()), s.Scarce(time.Now()))
		}
	})
}

func TestWhatIsBrokenAtTheStartEndsIt(t *testing.T) {
	t.Parallel()
	for name, tt := range broken {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMount(t)
			tt.change(m)
			f, err := secure.NewFiles(m.config())
			if f != nil || !errors.Is(err, diag.TLSPairUnread) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("NewFiles() = %v, %v, want %s saying %q", f, err, diag.TLSPairUnread, tt.says)
			}
		})
	}
}

func TestWhoeverKeepsSomethingIsToldOfAChange(t *testing.T) {
	t.Parallel()
	m := newMount(t)
	f := m.open()
	changes := 0
	f.OnChange(func() { changes++ })
	uses(t, f)
	m.renew(m.issue(time.Hour))
	uses(t, f)
	uses(t, f)
	m.write("tls.key", nil)
	uses(t, f)
	if changes != 1 {
		t.Errorf("told of %d changes, want 1", changes)
	}
}

// age has a file look as if it was written a while ago.
func (m *mount) age(name string) {
	m.t.Helper()
	then := time.Now().Add(-time.Hour)
	if err := os.Chtimes(m.path(name), then, then); err != nil {
		m.t.Fatal(err)
	}
}

// Files that have been there for a while are not read again, and their next change
// is noticed all the same.
func TestFilesThatHaveSettledAreReadWhenTheyChange(t *testing.T) { //nolint:paralleltest // it counts allocations
	m := newMount(t)
	for _, file := range []string{"ca.crt", "tls.crt", "tls.key"} {
		m.age(file)
	}
	f := m.open()
	before := uses(t, f)
	if n := testing.AllocsPerRun(100, func() { _ = f.Client("kafka") }); n > 60 {
		t.Errorf("a look at settled files allocates %v times: it reads them", n)
	}
	m.renew(m.issue(time.Hour))
	if uses(t, f) == before {
		t.Error("a change was not noticed")
	}
}

func TestFilesShowNoKey(t *testing.T) {
	t.Parallel()
	m := newMount(t)
	f := m.open()
	key := secretNumber(t, m)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		if got := fmt.Sprintf(verb, f); strings.Contains(got, key) || !strings.Contains(got, m.dir) {
			t.Errorf("%s prints %s", verb, got)
		}
	}
	slog.New(slog.NewTextHandler(&m.log, nil)).Info("these", "files", f)
	slog.New(slog.NewJSONHandler(&m.log, nil)).Info("these", "files", f)
	m.write("tls.key", append([]byte("garbage "), m.issue(time.Hour).KeyPEM()...))
	f.Status()
	if got := m.log.String(); strings.Contains(got, key) || strings.Contains(got, "PRIVATE") || !strings.Contains(got, "these") {
		t.Errorf("the log shows a key:\n%s", got)
	}
}

// secretNumber is the secret number of the mounted key, as fmt would print it.
func secretNumber(t *testing.T, m *mount) string {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(m.path("tls.crt"), m.path("tls.key"))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := pair.PrivateKey.(*ecdsa.PrivateKey).Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return new(big.Int).SetBytes(raw).String()
}
