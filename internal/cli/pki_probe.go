package cli

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/internal/secure"
	"github.com/slipway-go/slipway/pki/depot"
)

// probeTime bounds what one endpoint may take to answer.
const probeTime = 10 * time.Second

// probe asks the endpoints of the cluster, or nobody with --skip-endpoints.
func (r *replacement) probe() depot.Probe {
	if r.args.skip || r.cluster == nil {
		return nil
	}
	b := r.cluster.Bootstrap
	return func(ctx context.Context, e depot.Endpoint) ([]depot.Objection, error) {
		return probing{mtls: addresses(b.MTLS), others: append(addresses(b.SCRAM), addresses(b.Plain)...)}.ask(ctx, e)
	}
}

func addresses(list string) []string {
	var all []string
	for a := range strings.SplitSeq(list, ",") {
		if a = strings.TrimSpace(a); a != "" {
			all = append(all, a)
		}
	}
	return all
}

// A probing is which endpoints are asked: those that want a client certificate
// by a request of Kafka's, because under TLS 1.3 a refusal comes only then, and
// the others by a handshake.
type probing struct{ mtls, others []string }

// ask asks every endpoint and each broker that one of them tells of.
func (p probing) ask(ctx context.Context, e depot.Endpoint) ([]depot.Objection, error) {
	pool := x509.NewCertPool()
	for _, root := range e.Roots {
		pool.AddCert(root)
	}
	var mu sync.Mutex
	var found []depot.Objection
	object := func(address string, err error) {
		mu.Lock()
		defer mu.Unlock()
		found = append(found, objection(address, e, err))
	}
	asked := slices.Clone(p.mtls)
	told := atOnce(p.mtls, func(address string) []string {
		brokers, err := meet(ctx, address, pool, e)
		if err != nil {
			object(address, err)
		}
		return brokers
	})
	var more []string
	for _, address := range told {
		if !slices.Contains(asked, address) {
			asked, more = append(asked, address), append(more, address)
		}
	}
	atOnce(more, func(address string) []string {
		if _, err := meet(ctx, address, pool, e); err != nil {
			object(address, err)
		}
		return nil
	})
	atOnce(p.others, func(address string) []string {
		if err := shake(ctx, address, pool); err != nil {
			object(address, err)
		}
		return nil
	})
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	slices.SortFunc(found, func(a, b depot.Objection) int { return strings.Compare(a.What, b.What) })
	return found, nil
}

// atOnce asks all addresses at once and collects what they tell, sorted.
func atOnce(all []string, ask func(string) []string) []string {
	answers := make([][]string, len(all))
	var wg sync.WaitGroup
	for i, address := range all {
		wg.Go(func() { answers[i] = ask(address) })
	}
	wg.Wait()
	told := slices.Concat(answers...)
	slices.Sort(told)
	return slices.Compact(told)
}

// meet logs in at an endpoint by certificate and returns the brokers it tells.
func meet(ctx context.Context, address string, roots *x509.CertPool, e depot.Endpoint) ([]string, error) {
	c, err := kafka.Connect(ctx, kafka.Config{Bootstrap: address, Auth: contract.MTLS, TLS: secure.Client(roots, e.Leaf.TLS()), Timeout: probeTime})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return c.Addresses(ctx)
}

// shake finishes a handshake without a certificate.
func shake(ctx context.Context, address string, roots *x509.CertPool) error {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	cfg := secure.Client(roots)
	cfg.ServerName, _, _ = net.SplitHostPort(address)
	return tls.Client(conn, cfg).HandshakeContext(ctx)
}

// objection tells what an endpoint has against a phase.
func objection(address string, e depot.Endpoint, err error) depot.Objection {
	o := depot.Objection{What: address, Why: short(err)}
	_, unknown := errors.AsType[x509.UnknownAuthorityError](err)
	unknown = unknown || errors.Is(err, diag.KafkaUntrusted)
	switch {
	case unknown && e.To == depot.Retire, unknown && e.To == depot.Steady:
		o.Why = "it still presents a certificate that the old authority issued"
		o.Fix = "deliver its directory below issued and have the broker read its keystore again (slipway pki reload, or restart it)"
	case unknown:
		o.Why = "it presents a certificate of an authority that this PKI does not trust"
		o.Fix = "slipway pki inspect " + address + " shows it"
	case e.To == depot.Reissue && turnedDown(err):
		o.Why = "it does not accept a certificate of the new authority yet"
		o.Fix = "it must trust the new authority first: deliver ca.crt to it and have the broker read its truststore again (slipway pki reload, or restart it)"
	default:
		o.Fix = fmt.Sprintf("slipway pki inspect %s tells more; --skip-endpoints goes on without looking", address)
	}
	return o
}

// turnedDown reports whether an endpoint turned the certificate down, and did not
// fail in some other way.
func turnedDown(err error) bool {
	return strings.Contains(err.Error(), "remote error: tls: ") || slices.ContainsFunc(diag.Of(err), func(d diag.Diagnostic) bool {
		return slices.ContainsFunc(append(d.Evidence, d.Message), func(s string) bool { return strings.Contains(s, "remote error: tls: ") })
	})
}

// short is an error in one line.
func short(err error) string {
	if list := diag.Of(err); len(list) > 0 {
		text := list[0].Message
		if len(list[0].Evidence) > 0 {
			text += " (" + list[0].Evidence[0] + ")"
		}
		return text
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
