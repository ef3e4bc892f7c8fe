package auth_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/auth"
)

func TestAFailureIsToldByItsCause(t *testing.T) {
	t.Parallel()
	var (
		scram = auth.Attempt{Bootstrap: "kafka.example:9094", Auth: contract.SCRAMSHA512, User: "svc-orders-prod", TLS: true}
		mtls  = auth.Attempt{Bootstrap: "kafka.example:9093", Auth: contract.MTLS, TLS: true}
		plain = auth.Attempt{Bootstrap: "127.0.0.1:9092"}
	)
	alert := func(text string) error {
		return fmt.Errorf("read: %w", &net.OpError{Op: "remote error", Err: errors.New("tls: " + text)})
	}
	for name, tt := range map[string]struct {
		err     error
		attempt auth.Attempt
		want    diag.Code
		message string
	}{
		"refused":              {&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, scram, diag.KafkaUnreachable, "nothing answers at kafka.example:9094"},
		"no such name":         {&net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "kafka.example", IsNotFound: true}}, scram, diag.KafkaUnreachable, "does not resolve"},
		"reset":                {&net.OpError{Op: "read", Err: syscall.ECONNRESET}, scram, diag.KafkaUnreachable, "broke"},
		"deadline":             {fmt.Errorf("ping: %w", context.DeadlineExceeded), scram, diag.KafkaTimeout, "does not answer"},
		"dial timeout":         {&net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}, scram, diag.KafkaTimeout, "does not answer"},
		"said no":              {kerr.SaslAuthenticationFailed, scram, diag.KafkaLogin, "refused the login of svc-orders-prod"},
		"hung up at login":     {io.EOF, scram, diag.KafkaLogin, "during the login of svc-orders-prod"},
		"hung up mid-message":  {io.ErrUnexpectedEOF, scram, diag.KafkaLogin, "during the login"},
		"no such mechanism":    {kerr.UnsupportedSaslMechanism, scram, diag.KafkaMechanism, "does not offer SCRAM-SHA-512"},
		"unexpected login":     {kerr.IllegalSaslState, scram, diag.KafkaLoginMissing, "expects no SCRAM-SHA-512 login"},
		"hung up, no login":    {io.EOF, mtls, diag.KafkaLoginMissing, "without a login"},
		"unknown authority":    {&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, scram, diag.KafkaUntrusted, "CA that is not trusted"},
		"other name":           {&tls.CertificateVerificationError{Err: x509.HostnameError{Certificate: &x509.Certificate{}, Host: "10.0.0.1"}}, scram, diag.KafkaUntrusted, "does not name 10.0.0.1"},
		"expired":              {&tls.CertificateVerificationError{Err: x509.CertificateInvalidError{Cert: &x509.Certificate{}, Reason: x509.Expired}}, scram, diag.KafkaUntrusted, "expired"},
		"otherwise bad":        {&tls.CertificateVerificationError{Err: errors.New("odd")}, scram, diag.KafkaUntrusted, "cannot be verified"},
		"certificate required": {alert("certificate required"), scram, diag.KafkaCertificate, "demands a client certificate and got none"},
		"TLS 1.2 without one":  {alert("bad certificate"), scram, diag.KafkaCertificate, "demands a client certificate"},
		"certificate expired":  {alert("expired certificate"), mtls, diag.KafkaCertificate, "refused the client certificate: expired certificate"},
		"certificate unknown":  {alert("unknown certificate authority"), mtls, diag.KafkaCertificate, "unknown certificate authority"},
		"no common version":    {alert("protocol version not supported"), mtls, diag.KafkaTLSMismatch, "cannot agree on TLS"},
		"TLS to plaintext":     {tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}, scram, diag.KafkaTLSMismatch, "does not speak TLS"},
		"plaintext to TLS":     {errors.Join(errors.New("closed the connection immediately during api versions negotiation"), io.EOF), plain, diag.KafkaTLSMismatch, "without TLS at once"},
		"hung up at TLS":       {&auth.HandshakeError{Err: io.EOF}, scram, diag.KafkaTLSMismatch, "does not answer to TLS"},
		"silent at TLS":        {&auth.HandshakeError{Err: context.DeadlineExceeded}, mtls, diag.KafkaTLSMismatch, "does not answer to TLS"},
		"untrusted at TLS":     {&auth.HandshakeError{Err: &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}}, mtls, diag.KafkaUntrusted, "not trusted"},
		"hung up after a dial": {errors.Join(errors.New("closed the connection immediately after a dial"), io.EOF), scram, diag.KafkaTLSMismatch, "does not answer to TLS"},
		"denied":               {kerr.ClusterAuthorizationFailed, scram, diag.KafkaDenied, "svc-orders-prod"},
		"denied a topic":       {kerr.TopicAuthorizationFailed, plain, diag.KafkaDenied, "this client"},
		"any answer":           {kerr.InvalidConfig, scram, diag.KafkaRefused, "INVALID_CONFIG"},
		"anything":             {errors.New("odd"), scram, diag.KafkaRefused, "talking to"},
		"coded already":        {fmt.Errorf("x: %w", diag.New(diag.KafkaIterations, "absurd")), scram, diag.KafkaIterations, "absurd"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := auth.Diagnose(tt.err, tt.attempt)
			if got.Code != tt.want || !strings.Contains(got.Message, tt.message) {
				t.Errorf("Diagnose(%v) = %v, want %s with %q", tt.err, got, tt.want, tt.message)
			}
			if got.Remedy() == "" {
				t.Error("there is no fix")
			}
			if name != "coded already" && len(got.Evidence) != 1 {
				t.Errorf("evidence is %q, want the error's text", got.Evidence)
			}
		})
	}
}

func TestOnlyThisMachineIsSpokenToInTheClear(t *testing.T) {
	t.Parallel()
	for bootstrap, tt := range map[string]struct {
		kind    contract.Auth
		refused bool
	}{
		"127.0.0.1:9092":                   {contract.SCRAMSHA512, false},
		"127.8.9.1:9092":                   {"", false},
		"[::1]:9092":                       {"", false},
		"localhost:9092":                   {contract.SCRAMSHA256, false},
		"127.0.0.1:9093":                   {contract.Plain, true},
		"kafka.example:9092":               {"", true},
		"10.0.0.1:9092":                    {contract.SCRAMSHA512, true},
		"0.0.0.0:9092":                     {"", true},
		"127.0.0.1:9092,kafka.example:1":   {"", true},
		"localhost.example:9092":           {"", true},
		"127.0.0.1.example:9092":           {"", true},
		"[::ffff:10.0.0.1]:9092":           {"", true},
		"127.0.0.1:9092, localhost:9093  ": {"", false},
	} {
		t.Run(bootstrap, func(t *testing.T) {
			t.Parallel()
			addrs, err := auth.Addresses(bootstrap)
			if err != nil {
				t.Fatal(err)
			}
			err = auth.RequireTLS(addrs, tt.kind)
			if got := errors.Is(err, diag.KafkaPlaintext); got != tt.refused {
				t.Errorf("RequireTLS(%s, %q) = %v, want refused %t", bootstrap, tt.kind, err, tt.refused)
			}
		})
	}
}

func TestAddressesAreHostAndPort(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", " ", "kafka", "kafka:", ":9092", "a:1,,b:2", "a:1,", "::1:9092", "http://a:1:2"} {
		if got, err := auth.Addresses(bad); !errors.Is(err, diag.KafkaAddress) {
			t.Errorf("Addresses(%q) = %q, %v, want %s", bad, got, err, diag.KafkaAddress)
		}
	}
}

func FuzzAddresses(f *testing.F) {
	f.Add("a:1,b:2")
	f.Add("[::1]:9092 , x:y")
	f.Fuzz(func(t *testing.T, s string) {
		addrs, err := auth.Addresses(s)
		if err != nil {
			return
		}
		for _, a := range addrs {
			if host, port, err := net.SplitHostPort(a); err != nil || host == "" || port == "" {
				t.Errorf("Addresses(%q) passed %q", s, a)
			}
		}
	})
}
