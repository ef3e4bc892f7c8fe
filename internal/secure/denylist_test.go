package secure_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"net"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/secure"
	"github.com/slipway-go/slipway/pki"
)

func server(t testing.TB, ca *pki.Authority) *pki.Certificate {
	t.Helper()
	c, err := ca.Issue(pki.Request{CommonName: "kafka-0", Usage: pki.Peer, DNSNames: []string{"kafka-0"}, Lifetime: time.Hour, Now: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// list is an authority's revocation list, due in a day.
func list(t testing.TB, ca *pki.Authority, number int64, serials ...*big.Int) []byte {
	t.Helper()
	var all []pki.Revoked
	for _, serial := range serials {
		all = append(all, pki.Revoked{Serial: serial, At: time.Now(), Reason: 1})
	}
	pem, err := ca.RevocationList(number, all, time.Now(), time.Now().Add(24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return pem
}

func intermediate(t testing.TB, root *pki.Authority, name string) *pki.Authority {
	t.Helper()
	ca, err := root.Intermediate(name, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

func serialOf(c *pki.Certificate) *big.Int { return c.Chain()[0].SerialNumber }

// shakeHands connects a client to a server that shows a certificate.
func shakeHands(t testing.TB, client *tls.Config, listener *tls.Config) (tls.ConnectionState, error) {
	t.Helper()
	near, far := loopback(t)
	defer near.Close()
	go func() {
		defer far.Close()
		s := tls.Server(far, listener)
		if s.Handshake() == nil {
			_, _ = s.Write([]byte{1}) // tickets come before it
		}
		_, _ = s.Read(make([]byte, 1))
	}()
	c := tls.Client(near, client)
	if err := c.Handshake(); err != nil {
		return tls.ConnectionState{}, err
	}
	_, err := c.Read(make([]byte, 1))
	return c.ConnectionState(), err
}

// loopback is a connection to oneself. One in memory has no buffer: two sides that
// hang up on each other would wait for ever.
func loopback(t testing.TB) (near, far net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if near, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if far, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	return near, far
}

func TestWhatIsRevokedIsRefused(t *testing.T) {
	t.Parallel()
	root := newAuthority(t, "root")
	below := intermediate(t, root, "issuing")
	direct, indirect := server(t, root), server(t, below)
	for name, tt := range map[string]struct {
		list    []byte
		issuers []*x509.Certificate
		shown   *pki.Certificate
		refused bool
	}{
		"a leaf":              {list(t, root, 1, serialOf(direct)), root.Chain(), direct, true},
		"a leaf among others": {list(t, root, 1, big.NewInt(3), serialOf(direct), big.NewInt(4)), root.Chain(), direct, true},
		"another leaf":        {list(t, root, 1, big.NewInt(3)), root.Chain(), direct, false},
		"nobody":              {list(t, root, 1), root.Chain(), direct, false},
		"a leaf of an intermediate that is known":     {list(t, below, 1, serialOf(indirect)), below.Chain(), indirect, true},
		"a leaf of an intermediate that is not known": {list(t, below, 1, serialOf(indirect)), root.Chain(), indirect, true},
		"an intermediate":              {list(t, root, 1, below.Chain()[0].SerialNumber), root.Chain(), indirect, true},
		"its number in another's list": {list(t, root, 1, serialOf(indirect)), root.Chain(), indirect, false},
		"two lists in one file":        {slices.Concat(list(t, root, 1), []byte("and\n"), list(t, below, 1, serialOf(indirect))), root.Chain(), indirect, true},
	} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			t.Run(name+" "+tls.VersionName(version), func(t *testing.T) {
				t.Parallel()
				d, err := secure.ParseDenylist(tt.list, tt.issuers)
				if err != nil {
					t.Fatal(err)
				}
				listener := &tls.Config{Certificates: []tls.Certificate{tt.shown.TLS()}, MaxVersion: version, MinVersion: version}
				client := secure.Client(root.Pool())
				client.ServerName, client.ClientSessionCache = "kafka-0", tls.NewLRUClientSessionCache(1)
				if _, err := shakeHands(t, client, listener); err != nil {
					t.Fatalf("before the list is asked: %v", err)
				}
				if again, err := shakeHands(t, client, listener); err != nil || !again.DidResume {
					t.Fatalf("a session is resumed: %v, %v, want that it is", again.DidResume, err)
				}
				client.VerifyConnection = d.Verify
				wantIs(t, client, listener, diag.TLSRevokedResumed, tt.refused)
				client.ClientSessionCache = nil
				wantIs(t, client, listener, diag.TLSRevoked, tt.refused)
			})
		}
	}
}

func wantIs(t *testing.T, client, listener *tls.Config, code diag.Code, refused bool) {
	t.Helper()
	_, err := shakeHands(t, client, listener)
	if refused && !errors.Is(err, code) || !refused && err != nil {
		t.Errorf("the handshake: %v, want %s: %v", err, code, refused)
	}
}

func TestAListThatIsNotInOrderIsRefused(t *testing.T) {
	t.Parallel()
	root, namesake := newAuthority(t, "root"), newAuthority(t, "root")
	good := list(t, root, 1)
	for name, tt := range map[string]struct {
		data []byte
		says string
	}{
		"empty":                 {nil, "no revocation list"},
		"text":                  {[]byte("nothing"), "no revocation list"},
		"half":                  {good[:len(good)/2], "cut off"},
		"one and a half":        {append(good, good[:len(good)/2]...), "cut off"},
		"a certificate":         {root.PEM(), `"CERTIFICATE"`},
		"garbage":               {encode("X509 CRL", []byte("garbage")), "revocation list 1"},
		"the same issuer twice": {append(good, list(t, root, 2)...), "a second one"},
		"another of that name":  {forge(t, root, namesake), "not signed by"},
		"a list with a bit set": {flipped(good), "revocation list 1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if d, err := secure.ParseDenylist(slices.Clone(tt.data), root.Chain()); d != nil || err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("ParseDenylist() = %v, %v, want it to say %q", d, err, tt.says)
			}
		})
	}
}

// forge makes a list of victim's name and key identifier that another has signed.
func forge(t testing.TB, victim, forger *pki.Authority) []byte {
	t.Helper()
	as := *victim.Chain()[0]
	as.PublicKey = forger.Chain()[0].PublicKey
	der, err := x509.CreateRevocationList(nil, &x509.RevocationList{
		Number: big.NewInt(9), ThisUpdate: time.Now(), NextUpdate: time.Now().Add(time.Hour),
	}, &as, issuerOf(t, forger).key)
	if err != nil {
		t.Fatal(err)
	}
	return encode("X509 CRL", der)
}

// flipped changes one bit near the end, in the signature.
func flipped(pem []byte) []byte {
	pem = slices.Clone(pem)
	i := strings.LastIndex(string(pem), "\n-----END") - 8
	if pem[i] == 'A' {
		pem[i] = 'B'
	} else {
		pem[i] = 'A'
	}
	return pem
}

// dial connects over files to a server.
func (m *mount) dial(f *secure.Files, shown *pki.Certificate) error {
	_, err := shakeHands(m.t, f.Client("kafka-0"), &tls.Config{Certificates: []tls.Certificate{shown.TLS()}})
	return err
}

func TestARevocationListIsFollowed(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*mount){
		"gone":      func(m *mount) { m.remove("ca.crl") },
		"empty":     func(m *mount) { m.write("ca.crl", nil) },
		"garbage":   func(m *mount) { m.write("ca.crl", []byte("garbage")) },
		"another's": func(m *mount) { m.write("ca.crl", forge(m.t, m.ca, newAuthority(m.t, "other"))) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMount(t)
			f, shown := m.open(), server(t, m.ca)
			if err := m.dial(f, shown); err != nil {
				t.Fatalf("without a list: %v", err)
			}
			m.write("ca.crl", list(t, m.ca, 1, serialOf(shown)))
			if err := m.dial(f, shown); !errors.Is(err, diag.TLSRevoked) {
				t.Fatalf("with a list: %v, want %s", err, diag.TLSRevoked)
			}
			spoil(m)
			for range 3 {
				if err := m.dial(f, shown); !errors.Is(err, diag.TLSRevoked) {
					t.Fatalf("with a list that is spoilt: %v, want the one before to be in force", err)
				}
			}
			if s := f.Status(); s.Refused != 1 || m.log.count(string(diag.TLSListUnread)) != 1 || len(s.Faults) != 1 {
				t.Errorf("%d refused, faults %v:\n%s", s.Refused, s.Faults, &m.log)
			}
			m.write("ca.crl", list(t, m.ca, 2))
			if err := m.dial(f, shown); err != nil {
				t.Errorf("with a list without it: %v", err)
			}
		})
	}
}

// The list of an intermediate whose certificate is in no file of ours is checked
// when the intermediate is seen.
func TestAForgedListOfAnIntermediateDeniesNothingAndLeavesTheOneBefore(t *testing.T) {
	t.Parallel()
	m := newMount(t)
	below := intermediate(t, m.ca, "issuing")
	bad, good := server(t, below), server(t, below)
	m.write("ca.crl", list(t, below, 1, serialOf(bad)))
	f := m.open()
	if err := m.dial(f, bad); !errors.Is(err, diag.TLSRevoked) {
		t.Fatalf("the revoked one: %v", err)
	}
	m.write("ca.crl", forge(t, below, newAuthority(t, "other")))
	for range 2 {
		if err := m.dial(f, bad); !errors.Is(err, diag.TLSRevoked) {
			t.Errorf("the revoked one, with a forged list: %v, want the list before to be in force", err)
		}
		if err := m.dial(f, good); err != nil {
			t.Errorf("another one: %v", err)
		}
	}
	s := f.Status()
	if len(s.Lists) != 1 || !s.Lists[0].Forged || s.Refused != 1 || m.log.count(string(diag.TLSListUnread)) != 1 {
		t.Errorf("lists %+v, %d refused:\n%s", s.Lists, s.Refused, &m.log)
	}
}

func TestAListThatIsOverdueDeniesAndIsTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMount(t)
		shown, err := m.ca.Issue(pki.Request{CommonName: "kafka-0", Usage: pki.Peer, DNSNames: []string{"kafka-0"}, Now: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		m.renew(m.issue(72 * time.Hour))
		m.write("ca.crl", list(t, m.ca, 1, serialOf(shown)))
		f := m.open()
		<-time.After(23 * time.Hour)
		if s := f.Status(); s.Lists[0].Overdue(time.Now()) || m.log.count(string(diag.TLSListOverdue)) > 0 {
			t.Errorf("lists %+v:\n%s", s.Lists, &m.log)
		}
		<-time.After(2 * time.Hour)
		for range 3 {
			if err := m.dial(f, shown); !errors.Is(err, diag.TLSRevoked) {
				t.Errorf("the handshake: %v, want %s", err, diag.TLSRevoked)
			}
		}
		if s := f.Status(); !s.Lists[0].Overdue(time.Now()) || m.log.count(string(diag.TLSListOverdue)) != 1 {
			t.Errorf("lists %+v:\n%s", s.Lists, &m.log)
		}
	})
}

func TestAChainThatWasNotVerifiedIsNotAcceptedForWantOfOne(t *testing.T) {
	t.Parallel()
	root := newAuthority(t, "root")
	d, err := secure.ParseDenylist(list(t, root, 1), root.Chain())
	if err != nil {
		t.Fatal(err)
	}
	shown := server(t, root).Chain()
	if err := d.Verify(tls.ConnectionState{PeerCertificates: shown}); err == nil {
		t.Error("Verify() accepts a chain that nobody has verified")
	}
	if err := d.Verify(tls.ConnectionState{}); err != nil {
		t.Errorf("Verify() of nobody = %v", err)
	}
	if err := (*secure.Denylist)(nil).Verify(tls.ConnectionState{PeerCertificates: shown}); err != nil {
		t.Errorf("no list denies: %v", err)
	}
}

func FuzzParseDenylist(f *testing.F) {
	root := newAuthority(f, "root")
	good := list(f, root, 1, big.NewInt(7))
	f.Add(good)
	f.Add(append(slices.Clone(good), good[:40]...))
	f.Add(flipped(good))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := secure.ParseDenylist(data, root.Chain())
		if (d == nil) == (err == nil) {
			t.Errorf("ParseDenylist() = %v, %v", d, err)
		}
		if d != nil && len(d.Lists()) == 0 {
			t.Error("a denylist without lists")
		}
	})
}

// A list is read whole, and then held for as long as the process lives: what x509
// makes of it is several times its file.
func TestALongListIsHeldInLittleMemory(t *testing.T) { // not beside others: it measures
	ca, err := pki.NewAuthority("office", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	serials := make([]*big.Int, 50_000)
	for i := range serials {
		serials[i] = new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), 120), big.NewInt(int64(i)))
	}
	text := list(t, ca, 1, serials...)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	denylist, err := secure.ParseDenylist(text, ca.Chain())
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if held := int64(after.HeapAlloc) - int64(before.HeapAlloc); held > 4*int64(len(text)) {
		t.Errorf("%d bytes are held for a file of %d", held, len(text))
	}
	if lists := denylist.Lists(); len(lists) != 1 || lists[0].Revoked != 50_000 {
		t.Errorf("the lists are %+v", lists)
	}
	runtime.KeepAlive(text)
	runtime.KeepAlive(serials)
}
