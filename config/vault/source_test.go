package vault_test

import (
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/slipway-go/slipway/config/vault"
	"github.com/slipway-go/slipway/diag"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func credentials(c *vault.Config) {
	c.KV = nil
	c.Dynamic = []vault.Dynamic{{Path: "database/creds/orders", Keys: map[string]string{
		"database.url":  "postgres://{username}:{password}@db.example/orders",
		"database.user": "{username}",
	}}}
}

func TestASecretsKeysAreSettings(t *testing.T) {
	withServer(t, func(s *server) {
		s.put("services/orders", map[string]any{
			"database.url": "postgres://a:b@c/d", "kafka.consumer.concurrency": 32, "checkout.fee": 2.50, "spill.on": true, "admin.principals": []any{"a", "b"},
		})
		source := s.source(nil)
		want := map[string]string{
			"database.url": "postgres://a:b@c/d", "kafka.consumer.concurrency": "32", "checkout.fee": "2.5", "spill.on": "true", "admin.principals": "a b",
		}
		if diff := cmp.Diff(want, s.load(source)); diff != "" {
			t.Error(diff)
		}
		given, err := source.Load(s.Context())
		if err != nil || given[0].At.File != "secret/services/orders" || source.Name() != "vault" {
			t.Errorf("%v, the first is at %s, want secret/services/orders", err, given[0].At)
		}
		if text := fmt.Sprintf("%v %+v", given, source); strings.Contains(text, "a:b@c") {
			t.Errorf("printing shows a value: %s", text)
		}
	})
}

func TestEveryWayToLogIn(t *testing.T) {
	for name, auth := range map[string]func(s *server) vault.Auth{
		"token file": func(s *server) vault.Auth {
			s.tokens["hvs.agent"] = time.Time{}
			return vault.TokenFile{Path: s.file("token", "hvs.agent")}
		},
		"Kubernetes": func(s *server) vault.Auth {
			return vault.Kubernetes{Role: role, Mount: "k8s-prod", JWT: s.file("jwt", jwt)}
		},
		"AppRole": func(s *server) vault.Auth {
			return vault.AppRole{RoleID: role, SecretID: s.file("id", secretID)}
		},
	} {
		t.Run(name, func(t *testing.T) {
			withServer(t, func(s *server) {
				s.put("services/orders", map[string]any{"log.level": "debug"})
				source := s.source(func(c *vault.Config) { c.Auth = auth(s) })
				for range 3 {
					if got := s.load(source)["log.level"]; got != "debug" {
						t.Errorf("log.level is %q", got)
					}
				}
				if logins, _, _ := s.counts(); logins > 1 {
					t.Errorf("%d logins for three loads", logins)
				}
			})
		})
	}
}

func TestLoadingAgainMakesNoNewCredential(t *testing.T) {
	withServer(t, func(s *server) {
		source := s.source(credentials)
		for range 5 {
			want := map[string]string{"database.url": "postgres://v-orders-1:p%2Fw%401@db.example/orders", "database.user": "v-orders-1"}
			if diff := cmp.Diff(want, s.load(source)); diff != "" {
				t.Error(diff)
			}
		}
	})
}

func TestALeaseIsRenewedAtTwoThirds(t *testing.T) {
	withServer(t, func(s *server) {
		source := s.source(credentials)
		s.load(source)
		changes, stop := s.watch(source)
		defer stop()
		<-time.After(39 * time.Minute)
		if _, _, n := s.counts(); n != 0 {
			t.Errorf("%d renewals before two thirds of an hour", n)
		}
		<-time.After(2 * time.Minute)
		if _, _, n := s.counts(); n != 2 {
			t.Errorf("%d renewals after two thirds of an hour, want the token's and the lease's", n)
		}
		<-time.After(24 * time.Hour)
		if logins, made, _ := s.counts(); logins != 1 || made != 1 || changes() != 0 {
			t.Errorf("%d logins, %d credentials, %d changes in a day, want 1, 1 and none", logins, made, changes())
		}
		s.load(source)
	})
}

func TestANewCredentialIsMadeBeforeTheOldOneEnds(t *testing.T) {
	withServer(t, func(s *server) {
		s.tokens["hvs.agent"] = time.Time{} // for ever: it is the lease that ends
		s.most = 2 * time.Hour
		source := s.source(func(c *vault.Config) {
			credentials(c)
			c.Auth = vault.TokenFile{Path: s.file("token", "hvs.agent")}
		})
		first := s.load(source)["database.user"]
		changes, stop := s.watch(source)
		defer stop()
		<-time.After(2*time.Hour - time.Minute)
		if changes() != 1 {
			t.Fatalf("told of %d changes before the end of the first credential, want 1", changes())
		}
		if second := s.load(source)["database.user"]; second == first || second != "v-orders-2" {
			t.Errorf("user %s after %s, want v-orders-2", second, first)
		}
	})
}

func TestANewTokenBringsNewCredentials(t *testing.T) {
	withServer(t, func(s *server) {
		s.most = 90 * time.Minute
		source := s.source(credentials)
		s.load(source)
		changes, stop := s.watch(source)
		defer stop()
		<-time.After(90*time.Minute - time.Second)
		logins, made, _ := s.counts()
		if logins != 2 || made < 2 || changes() == 0 {
			t.Errorf("%d logins, %d credentials, %d changes, want a second login, and with it a second credential", logins, made, changes())
		}
	})
}

func TestARevokedTokenIsReplacedOnce(t *testing.T) {
	withServer(t, func(s *server) {
		s.put("services/orders", map[string]any{"log.level": "debug"})
		source := s.source(func(c *vault.Config) {
			kv := c.KV
			credentials(c)
			c.KV = kv
		})
		s.load(source)
		s.set(func() { clear(s.tokens) })
		if got := s.load(source)["database.user"]; got != "v-orders-2" {
			t.Errorf("user is %s: its lease ended with the token", got)
		}
		if logins, _, _ := s.counts(); logins != 2 {
			t.Errorf("%d logins, want 2", logins)
		}
	})
}

func TestALeaseIsKeptThroughAnOutage(t *testing.T) {
	withServer(t, func(s *server) {
		source := s.source(credentials)
		s.load(source)
		changes, stop := s.watch(source)
		defer stop()
		<-time.After(30 * time.Minute)
		s.set(func() { s.status, s.asked = http.StatusServiceUnavailable, nil })
		<-time.After(20 * time.Minute)
		s.set(func() {
			if n := len(s.asked); n > 100 {
				t.Errorf("asked %d times in ten minutes of trouble", n)
			}
			s.status = 0
		})
		<-time.After(5 * time.Minute)
		if logins, made, renewals := s.counts(); logins != 1 || made != 1 || renewals != 2 || changes() != 0 {
			t.Errorf("%d logins, %d credentials, %d renewals, want 1, 1 and 2", logins, made, renewals)
		}
	})
}

func TestAChangedSecretIsTold(t *testing.T) {
	withServer(t, func(s *server) {
		s.put("services/orders", map[string]any{"log.level": "info"})
		source := s.source(nil)
		s.load(source)
		changes, stop := s.watch(source)
		defer stop()
		<-time.After(5 * time.Minute)
		if changes() != 0 {
			t.Errorf("told of %d changes, and there was none", changes())
		}
		s.put("services/orders", map[string]any{"log.level": "debug"})
		<-time.After(vault.DefaultPoll + time.Second)
		if changes() != 1 || s.load(source)["log.level"] != "debug" {
			t.Errorf("told of %d changes, want 1", changes())
		}
		<-time.After(5 * time.Minute)
		if changes() != 1 {
			t.Errorf("told of %d changes, want still 1", changes())
		}
	})
}

func TestEveryFaultHasItsCodeAndShowsNoSecret(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(s *server)
		config func(s *server, c *vault.Config)
		want   diag.Code
	}{
		"sealed":     {change: func(s *server) { s.status = http.StatusServiceUnavailable }, want: diag.ConfigSourceSealed},
		"standby":    {change: func(s *server) { s.status = 473 }, want: diag.ConfigSourceSealed},
		"in trouble": {change: func(s *server) { s.status = http.StatusInternalServerError }, want: diag.ConfigSourceAway},
		"rate limit": {change: func(s *server) { s.status = http.StatusTooManyRequests }, want: diag.ConfigSourceBusy},
		"nothing":    {want: diag.ConfigSourceMissing},
		"a mapping": {
			change: func(s *server) {
				s.secrets["services/orders"] = map[string]any{"a": map[string]any{"b": "hidden-value"}}
			},
			want: diag.ConfigSourceAnswer,
		},
		"another's path": {config: func(_ *server, c *vault.Config) { c.KV[0].Path = "services/other" }, want: diag.ConfigSourceDenied},
		"wrong secret id": {
			config: func(s *server, c *vault.Config) {
				c.Auth = vault.AppRole{RoleID: role, SecretID: s.file("wrong", "hidden-id")}
			},
			want: diag.ConfigSourceLogin,
		},
		"ended token": {
			config: func(s *server, c *vault.Config) {
				c.Auth = vault.TokenFile{Path: s.file("ended", "hidden-token")}
			},
			want: diag.ConfigSourceLogin,
		},
		"no token": {config: func(_ *server, c *vault.Config) { c.Auth = vault.TokenFile{Path: "none"} }, want: diag.ConfigSourceSetup},
		"no field": {
			config: func(_ *server, c *vault.Config) {
				c.KV = nil
				c.Dynamic = []vault.Dynamic{{Path: "database/creds/orders", Keys: map[string]string{"a.b": "{user}"}}}
			},
			want: diag.ConfigSourceAnswer,
		},
	} {
		t.Run(name, func(t *testing.T) {
			withServer(t, func(s *server) {
				if tt.change != nil {
					tt.change(s)
				}
				source := s.source(func(c *vault.Config) {
					if tt.config != nil {
						tt.config(s, c)
					}
				})
				_, err := source.Load(s.Context())
				if !errors.Is(err, tt.want) {
					t.Fatalf("%v, want %s", err, tt.want)
				}
				text := fmt.Sprintf("%+v %+v", err, diag.Of(err))
				for _, hidden := range []string{"hidden", secretID, "hvs.", "p/w@"} {
					if strings.Contains(text, hidden) {
						t.Errorf("the error shows %s: %s", hidden, text)
					}
				}
			})
		})
	}
}

func TestARefusedLoginIsNotRepeatedAtOnce(t *testing.T) {
	withServer(t, func(s *server) {
		source := s.source(func(c *vault.Config) {
			c.Auth = vault.AppRole{RoleID: role, SecretID: s.file("wrong", "other")}
		})
		for range 50 {
			if _, err := source.Load(s.Context()); !errors.Is(err, diag.ConfigSourceLogin) {
				t.Fatal(err)
			}
			<-time.After(100 * time.Millisecond)
		}
		if logins, _, _ := s.counts(); logins != 1 {
			t.Errorf("%d logins in five seconds, want 1", logins)
		}
		<-time.After(vault.LoginPause)
		_, _ = source.Load(s.Context())
		if logins, _, _ := s.counts(); logins != 2 {
			t.Errorf("%d logins after the pause, want 2", logins)
		}
	})
}

func TestAWrongSetupIsToldAtOnce(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(*vault.Config)
		want   string
	}{
		"nothing":              {func(c *vault.Config) { *c = vault.Config{} }, "Address is not a URL"},
		"no TLS":               {func(c *vault.Config) { c.Address = "http://vault.example:8200" }, "without TLS"},
		"a login in the URL":   {func(c *vault.Config) { c.Address = "https://a:b@vault.example" }, "Address is not a URL"},
		"no auth":              {func(c *vault.Config) { c.Auth = nil }, "Auth is not given"},
		"nothing to read":      {func(c *vault.Config) { c.KV = nil }, "nothing to read"},
		"no path":              {func(c *vault.Config) { c.KV[0].Path = "" }, "KV 0 has no Path"},
		"no keys":              {func(c *vault.Config) { c.Dynamic = []vault.Dynamic{{Path: "a"}} }, "Dynamic 0 needs Path and Keys"},
		"too often":            {func(c *vault.Config) { c.Poll = time.Millisecond }, "Poll is 1ms"},
		"no CA file":           {func(c *vault.Config) { c.CA = "none.pem" }, "read the CA file"},
		"a CA file without CA": {func(c *vault.Config) { c.CA = "go.mod" }, "has no certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := vault.Config{Address: "https://vault.example:8200", Auth: vault.TokenFile{Path: "token"}, KV: []vault.KV{{Path: "a"}}}
			tt.change(&cfg)
			_, err := vault.New(cfg)
			if !errors.Is(err, diag.ConfigSourceSetup) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %s: %s", err, diag.ConfigSourceSetup, tt.want)
			}
		})
	}
}

// TestTheServersCertificateIsVerified is over TLS on a real connection.
func TestTheServersCertificateIsVerified(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.secrets["services/orders"] = map[string]any{"log.level": "debug"}
	web := httptest.NewUnstartedServer(s)
	web.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError) // of the handshake that is meant to fail
	web.StartTLS()
	t.Cleanup(web.Close)
	ca := s.file("ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.Certificate().Raw})))
	for name, tt := range map[string]struct {
		ca   string
		want error
	}{
		"trusted":   {ca: ca},
		"a strange": {want: diag.ConfigSourceAway},
	} {
		source := s.source(func(c *vault.Config) { c.Address, c.CA, c.Dialer = web.URL, tt.ca, nil })
		if _, err := source.Load(t.Context()); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
	if logins, _, _ := s.counts(); logins != 1 {
		t.Errorf("%d logins reached the server, want that of who trusts it", logins)
	}
}
