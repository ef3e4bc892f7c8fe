package schema

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/secure"
)

const (
	maxBody      = 10 << 20
	maxMessage   = 4 << 10
	maxRedirects = 3
	mediaType    = "application/vnd.schemaregistry.v1+json"
)

// ClientConfig says where a schema registry is and how to log in to it.
type ClientConfig struct {
	// URL is the base address of the registry's Confluent API, for example
	// https://registry.example or http://127.0.0.1:8080/apis/ccompat/v7. It
	// must not carry a user or password.
	URL string

	// Credentials returns "user:password". It is asked before every request,
	// so that a rotated credential needs no restart. Nil or an empty answer
	// sends none.
	Credentials func() (string, error)

	// Dial opens connections, for registries that are not on the network.
	// Defaults to TCP.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	// DialTLS opens connections of https, with their handshake done, where TLS is
	// not the same for all of them. Where a proxy stands between, TLS is used.
	// Defaults to Dial with TLS.
	DialTLS func(ctx context.Context, network, address string) (net.Conn, error)

	// Timeout bounds one request from dialing to the last byte.
	// Defaults to 10 seconds.
	Timeout time.Duration

	// TLS is used for https. Defaults to the system's authorities and TLS 1.2
	// or newer.
	TLS *tls.Config
}

// A Client reads from a registry over HTTP. What an id means is asked once and
// kept for ever; concurrent callers share one request. It is safe for
// concurrent use and sends only reads: services hold a read-only credential.
//
// Answers are bounded to 10 MiB and redirects to three on the same host, and
// no error carries a credential.
type Client struct {
	base        *url.URL
	credentials func() (string, error)
	http        *http.Client
	texts       cache[int, Text]
	guids       cache[GUID, Text]
	found       cache[string, Version]
	versions    cache[subjectVersion, Version]
}

var _ Registry = (*Client)(nil)

// subjectVersion is what Version asks for.
type subjectVersion struct {
	subject string
	number  int
}

// NewClient returns a client. It connects to nothing yet.
func NewClient(cfg ClientConfig) (*Client, error) {
	base, err := parseBase(cfg.URL)
	if err != nil {
		return nil, err
	}
	cfg.Timeout = cmp.Or(cfg.Timeout, 10*time.Second)
	return &Client{
		base:        base,
		credentials: cfg.Credentials,
		http: &http.Client{
			Timeout:       cfg.Timeout,
			CheckRedirect: sameHost,
			Transport:     cfg.transport(),
		},
	}, nil
}

// Close closes idle connections. The client stays usable.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Text returns the schema with an id.
func (c *Client) Text(ctx context.Context, id int) (Text, error) {
	return c.texts.get(ctx, id, func(ctx context.Context) (Text, error) {
		got, err := c.ask(ctx, holdsText, call{
			op:   fmt.Sprintf("read schema %d", id),
			path: []string{"schemas", "ids", strconv.Itoa(id)},
		})
		return got.text(), err
	})
}

// TextOf returns the schema with a GUID.
func (c *Client) TextOf(ctx context.Context, guid GUID) (Text, error) {
	return c.guids.get(ctx, guid, func(ctx context.Context) (Text, error) {
		got, err := c.ask(ctx, holdsText, call{
			op:   "read schema " + guid.String(),
			path: []string{"schemas", "guids", guid.String()},
		})
		return got.text(), err
	})
}

// Lookup returns the id that a schema has under a subject, whatever white
// space its text has. ErrNotFound means that nobody registered it there.
func (c *Client) Lookup(ctx context.Context, subject string, text Text) (int, error) {
	got, err := c.Find(ctx, subject, text)
	return got.ID, err
}

// Find returns the version of a subject that holds a schema, without its text.
func (c *Client) Find(ctx context.Context, subject string, text Text) (Version, error) {
	key := fmt.Sprintf("%q %q %q %v", subject, text.Format, text.Schema, text.References)
	return c.found.get(ctx, key, func(ctx context.Context) (Version, error) {
		return c.find(ctx, subject, text)
	})
}

// Version returns one version of a subject. What it holds never changes.
func (c *Client) Version(ctx context.Context, subject string, number int) (Version, error) {
	return c.versions.get(ctx, subjectVersion{subject, number}, func(ctx context.Context) (Version, error) {
		got, err := c.ask(ctx, holdsBoth, call{
			op:   fmt.Sprintf("read version %d of subject %s", number, subject),
			path: []string{"subjects", subject, "versions", strconv.Itoa(number)},
		})
		return got.version(), err
	})
}

// Latest returns the newest version of a subject. It is asked anew each time.
func (c *Client) Latest(ctx context.Context, subject string) (Version, error) {
	got, err := c.ask(ctx, holdsBoth, call{
		op:   "read the newest schema of subject " + subject,
		path: []string{"subjects", subject, "versions", "latest"},
	})
	return got.version(), err
}

func (c *Client) find(ctx context.Context, subject string, text Text) (Version, error) {
	got, err := c.ask(ctx, holdsID, call{
		op:     "look up a schema of subject " + subject,
		method: http.MethodPost,
		path:   []string{"subjects", subject},
		in:     body(text),
	})
	return Version{ID: got.ID, Version: got.Version, GUID: got.GUID}, err
}

// where names the registry in errors.
func (c *Client) where() string { return c.base.String() }

// transport is a transport of the client's own, because the default one is
// everybody's.
func (cfg ClientConfig) transport() *http.Transport {
	t := secure.Transport(cfg.TLS)
	dial := t.DialContext
	if cfg.Dial != nil {
		dial = cfg.Dial
		t.Proxy = nil
	}
	// A request that gives up leaves its dial running for the next one, so
	// the dial needs a bound of its own.
	t.DialContext = cfg.bounded(dial)
	if cfg.DialTLS != nil {
		t.DialTLSContext = cfg.bounded(cfg.DialTLS)
	}
	return t
}

type dialFunc = func(ctx context.Context, network, address string) (net.Conn, error)

func (cfg ClientConfig) bounded(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, cfg.Timeout)
		defer cancel()
		return dial(ctx, network, address)
	}
}

// parseBase refuses what is no registry's address. The text itself stays out
// of the message where it may hold a password.
func parseBase(text string) (*url.URL, error) {
	base, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, diag.New(diag.RegistryAddress, "the registry's address is not a URL")
	case base.User != nil:
		return nil, diag.New(diag.RegistryAddress, "the registry's address at %s carries a user or password", base.Host)
	case base.Scheme != "https" && base.Scheme != "http", base.Host == "":
		return nil, diag.New(diag.RegistryAddress, "the registry's address %q is not an http or https URL with a host", base.Redacted())
	case base.RawQuery != "" || base.Fragment != "":
		return nil, diag.New(diag.RegistryAddress, "the registry's address at %s has a query or fragment", base.Host)
	}
	return base, nil
}

// sameHost follows at most three redirects and none to another host, so that
// an answer cannot send the credential, or the request, elsewhere.
func sameHost(req *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return errors.New("more than three redirects")
	}
	if first := via[0].URL; req.URL.Host != first.Host || req.URL.Scheme != first.Scheme {
		return fmt.Errorf("redirect to another host, %s", req.URL.Host)
	}
	return nil
}
