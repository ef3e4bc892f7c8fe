package slipway_test

import (
	"context"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha512"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/slipwaytest"
)

// A keyed service is one under test whose password the test mounts and alters.
type keyed struct {
	*study
	k   *slipwaytest.Kit
	app *slipway.App
	dir string
	was string // the password that the kit gave it

	logins atomic.Int64 // that its user began
}

// runKeyed runs a test against a service that passes on jobs.
func runKeyed(t *testing.T, layout func(t *testing.T, dir string, files map[string]string), test func(*keyed)) {
	t.Helper()
	s := &keyed{study: newStudy(t), dir: t.TempDir()}
	wire := func(app *slipway.App) error {
		s.app = app
		return s.relay(app)
	}
	configure := func(cfg *slipway.Config) {
		b, err := os.ReadFile(cfg.Environment.PasswordFile)
		if err != nil {
			t.Fatal(err)
		}
		s.was = string(b)
		layout(t, s.dir, map[string]string{"password": s.was})
		cfg.Environment.PasswordFile = filepath.Join(s.dir, "password")
	}
	services := []slipwaytest.Service{{Files: relaying("direct", retrying), Wire: wire, Configure: configure}}
	slipwaytest.RunAll(t, services, func(t *testing.T, k *slipwaytest.Kit) {
		s.k = k
		k.Kafka().ControlKey(int16(kmsg.SASLAuthenticate), func(req kmsg.Request) (kmsg.Response, error, bool) {
			k.Kafka().KeepControl()
			if strings.Contains(string(req.(*kmsg.SASLAuthenticateRequest).SASLAuthBytes), "n="+jobsGroup+",") {
				s.logins.Add(1)
			}
			return nil, nil, false
		})
		test(s)
	})
}

// plainFiles writes files one by one; what is not named is removed.
func plainFiles(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for _, name := range []string{"password", "password.next"} {
		path := filepath.Join(dir, name)
		text, ok := files[name]
		err := os.Remove(path)
		if ok {
			err = os.WriteFile(path, []byte(text), 0o600)
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
}

// kubernetesFiles changes all files at once, as the kubelet does: they are links
// into a directory to which another link points that is replaced.
func kubernetesFiles(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	generation := filepath.Join(dir, "..gen_"+rand.Text())
	must := func(err error) {
		t.Helper()
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
	must(os.Mkdir(generation, 0o700))
	for name, text := range files {
		must(os.WriteFile(filepath.Join(generation, name), []byte(text), 0o600))
	}
	old, _ := os.Readlink(filepath.Join(dir, "..data"))
	must(os.Symlink(filepath.Base(generation), filepath.Join(dir, "..data_tmp")))
	must(os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")))
	for _, name := range []string{"password", "password.next"} {
		must(os.Remove(filepath.Join(dir, name)))
		if _, ok := files[name]; ok {
			must(os.Symlink(filepath.Join("..data", name), filepath.Join(dir, name)))
		}
	}
	if old != "" {
		must(os.RemoveAll(filepath.Join(dir, old)))
	}
}

// alter sets the password of the service on the cluster; "" deletes the user.
func (s *keyed) alter(password string) {
	s.t.Helper()
	req := kmsg.NewPtrAlterUserSCRAMCredentialsRequest()
	if password == "" {
		req.Deletions = []kmsg.AlterUserSCRAMCredentialsRequestDeletion{{Name: jobsGroup, Mechanism: 2}}
	} else {
		salt := []byte(rand.Text())
		salted, err := pbkdf2.Key(sha512.New, password, salt, 4096, sha512.Size)
		if err != nil {
			s.t.Fatal(err)
		}
		req.Upsertions = []kmsg.AlterUserSCRAMCredentialsRequestUpsertion{{Name: jobsGroup, Mechanism: 2, Iterations: 4096, Salt: salt, SaltedPassword: salted}}
	}
	resp, err := req.RequestWith(context.Background(), s.k.Client())
	if err != nil || len(resp.Results) != 1 || resp.Results[0].ErrorCode != 0 {
		s.t.Fatalf("alter the password: %v, %+v", err, resp)
	}
}

// reconnect cuts the service's connections to every broker, one after the other,
// under load.
func (s *keyed) reconnect() {
	s.t.Helper()
	for id := range 3 {
		mend := s.k.CutBroker(id)
		mend()
		s.load(s.k, 3*time.Second, numbered(12))
	}
}

// finish waits until all is settled, and requires that nothing was lost and no
// handler's send failed.
func (s *keyed) finish() {
	s.t.Helper()
	s.await(s.k, s.sent, 10*time.Minute)
	s.judge(s.k, true)
	for id, n := range s.attempts {
		if n != 1 {
			s.t.Errorf("%s was handled %d times, want once: nothing fails while a password is rotated", id, n)
			return
		}
	}
}

// requireUsing fails unless the last login was with the password that a file
// holds.
func (s *keyed) requireUsing(which string) {
	s.t.Helper()
	if got := s.app.Credential().Using; got != which {
		s.t.Errorf("using %q, want %s", got, which)
	}
}

func TestAPasswordIsRotatedUnderLoadAndNoRecordFails(t *testing.T) {
	t.Parallel()
	for name, layout := range map[string]func(*testing.T, string, map[string]string){"files": plainFiles, "a Kubernetes secret": kubernetesFiles} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			runKeyed(t, layout, func(s *keyed) {
				s.load(s.k, 3*time.Second, numbered(12))
				s.requireUsing("current")
				layout(t, s.dir, map[string]string{"password": s.was, "password.next": "the next one"})
				if got := s.app.Credential().Mounted; !slices.Equal(got, []string{"current", "next"}) {
					t.Errorf("mounted are %v, want current and next", got)
				}
				s.reconnect()
				s.requireUsing("current")
				s.alter("the next one")
				s.load(s.k, 3*time.Second, numbered(12))
				s.requireUsing("current") // connections that are open stay so
				s.reconnect()
				s.requireUsing("next")
				layout(t, s.dir, map[string]string{"password": "the next one"})
				s.requireUsing("current")
				s.reconnect()
				s.requireUsing("current")
				s.finish()
				got := s.app.Credential()
				t.Logf("%d logins of which %d were refused", s.logins.Load(), got.Refused)
				if got.Refused == 0 || got.Refused > 30 {
					t.Errorf("%d logins were refused, want at least the one that told of the rotation and no storm", got.Refused)
				}
				if err := s.k.Ready(worker); err != nil {
					t.Errorf("Ready() = %v", err)
				}
			})
		})
	}
}

// A cluster may ask connections that are open to log in again.
func TestAConnectionThatLogsInAgainTakesTheNextPassword(t *testing.T) {
	t.Parallel()
	runKeyed(t, plainFiles, func(s *keyed) {
		s.setBroker("connections.max.reauth.ms", "10000")
		s.reconnect()
		plainFiles(t, s.dir, map[string]string{"password": s.was, "password.next": "the next one"})
		s.alter("the next one")
		s.load(s.k, 30*time.Second, numbered(12))
		s.requireUsing("next")
		s.finish()
		t.Logf("%d logins of which %d were refused", s.logins.Load(), s.app.Credential().Refused)
	})
}

// setBroker sets a configuration of all brokers.
func (s *keyed) setBroker(name, value string) {
	s.t.Helper()
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	of := kmsg.NewIncrementalAlterConfigsRequestResource()
	of.ResourceType = kmsg.ConfigResourceTypeBroker
	cfg := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
	cfg.Name, cfg.Value = name, &value
	of.Configs = append(of.Configs, cfg)
	req.Resources = append(req.Resources, of)
	resp, err := req.RequestWith(context.Background(), s.k.Client())
	if err != nil || len(resp.Resources) != 1 || resp.Resources[0].ErrorCode != 0 {
		s.t.Fatalf("set %s: %v, %+v", name, err, resp)
	}
}

// TestARefusedLoginHammersNoAccount is F-55: the user is deleted, or its
// password is another than any that the service has.
func TestARefusedLoginHammersNoAccount(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		altered string
		files   map[string]string // beside the password
		most    int64             // logins a minute
	}{
		"user deleted":             {altered: "", most: 8},
		"wrong password":           {altered: "unknown to the service", most: 8},
		"two wrong passwords":      {altered: "unknown to the service", files: map[string]string{"password.next": "wrong too"}, most: 16},
		"another wrong one before": {altered: "unknown to the service", files: map[string]string{"password": "wrong as well"}, most: 16},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			runKeyed(t, plainFiles, func(s *keyed) {
				s.load(s.k, 3*time.Second, numbered(12))
				files := map[string]string{"password": s.was}
				maps.Copy(files, tt.files)
				plainFiles(t, s.dir, files)
				s.alter(tt.altered)
				s.load(s.k, 10*time.Second, numbered(12))
				if err := s.k.Ready(worker); err != nil || s.done() != s.sent {
					t.Errorf("%d of %d are settled and Ready() = %v while connections are open, want all", s.done(), s.sent, err)
				}
				before := s.logins.Load()
				for id := range 3 {
					s.k.CutBroker(id)()
				}
				s.k.Advance(time.Minute)
				first := s.logins.Load() - before
				s.k.Advance(4 * time.Minute)
				later := s.logins.Load() - before - first
				t.Logf("%d logins in the first minute, %.1f a minute in the next four", first, float64(later)/4)
				if first > 4*tt.most || later > 4*tt.most || later == 0 {
					t.Errorf("%d logins in the first minute and %d in the next four, want at most %d a minute and some", first, later, tt.most)
				}
				if err := s.k.Ready(worker); err == nil || !strings.Contains(err.Error(), "login to the cluster: refused for "+jobsGroup) {
					t.Errorf("Ready() = %v, want that the login is refused", err)
				}
				requireLogged(t, s.k, diag.KafkaLogin)
				s.alter(s.was)
				plainFiles(t, s.dir, map[string]string{"password": s.was})
				took := until(s.k, time.Minute, func() bool { return s.k.Ready(worker) == nil })
				if took < 0 || took > 2*toResume {
					t.Errorf("ready again after %v, want at most %v", took, 2*toResume)
				}
				s.load(s.k, 3*time.Second, numbered(12))
				s.await(s.k, s.sent, 10*time.Minute)
				s.judge(s.k, true)
				t.Logf("ready again after %v", took)
			})
		})
	}
}

// What is mounted may be half written, empty, gone or wrong: the password that
// works is kept.
func TestAFileThatCannotBeUsedKeepsThePasswordThatWorks(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		files  map[string]string
		using  string
		unread int64
		code   diag.Code
	}{
		"half written": {map[string]string{"password": "hal"}, "former", 0, diag.RuntimeCredentialFormer},
		"empty":        {map[string]string{"password": ""}, "current", 1, diag.RuntimeCredentialUnread},
		"line ends":    {map[string]string{"password": "\r\n\n"}, "current", 1, diag.RuntimeCredentialUnread},
		"gone":         {map[string]string{}, "current", 1, diag.RuntimeCredentialUnread},
		"a long file":  {map[string]string{"password": strings.Repeat("x", 1<<20)}, "current", 1, diag.RuntimeCredentialUnread},
		"empty next":   {map[string]string{"password": "", "password.next": ""}, "current", 2, diag.RuntimeCredentialUnread},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			runKeyed(t, plainFiles, func(s *keyed) {
				s.load(s.k, 3*time.Second, numbered(12))
				plainFiles(t, s.dir, tt.files)
				s.reconnect()
				got := s.app.Credential()
				if got.Using != tt.using || got.Refused != 0 || got.Unread != tt.unread {
					t.Errorf("using %q, %d refused, %d unread, want %s, none refused, %d unread", got.Using, got.Refused, got.Unread, tt.using, tt.unread)
				}
				requireLogged(t, s.k, tt.code)
				plainFiles(t, s.dir, map[string]string{"password": s.was})
				s.reconnect()
				s.requireUsing("current")
				s.finish()
			})
		})
	}
}
