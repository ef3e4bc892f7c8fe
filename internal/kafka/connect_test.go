package kafka_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/auth"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/internal/secret"
)

func TestConnectLearnsTheClusterID(t *testing.T) {
	t.Parallel()
	server, client := certificates(t)
	_, cfg := serve(t, kfake.TLS(server))
	cfg.TLS = client
	dialled := make(chan string, 64)
	cfg.Dialer = func(ctx context.Context, network, address string) (net.Conn, error) {
		dialled <- address
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	c := connect(t, cfg)
	if c.ID() != clusterID || c.Brokers() != 3 {
		t.Errorf("connected to cluster %q of %d brokers, want %q of 3", c.ID(), c.Brokers(), clusterID)
	}
	if address := <-dialled; !strings.Contains(cfg.Bootstrap, address) {
		t.Errorf("dialled %s, want one of %s", address, cfg.Bootstrap)
	}
}

// TestARefusedConnectionSaysWhy runs every way to be turned away against a
// listener that does it.
func TestARefusedConnectionSaysWhy(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		want diag.Code
		cfg  func(*testing.T) kafka.Config
	}{
		"nobody listens": {diag.KafkaUnreachable, func(t *testing.T) kafka.Config {
			l := listen(t)
			address := l.Addr().String()
			_ = l.Close()
			return kafka.Config{Bootstrap: address}
		}},
		"nobody answers": {diag.KafkaTimeout, func(t *testing.T) kafka.Config {
			return kafka.Config{Bootstrap: listen(t).Addr().String(), Timeout: 200 * time.Millisecond}
		}},
		"wrong password": {diag.KafkaLogin, func(t *testing.T) kafka.Config {
			_, cfg := serve(t)
			cfg.Password = auth.Static(secret.New("eraser"))
			return cfg
		}},
		"unknown user": {diag.KafkaLogin, func(t *testing.T) kafka.Config {
			_, cfg := serve(t)
			cfg.User = "nobody"
			return cfg
		}},
		"user of another mechanism": {diag.KafkaLogin, func(t *testing.T) kafka.Config {
			_, cfg := serve(t)
			cfg.Auth = contract.SCRAMSHA256
			return cfg
		}},
		"mechanism not offered": {diag.KafkaMechanism, func(t *testing.T) kafka.Config {
			fake, cfg := serve(t)
			fake.ControlKey(int16(kmsg.SASLHandshake), func(req kmsg.Request) (kmsg.Response, error, bool) {
				fake.KeepControl()
				resp := req.ResponseKind().(*kmsg.SASLHandshakeResponse)
				resp.ErrorCode, resp.SupportedMechanisms = kerr.UnsupportedSaslMechanism.Code, []string{"OAUTHBEARER"}
				return resp, nil, true
			})
			return cfg
		}},
		"no login": {diag.KafkaLoginMissing, func(t *testing.T) kafka.Config {
			server, client := certificates(t)
			_, cfg := serve(t, kfake.TLS(server))
			return kafka.Config{Bootstrap: cfg.Bootstrap, TLS: client}
		}},
		"foreign authority": {diag.KafkaUntrusted, func(t *testing.T) kafka.Config {
			server, _ := certificates(t)
			_, cfg := serve(t, kfake.TLS(server))
			cfg.TLS = &tls.Config{RootCAs: x509.NewCertPool()}
			return cfg
		}},
		"certificate for another name": {diag.KafkaUntrusted, func(t *testing.T) kafka.Config {
			server, client := certificates(t)
			_, cfg := serve(t, kfake.TLS(server))
			cfg.TLS = client
			cfg.TLS.ServerName = "kafka.prod.test"
			return cfg
		}},
		"client certificate missing": {diag.KafkaCertificate, func(t *testing.T) kafka.Config {
			server, client := certificates(t)
			server.ClientAuth = tls.RequireAnyClientCert
			_, cfg := serve(t, kfake.TLS(server))
			cfg.TLS = client
			return cfg
		}},
		"TLS to a plaintext listener": {diag.KafkaTLSMismatch, func(t *testing.T) kafka.Config {
			l := listen(t) // Kafka takes the greeting for an oversized request and hangs up
			go func() {
				for {
					conn, err := l.Accept()
					if err != nil {
						return
					}
					_, _ = io.ReadFull(conn, make([]byte, 4))
					_ = conn.Close()
				}
			}()
			_, client := certificates(t)
			return kafka.Config{Bootstrap: l.Addr().String(), TLS: client}
		}},
		"TLS to a silent listener": {diag.KafkaTLSMismatch, func(t *testing.T) kafka.Config {
			_, client := certificates(t)
			silent := listen(t).Addr().String()
			return kafka.Config{Bootstrap: silent + "," + silent + "," + silent, TLS: client, Timeout: 400 * time.Millisecond}
		}},
		"plaintext to a TLS listener": {diag.KafkaTLSMismatch, func(t *testing.T) kafka.Config {
			server, _ := certificates(t)
			_, cfg := serve(t, kfake.TLS(server))
			return cfg
		}},
		"absurd iterations": {diag.KafkaIterations, func(t *testing.T) kafka.Config {
			fake, cfg := serve(t)
			fake.ControlKey(int16(kmsg.SASLAuthenticate), func(req kmsg.Request) (kmsg.Response, error, bool) {
				fake.KeepControl()
				_, nonce, _ := strings.Cut(string(req.(*kmsg.SASLAuthenticateRequest).SASLAuthBytes), ",r=")
				resp := req.ResponseKind().(*kmsg.SASLAuthenticateResponse)
				resp.SASLAuthBytes = []byte("r=" + nonce + "x,s=c2FsdHNhbHQ=,i=2000000000")
				return resp, nil, true
			})
			return cfg
		}},
		"in the clear to another machine": {diag.KafkaPlaintext, func(*testing.T) kafka.Config {
			return kafka.Config{Bootstrap: "kafka.example:9092"}
		}},
		"PLAIN in the clear": {diag.KafkaPlaintext, func(t *testing.T) kafka.Config {
			_, cfg := serve(t)
			cfg.Auth = contract.Plain
			return cfg
		}},
		"no address": {diag.KafkaAddress, func(*testing.T) kafka.Config { return kafka.Config{Bootstrap: "kafka"} }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := tt.cfg(t)
			c, err := kafka.Connect(t.Context(), cfg)
			if err == nil {
				c.Close()
			}
			if !errors.Is(err, tt.want) {
				t.Fatalf("Connect() = %v %q, want %s", err, evidence(err), tt.want)
			}
			if text := err.Error(); strings.Contains(text, "pencil") || strings.Contains(text, "eraser") {
				t.Errorf("the password is in %q", text)
			}
		})
	}
}

func evidence(err error) (lines []string) {
	for _, d := range diag.Of(err) {
		lines = append(lines, d.Evidence...)
	}
	return lines
}

// listen accepts connections and never says a word.
func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func TestCancellationIsNotDressedUpAsAFailure(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := kafka.Connect(ctx, kafka.Config{Bootstrap: listen(t).Addr().String()})
	if !errors.Is(err, context.Canceled) || len(diag.Of(err)) > 0 {
		t.Errorf("Connect() = %v, want context.Canceled and no diagnostic", err)
	}
}

func TestARefusedLoginIsNotRepeatedUntilTheTimeout(t *testing.T) {
	t.Parallel()
	_, cfg := serve(t)
	cfg.Password = auth.Static(secret.New("eraser"))
	cfg.Timeout = time.Hour
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if _, err := kafka.Connect(ctx, cfg); !errors.Is(err, diag.KafkaLogin) {
		t.Errorf("Connect() = %v, want %s", err, diag.KafkaLogin)
	}
}
