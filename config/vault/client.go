package vault

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/secret"
	"github.com/slipway-go/slipway/internal/secure"
)

// maxAnswer bounds what is read of an answer; a secret has at most 1 MiB.
const maxAnswer = 4 << 20

// A client speaks Vault's HTTP protocol.
type client struct {
	name      string
	base      *url.URL
	namespace string
	http      *http.Client
}

func newClient(cfg Config) (*client, error) {
	setup := func(format string, args ...any) error {
		return diag.New(diag.ConfigSourceSetup, "%s: "+format, append([]any{cfg.Name}, args...)...)
	}
	base, err := url.Parse(cfg.Address)
	if err != nil || base.Host == "" || base.User != nil {
		return nil, setup("Address is not a URL like https://vault.example:8200")
	}
	if base.Scheme != "https" && (base.Scheme != "http" || !loopback(base.Hostname())) {
		return nil, setup("%s is not spoken to without TLS", base.Host)
	}
	var roots *x509.CertPool
	if cfg.CA != "" {
		pem, err := os.ReadFile(cfg.CA)
		if err != nil {
			return nil, setup("read the CA file: %v", err)
		}
		if roots = x509.NewCertPool(); !roots.AppendCertsFromPEM(pem) {
			return nil, setup("the CA file %s has no certificate", cfg.CA)
		}
	}
	transport := secure.Transport(secure.Client(roots))
	if cfg.Dialer != nil {
		transport.DialContext = cfg.Dialer
	}
	return &client{cfg.Name, base, cfg.Namespace, &http.Client{Transport: transport, CheckRedirect: redirect}}, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// redirect lets a standby send us to the active node, which has another host:
// once, and never to where TLS is not spoken.
func redirect(to *http.Request, via []*http.Request) error {
	if len(via) > 1 {
		return errors.New("redirected twice")
	}
	if to.URL.Scheme != "https" && !loopback(to.URL.Hostname()) {
		return errors.New("redirected to an address without TLS")
	}
	return nil
}

// An answer is what Vault wraps everything in.
type answer struct {
	LeaseID       string          `json:"lease_id"`
	LeaseDuration int64           `json:"lease_duration"` // seconds
	Renewable     bool            `json:"renewable"`
	Data          json.RawMessage `json:"data"`
	Auth          *struct {
		ClientToken   string `json:"client_token"`
		LeaseDuration int64  `json:"lease_duration"`
		Renewable     bool   `json:"renewable"`
	} `json:"auth"`
	Errors []string `json:"errors"`
}

// A request is what is asked; its path is without /v1.
type request struct {
	method, path string
	token        secret.Secret
	body         any
	hidden       []string // what must not appear in an error
}

func (c *client) do(ctx context.Context, r request) (*answer, error) {
	var body io.Reader
	if r.body != nil {
		text, err := json.Marshal(r.body)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, c.base.JoinPath("v1", r.path).String(), body)
	if err != nil {
		return nil, diag.New(diag.ConfigSourceSetup, "%s: ask for %s: the path is not one", c.name, r.path)
	}
	req.Header.Set("X-Vault-Request", "true")
	if token := r.token.Reveal(); token != "" {
		req.Header.Set("X-Vault-Token", token)
		r.hidden = append(r.hidden, token)
	}
	if c.namespace != "" {
		req.Header.Set("X-Vault-Namespace", c.namespace)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, diag.New(diag.ConfigSourceAway, "%s: %s %s does not answer", c.name, c.base.Host, r.path).WithEvidence("%s", r.hide(err.Error()))
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, diag.New(diag.ConfigSourceAway, "%s: %s: the answer broke off", c.name, r.path).WithEvidence("%s", r.hide(err.Error()))
	case len(text) > maxAnswer:
		return nil, diag.New(diag.ConfigSourceAnswer, "%s: %s: the answer is longer than %d bytes", c.name, r.path, maxAnswer)
	}
	var a answer
	wrong := len(text) > 0 && json.Unmarshal(text, &a) != nil
	if resp.StatusCode >= 300 {
		return nil, c.judge(r, resp.StatusCode, a.Errors)
	}
	if wrong {
		return nil, diag.New(diag.ConfigSourceAnswer, "%s: %s: the answer is not one of Vault", c.name, r.path)
	}
	return &a, nil
}

// judge makes an error of a status.
func (c *client) judge(r request, status int, said []string) error {
	code, what := diag.ConfigSourceAway, fmt.Sprintf("the server is in trouble (%d)", status)
	switch {
	case status == http.StatusForbidden || status == http.StatusUnauthorized:
		code, what = diag.ConfigSourceDenied, "not allowed"
	case status == http.StatusNotFound:
		code, what = diag.ConfigSourceMissing, "there is nothing"
	case status == http.StatusTooManyRequests:
		code, what = diag.ConfigSourceBusy, "too many requests"
	case status == http.StatusServiceUnavailable || status == 472 || status == 473:
		code, what = diag.ConfigSourceSealed, "the server is sealed or a standby"
	case status < 500 && status != http.StatusPreconditionFailed:
		code, what = diag.ConfigSourceAnswer, fmt.Sprintf("the request is refused (%d)", status)
	}
	d := diag.New(code, "%s: %s: %s", c.name, r.path, what)
	for _, text := range said {
		d = d.WithEvidence("%.200s", r.hide(text))
	}
	return d
}

// hide takes out of a text what was sent and is secret.
func (r request) hide(text string) string {
	for _, s := range r.hidden {
		if s != "" {
			text = strings.ReplaceAll(text, s, "***")
		}
	}
	return text
}
