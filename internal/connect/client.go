package connect

import (
	"cmp"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/secure"
)

const (
	maxBody    = 32 << 20
	maxMessage = 4 << 10
)

// A Config says how to reach Kafka Connect.
type Config struct {
	// URL is the address of its REST API, such as
	// https://connect.example.com:8083. It must not carry a user or password.
	URL string

	// Credentials returns "user:password" for basic authentication. It is
	// asked before every request, so that a rotated one needs no restart. Nil
	// or an empty answer sends none.
	Credentials func() (string, error)

	// Pause is the wait before a request is repeated that came while workers
	// share out their work.
	//
	// Defaults to half a second.
	Pause time.Duration

	// Timeout bounds one request from dialling to the last byte. Validating
	// can take long: the plugin may try to reach what it connects to.
	//
	// Defaults to 30 seconds.
	Timeout time.Duration

	// TLS is used for https. Defaults to the system's authorities and TLS 1.2
	// or newer.
	TLS *tls.Config
}

// A Client asks and tells a Connect cluster. It is safe for concurrent use.
type Client struct {
	base        *url.URL
	credentials func() (string, error)
	http        *http.Client
	pause       time.Duration
}

// New returns a client. It connects to nothing yet.
func New(cfg Config) (*Client, error) {
	base, err := parseBase(cfg.URL)
	if err != nil {
		return nil, err
	}
	return &Client{
		base:        base,
		credentials: cfg.Credentials,
		pause:       cmp.Or(cfg.Pause, 500*time.Millisecond),
		http: &http.Client{
			Timeout:       cmp.Or(cfg.Timeout, 30*time.Second),
			Transport:     secure.Transport(cfg.TLS),
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// Close closes idle connections. The client stays usable.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// parseBase keeps the text itself out of the message where it may hold a
// password.
func parseBase(text string) (*url.URL, error) {
	base, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, diag.New(diag.ConnectAddress, "the address of Kafka Connect is not a URL")
	case base.User != nil:
		return nil, diag.New(diag.ConnectAddress, "the address of Kafka Connect at %s carries a user or a password", base.Host)
	case base.Scheme != "https" && base.Scheme != "http", base.Host == "":
		return nil, diag.New(diag.ConnectAddress, "the address of Kafka Connect, %q, is not an http or https URL with a host", text)
	case base.RawQuery != "" || base.Fragment != "":
		return nil, diag.New(diag.ConnectAddress, "the address of Kafka Connect at %s has a query or a fragment", base.Host)
	}
	return base, nil
}

// guarded reports whether nobody between here and the worker can read along.
func (c *Client) guarded() bool {
	host := c.base.Hostname()
	ip := net.ParseIP(host)
	return c.base.Scheme == "https" || host == "localhost" || ip != nil && ip.IsLoopback()
}
