package up

import (
	"context"
	"crypto/tls"
	"path/filepath"
	"strings"
	"sync"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/dev"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/internal/secret"
	"github.com/slipway-go/slipway/internal/secure"
	"github.com/slipway-go/slipway/pki"
)

// startKafka starts Apache Kafka and a registry as processes, in the run's own
// directory.
func (r *run) startKafka(ctx context.Context) (*cluster, error) {
	d, err := dev.Up(ctx, dev.Config{
		Name:      "up",
		Dir:       filepath.Join(r.state.run(), "kafka"),
		Ephemeral: true,
		Getenv:    func(name string) string { return variable(name, r.cfg.Environ) },
		Report:    func(line string) { r.observe(Note{Text: line}) },
	})
	if err != nil {
		return nil, err
	}
	tellFailures := r.tellFailures(d)
	admin := d.Admin()
	c := &cluster{
		access: access{
			bootstrap: map[contract.Auth]string{contract.MTLS: d.MTLS(), contract.SCRAMSHA256: d.SCRAM(), contract.SCRAMSHA512: d.SCRAM()},
			ca:        d.Authority().PEM(),
			url:       d.Registry(),
			certificate: func(user string) (string, error) {
				login, err := d.Certificate(user)
				return login.Dir, err
			},
			admin: administrator{dir: admin.Dir},
		},
		stop: func() error {
			tellFailures()
			return d.Close()
		},
	}
	pair, err := tls.LoadX509KeyPair(filepath.Join(admin.Dir, pki.CertificateFile), filepath.Join(admin.Dir, pki.KeyFile))
	if err != nil {
		_ = c.stop()
		return nil, stateFault(err)
	}
	return c.connect(ctx, kafka.Config{
		Bootstrap: admin.Bootstrap,
		Auth:      contract.MTLS,
		TLS:       secure.Client(d.Authority().Pool(), pair),
	}, secret.Secret{})
}

// tellFailures tells of processes of the cluster that are no longer restarted,
// until the function that it returns is called.
func (r *run) tellFailures(d *dev.Cluster) (end func()) {
	ended := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case err := <-d.Failed():
				for _, fault := range diag.Of(err) {
					r.observe(Away{Diagnostic: fault})
				}
			case <-ended:
				return
			}
		}
	})
	return sync.OnceFunc(func() {
		close(ended)
		wg.Wait()
	})
}

// variable is the last value that environ gives a name, as in a process.
func variable(name string, environ []string) string {
	value := ""
	for _, entry := range environ {
		if v, ok := strings.CutPrefix(entry, name+"="); ok {
			value = v
		}
	}
	return value
}
