package serve

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/secure"
)

// Operators are whose certificates the admin endpoint obeys.
type operators struct {
	source secure.Source
	names  []string // common names; nil for all that the authorities vouch for
}

// certified reads who operates the service. The authorities that sign services
// vouch for no operator: where they are the endpoint's too, names or a token say
// who is one.
func certified(env slipway.Environment, files *secure.Files) (operators, error) {
	o := operators{source: files.Material}
	for name := range strings.SplitSeq(env.AdminPrincipals, ",") {
		if name = strings.TrimSpace(name); name != "" {
			o.names = append(o.names, name)
		}
	}
	if len(o.names) > 0 || env.AdminTokenFile != "" {
		return o, nil
	}
	cluster, err := secure.NewFiles(secure.FilesConfig{CA: env.CAFile})
	if err != nil {
		return o, diag.New(diag.RuntimeFileUnreadable, "read what TLS_CA_PATH names: %v", err)
	}
	services := cluster.Status().Roots
	for _, root := range files.Status().Roots {
		if slices.ContainsFunc(services, root.Equal) {
			return o, diag.New(diag.RuntimeAdminOpen, "the authority %s of ADMIN_CLIENT_CA_PATH is one of TLS_CA_PATH too: every service of the cluster could change how this one consumes", root.Subject).
				WithFix("name the operators' certificates in ADMIN_PRINCIPALS, such as admin-prod, or set ADMIN_TOKEN_PATH, or use an authority that signs operators only")
		}
	}
	return o, nil
}

// check fails unless the client of a connection is an operator, and is one still:
// connections are kept, and certificates end or are revoked meanwhile.
func (o operators) check(state *tls.ConnectionState) error {
	if state == nil || len(state.PeerCertificates) == 0 {
		return errors.New("the client showed no certificate")
	}
	now, err := o.source()
	if err != nil {
		return err
	}
	if err := now.Again(*state); err != nil {
		return fmt.Errorf("the client's certificate is not accepted any more: %w", err)
	}
	if leaf := state.PeerCertificates[0]; o.names != nil && !o.named(leaf) {
		return fmt.Errorf("ADMIN_PRINCIPALS does not have %q", leaf.Subject.CommonName)
	}
	return nil
}

func (o operators) named(leaf *x509.Certificate) bool {
	return slices.Contains(o.names, leaf.Subject.CommonName)
}

// only lets operators through. Whoever is not, or not any more, loses the
// connection.
func (o operators) only(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := o.check(r.TLS); err != nil {
			w.Header().Set("Connection", "close")
			refuse(w, http.StatusForbidden, diag.New(diag.RuntimeAdminDenied, "%v", err).
				WithFix("show a certificate of an operator's"))
			return
		}
		h.ServeHTTP(w, r)
	})
}
