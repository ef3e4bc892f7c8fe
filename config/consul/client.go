package consul

import (
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
	"strconv"
	"strings"
	"time"

	"github.com/slipway-go/slipway/config"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/secure"
)

// maxAnswer bounds what is read of an answer. A value has at most 512 KiB, and is
// a third longer as it is sent.
const maxAnswer = 16 << 20

// A client speaks the part of Consul's HTTP protocol that reads keys.
type client struct {
	cfg    Config
	base   *url.URL
	prefix string // ends in a slash
	http   *http.Client
}

func newClient(cfg Config) (*client, error) {
	setup := func(format string, args ...any) error {
		return diag.New(diag.ConfigSourceSetup, "%s: "+format, append([]any{cfg.Name}, args...)...)
	}
	base, err := url.Parse(cfg.Address)
	if err != nil || base.Host == "" || base.User != nil {
		return nil, setup("Address is not a URL like https://consul.example:8501")
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
	unfollowed := func(*http.Request, []*http.Request) error { return errors.New("redirected, which Consul does not do") }
	return &client{cfg, base, strings.Trim(cfg.Prefix, "/") + "/", &http.Client{Transport: transport, CheckRedirect: unfollowed}}, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// request asks for all keys; with an index, for when they are newer than that.
func (c *client) request(ctx context.Context, index uint64) (*http.Request, error) {
	query := url.Values{"recurse": {"true"}, "consistent": {""}}
	if c.cfg.Datacenter != "" {
		query.Set("dc", c.cfg.Datacenter)
	}
	if index > 0 {
		query.Set("index", strconv.FormatUint(index, 10))
		query.Set("wait", c.cfg.Wait.String())
	}
	at := c.base.JoinPath("v1", "kv", c.prefix)
	at.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil || c.cfg.TokenFile == "" {
		return req, err
	}
	token, err := os.ReadFile(c.cfg.TokenFile)
	if err == nil && strings.TrimSpace(string(token)) == "" {
		err = errors.New("it is empty")
	}
	if err != nil {
		return nil, diag.New(diag.ConfigSourceSetup, "%s: read the token from %s: %v", c.cfg.Name, c.cfg.TokenFile, err)
	}
	req.Header.Set("X-Consul-Token", strings.TrimSpace(string(token)))
	return req, nil
}

// read returns the keys, sorted, and the index to wait for a newer one with. The
// index is known too where there are no keys.
func (c *client) read(ctx context.Context, index uint64) ([]config.Given, uint64, error) {
	// Consul adds up to a sixteenth to what it is asked to wait.
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Wait+c.cfg.Wait/16+10*time.Second)
	defer cancel()
	req, err := c.request(ctx, index)
	if err != nil {
		return nil, index, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, index, diag.New(diag.ConfigSourceAway, "%s: %s does not answer", c.cfg.Name, c.base.Host).WithEvidence("%v", err)
	}
	defer resp.Body.Close()
	next := max(1, number(resp.Header.Get("X-Consul-Index"))) // 0 would not block
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case resp.StatusCode != http.StatusOK:
		if resp.StatusCode != http.StatusNotFound {
			next = index
		}
		return nil, next, c.judge(resp.StatusCode)
	case err != nil:
		return nil, index, diag.New(diag.ConfigSourceAway, "%s: the answer of %s broke off", c.cfg.Name, c.base.Host).WithEvidence("%v", err)
	case len(text) > maxAnswer:
		return nil, index, diag.New(diag.ConfigSourceAnswer, "%s: there are more than %d bytes below %s", c.cfg.Name, maxAnswer, c.prefix)
	}
	given, err := c.parse(text)
	return given, next, err
}

func number(text string) uint64 {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// judge makes an error of a status. What Consul says beside it is left out: it
// names tokens.
func (c *client) judge(status int) error {
	code, what := diag.ConfigSourceAway, fmt.Sprintf("the server is in trouble (%d)", status)
	switch {
	case status == http.StatusForbidden || status == http.StatusUnauthorized:
		code, what = diag.ConfigSourceDenied, "not allowed"
	case status == http.StatusNotFound:
		code, what = diag.ConfigSourceMissing, "there is no key"
	case status == http.StatusTooManyRequests:
		code, what = diag.ConfigSourceBusy, "too many requests"
	case status < http.StatusInternalServerError:
		code, what = diag.ConfigSourceAnswer, fmt.Sprintf("the request is refused (%d)", status)
	}
	return diag.New(code, "%s: %s: %s", c.cfg.Name, c.prefix, what)
}

// parse reads what a query answers.
func (c *client) parse(text []byte) ([]config.Given, error) {
	var pairs []struct {
		Key   string
		Value []byte // sent as base64
	}
	if err := json.Unmarshal(text, &pairs); err != nil {
		return nil, diag.New(diag.ConfigSourceAnswer, "%s: the answer is not one of Consul", c.cfg.Name)
	}
	at := map[string]string{}
	var given []config.Given
	for _, p := range pairs {
		name, ok := strings.CutPrefix(p.Key, c.prefix)
		if !ok || name == "" || strings.HasSuffix(name, "/") {
			continue
		}
		key := strings.ReplaceAll(name, "/", ".")
		if first, twice := at[key]; twice {
			return nil, diag.New(diag.ConfigSourceAnswer, "%s: %s and %s are the same setting", c.cfg.Name, first, p.Key).WithFix("delete one of them")
		}
		at[key] = p.Key
		given = append(given, config.Given{Key: key, Text: string(p.Value), At: diag.Position{File: p.Key}})
	}
	if len(given) == 0 {
		return nil, c.judge(http.StatusNotFound)
	}
	return given, nil
}
