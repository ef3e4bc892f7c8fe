package consul_test

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

	"github.com/slipway-go/slipway/config/consul"
	"github.com/slipway-go/slipway/diag"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestKeysBelowThePrefixAreSettings(t *testing.T) {
	withServer(t, func(s *server) {
		s.put("config/orders/", "") // a folder
		s.put("config/orders/kafka/consumer/concurrency", "32")
		s.put("config/orders/log.level", "debug")
		s.put("config/orders-eu/log.level", "warn") // another's
		source := s.source(nil)
		want := map[string]string{"kafka.consumer.concurrency": "32", "log.level": "debug"}
		if diff := cmp.Diff(want, s.load(source)); diff != "" {
			t.Error(diff)
		}
		given, err := source.Load(s.Context())
		if err != nil || given[1].At.File != "config/orders/log.level" || source.Name() != "consul" {
			t.Errorf("%v, %s is at %s, want config/orders/log.level", err, given[1].Key, given[1].At)
		}
	})
}

func TestAChangeIsToldAtOnceAndOnce(t *testing.T) {
	withServer(t, func(s *server) {
		s.put("config/orders/log.level", "info")
		source := s.source(nil)
		s.load(source)
		changes, stop := s.watch(source)
		defer stop()
		<-time.After(2 * time.Second)
		for i, level := range []string{"debug", "warn", "error"} {
			s.put("config/orders/log.level", level)
			if changes() != i+1 || s.load(source)["log.level"] != level {
				t.Errorf("told of %d changes at %s, want %d", changes(), level, i+1)
			}
			<-time.After(2 * time.Second)
		}
		s.put("config/other/log.level", "warn") // moves the index
		s.put("config/orders/log.level", "error")
		<-time.After(time.Hour)
		if changes() != 3 {
			t.Errorf("told of %d changes, want 3: the last writes changed nothing", changes())
		}
	})
}

func TestAQuietStoreIsHardlyAsked(t *testing.T) {
	withServer(t, func(s *server) {
		s.put("config/orders/log.level", "info")
		source := s.source(nil)
		s.load(source)
		_, stop := s.watch(source)
		defer stop()
		<-time.After(time.Hour)
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.asked > 13 {
			t.Errorf("asked %d times in an hour", s.asked)
		}
	})
}

func TestAnIndexThatGoesBackIsBegunAnew(t *testing.T) {
	withServer(t, func(s *server) {
		s.put("config/orders/log.level", "info")
		source := s.source(nil)
		s.load(source)
		changes, stop := s.watch(source)
		defer stop()
		<-time.After(2 * time.Second)
		s.set(func() { s.index, s.keys["config/orders/log.level"] = 2, "debug" }) // restored from a snapshot
		<-time.After(2 * time.Second)
		s.put("config/orders/log.level", "warn")
		<-time.After(2 * time.Second)
		if changes() != 2 {
			t.Errorf("told of %d changes, want 2", changes())
		}
	})
}

func TestKeysThatAreDeletedAreToldAsMissing(t *testing.T) {
	withServer(t, func(s *server) {
		s.put("config/orders/log.level", "info")
		source := s.source(nil)
		s.load(source)
		changes, stop := s.watch(source)
		defer stop()
		<-time.After(2 * time.Second)
		s.set(func() { clear(s.keys) })
		if _, err := source.Load(s.Context()); !errors.Is(err, diag.ConfigSourceMissing) || changes() != 1 {
			t.Errorf("%v and %d changes, want %s and 1", err, changes(), diag.ConfigSourceMissing)
		}
		<-time.After(2 * time.Second)
		s.put("config/orders/log.level", "info")
		if changes() != 2 { // before loading, which would forestall it
			t.Errorf("told of %d changes, want 2", changes())
		}
		if got := s.load(source)["log.level"]; got != "info" {
			t.Errorf("log.level is %q, want info", got)
		}
	})
}

func TestAWatcherOutlivesTheServersTroubles(t *testing.T) {
	withServer(t, func(s *server) {
		s.put("config/orders/log.level", "info")
		source := s.source(nil)
		s.load(source)
		changes, stop := s.watch(source)
		defer stop()
		s.set(func() { s.status = http.StatusInternalServerError })
		<-time.After(10 * time.Minute)
		s.set(func() { s.status, s.keys["config/orders/log.level"] = 0, "debug" })
		<-time.After(time.Minute)
		if changes() != 1 {
			t.Errorf("told of %d changes, want 1", changes())
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.asked > 40 {
			t.Errorf("asked %d times in ten minutes of trouble", s.asked)
		}
	})
}

func TestTheTokenIsReadFromItsFileEachTime(t *testing.T) {
	withServer(t, func(s *server) {
		s.put("config/orders/log.level", "info")
		s.token = token
		good, bad := s.file("good", token), s.file("bad", "hidden-token")
		s.load(s.source(func(c *consul.Config) { c.TokenFile = good }))
		_, err := s.source(func(c *consul.Config) { c.TokenFile = bad }).Load(s.Context())
		if !errors.Is(err, diag.ConfigSourceDenied) || strings.Contains(fmt.Sprintf("%+v", err), "hidden") {
			t.Errorf("%v, want %s and no token", err, diag.ConfigSourceDenied)
		}
		_, err = s.source(func(c *consul.Config) { c.TokenFile = "none" }).Load(s.Context())
		if !errors.Is(err, diag.ConfigSourceSetup) {
			t.Errorf("%v, want %s", err, diag.ConfigSourceSetup)
		}
	})
}

func TestEveryFaultHasItsCode(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(s *server)
		want   diag.Code
	}{
		"no key":      {func(*server) {}, diag.ConfigSourceMissing},
		"a folder":    {func(s *server) { s.keys["config/orders/"] = "" }, diag.ConfigSourceMissing},
		"no leader":   {func(s *server) { s.status = http.StatusInternalServerError }, diag.ConfigSourceAway},
		"rate limit":  {func(s *server) { s.status = http.StatusTooManyRequests }, diag.ConfigSourceBusy},
		"bad request": {func(s *server) { s.status = http.StatusBadRequest }, diag.ConfigSourceAnswer},
		"twice": {func(s *server) {
			s.keys["config/orders/log/level"], s.keys["config/orders/log.level"] = "info", "warn"
		}, diag.ConfigSourceAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			withServer(t, func(s *server) {
				tt.change(s)
				if _, err := s.source(nil).Load(s.Context()); !errors.Is(err, tt.want) {
					t.Errorf("%v, want %s", err, tt.want)
				}
			})
		})
	}
}

func TestAWrongSetupIsToldAtOnce(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(*consul.Config)
		want   string
	}{
		"nothing":              {func(c *consul.Config) { *c = consul.Config{} }, "Address is not a URL"},
		"no TLS":               {func(c *consul.Config) { c.Address = "http://consul.example:8500" }, "without TLS"},
		"no prefix":            {func(c *consul.Config) { c.Prefix = "/" }, "Prefix is empty"},
		"waits too long":       {func(c *consul.Config) { c.Wait = time.Hour }, "Wait is 1h0m0s"},
		"no CA file":           {func(c *consul.Config) { c.CA = "none.pem" }, "read the CA file"},
		"a CA file without CA": {func(c *consul.Config) { c.CA = "go.mod" }, "has no certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := consul.Config{Address: "https://consul.example:8501", Prefix: "config/orders"}
			tt.change(&cfg)
			_, err := consul.New(cfg)
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
	s.keys["config/orders/log.level"] = "info"
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
		source := s.source(func(c *consul.Config) { c.Address, c.CA, c.Dialer = web.URL, tt.ca, nil })
		if _, err := source.Load(t.Context()); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
	if s.asked != 1 {
		t.Errorf("asked %d times, want by who trusts it", s.asked)
	}
}
