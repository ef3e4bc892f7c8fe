package broker

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/slipway-go/slipway/internal/embedded"
)

// A Broker is a running cluster.
type Broker struct {
	Endpoint Endpoint
	Name     string // with its version
	close    func() error
}

// Close ends the cluster and removes what it stored.
func (b *Broker) Close() error { return b.close() }

// StartFake starts kfake in this process, which is not the arm's.
func StartFake(ctx context.Context, dir string) (*Broker, error) {
	cluster, err := embedded.Start(ctx, embedded.Config{Brokers: 1})
	if err != nil {
		return nil, err
	}
	b := &Broker{Name: "kfake", close: cluster.Close}
	admin := cluster.Admin()
	b.Endpoint, err = writeEndpoint(dir, strings.Join(cluster.Bootstrap(), ","), cluster.CA(), admin.Password)
	return b, err
}

func writeEndpoint(dir, bootstrap string, ca []byte, password string) (Endpoint, error) {
	e := Endpoint{
		Bootstrap: bootstrap, User: user,
		CAFile: filepath.Join(dir, "ca.crt"), PasswordFile: filepath.Join(dir, "password"),
	}
	if err := os.WriteFile(e.CAFile, ca, 0o600); err != nil {
		return e, err
	}
	return e, os.WriteFile(e.PasswordFile, []byte(password), 0o600)
}
