package broker

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// user is the one identity of the benchmarks; it may do everything.
const user = "admin"

// An Endpoint is how an arm connects. It is handed to the arm's process as
// JSON.
type Endpoint struct {
	Bootstrap    string `json:"bootstrap"`           // TLS and SCRAM-SHA-512
	Plaintext    string `json:"plaintext,omitempty"` // the listener without either; real Kafka only
	CAFile       string `json:"ca"`
	User         string `json:"user"`
	PasswordFile string `json:"password"`
}

// Secured reports whether the endpoint speaks TLS and SCRAM.
func (e Endpoint) Secured() bool { return e.CAFile != "" }

// Bare is the endpoint's plaintext listener.
func (e Endpoint) Bare() Endpoint { return Endpoint{Bootstrap: e.Plaintext} }

// Password reads the user's password.
func (e Endpoint) Password() (string, error) {
	b, err := os.ReadFile(e.PasswordFile)
	return string(b), err
}

// TLS is the client's configuration.
func (e Endpoint) TLS() (*tls.Config, error) {
	pem, err := os.ReadFile(e.CAFile)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate", e.CAFile)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool}, nil
}

// Options connect a franz-go client.
func (e Endpoint) Options() ([]kgo.Opt, error) {
	opts := []kgo.Opt{kgo.SeedBrokers(strings.Split(e.Bootstrap, ",")...)}
	if !e.Secured() {
		return opts, nil
	}
	config, err := e.TLS()
	if err != nil {
		return nil, err
	}
	password, err := e.Password()
	if err != nil {
		return nil, err
	}
	mechanism := scram.Auth{User: e.User, Pass: password}.AsSha512Mechanism()
	return append(opts, kgo.DialTLSConfig(config), kgo.SASL(mechanism)), nil
}
