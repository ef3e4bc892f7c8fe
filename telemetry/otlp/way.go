package otlp

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/secure"
	"github.com/slipway-go/slipway/telemetry"
)

// defaultTimeout is how long one export may take, as OpenTelemetry has it.
const defaultTimeout = 10 * time.Second

// A way is how one signal gets to the collector.
type way struct {
	grpc        bool
	url         *url.URL
	headers     map[string]string
	timeout     time.Duration
	compression string // gzip, or "" for none
	tls         *tls.Config
	client      *http.Client
}

// read reads the variables of a signal, its own before those of all. It reports
// whether they can be used; what is wrong is told to v.
func read(v *telemetry.Variables, signal string) (*way, bool) {
	r := reading{Variables: v, signal: signal, own: "OTEL_EXPORTER_OTLP_" + strings.ToUpper(signal) + "_"}
	w := &way{grpc: r.protocol() == "grpc", headers: r.headers(), timeout: r.timeout()}
	if name, _ := r.first("COMPRESSION"); r.OneOf(name, "none", "gzip") == "gzip" {
		w.compression = "gzip"
	}
	w.url = r.endpoint(w.grpc)
	if w.url != nil && w.url.Scheme == "https" {
		w.tls = r.tls()
	}
	w.client = &http.Client{
		Transport: secure.Transport(w.tls), Timeout: w.timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return w, !r.bad
}

// String says where the way leads.
func (w *way) String() string {
	if w.grpc {
		return "otlp by gRPC at " + w.url.Host
	}
	return "otlp at " + w.url.String()
}

// close ends connections that nobody needs any more.
func (w *way) close() { w.client.CloseIdleConnections() }

// hide takes the values of headers out of an error: a collector may repeat what
// it was sent.
func (w *way) hide(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	for _, value := range w.headers {
		_, bare, _ := strings.Cut(value, " ") // Bearer …
		for _, secret := range []string{value, bare} {
			if len(secret) > 3 {
				text = strings.ReplaceAll(text, secret, "***")
			}
		}
	}
	if text == err.Error() {
		return err
	}
	return errors.New(text)
}

// reading is the variables of one signal.
type reading struct {
	*telemetry.Variables
	signal, own string
	bad         bool
}

// first returns the signal's own variable, or the one for all.
func (r *reading) first(name string) (variable, text string) {
	return r.First(r.own+name, "OTEL_EXPORTER_OTLP_"+name)
}

func (r *reading) refuse(d diag.Diagnostic) {
	r.bad = true
	r.Fault(d)
}

func (r *reading) protocol() string {
	name, _ := r.first("PROTOCOL")
	return r.OneOf(name, "http/protobuf", "grpc")
}

func (r *reading) timeout() time.Duration {
	name, _ := r.first("TIMEOUT")
	return r.Duration(name, defaultTimeout)
}

// headers returns what goes with each request, checked, since it is never shown.
func (r *reading) headers() map[string]string {
	name, _ := r.first("HEADERS")
	all := r.Pairs(name)
	for key, value := range all {
		if strings.ContainsFunc(key, func(c rune) bool { return c <= ' ' || c > '~' || strings.ContainsRune(`()<>@,;:\"/[]?={}`, c) }) {
			r.refuse(diag.New(diag.TelemetryVariable, "%s has the header %q, which cannot be one", name, key))
		}
		if strings.ContainsFunc(value, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }) {
			r.refuse(diag.New(diag.TelemetryVariable, "%s has a control character in the header %q", name, key))
		}
	}
	return all
}

// endpoint returns where the signal goes: its own endpoint as it is, the common
// one with the signal's path, or a collector on this machine.
func (r *reading) endpoint(grpc bool) *url.URL {
	name, text := r.first("ENDPOINT")
	switch {
	case text == "" && grpc:
		text = "http://localhost:4317"
	case text == "":
		text = "http://localhost:4318"
	case grpc && !strings.Contains(text, "://"):
		text = r.scheme() + "://" + text
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		r.refuse(diag.New(diag.TelemetryVariable, "%s is not an http or https URL with a host", name).
			WithFix("set %s to a URL such as http://otel-collector:4318", name))
		return nil
	case u.User != nil:
		r.refuse(diag.New(diag.TelemetryVariable, "%s has a user or password in it", name).
			WithFix("take them out of %s, and set OTEL_EXPORTER_OTLP_HEADERS to authorization=Basic%%20… instead", name))
		return nil
	case u.RawQuery != "" || u.Fragment != "":
		r.refuse(diag.New(diag.TelemetryVariable, "%s has a query or a fragment", name).
			WithFix("set %s to a URL that ends with its path; what identifies the service belongs into OTEL_EXPORTER_OTLP_HEADERS", name))
		return nil
	}
	if !grpc && !strings.HasPrefix(name, r.own) {
		u = u.JoinPath("v1", r.signal)
	}
	return u
}

// scheme is that of an endpoint of gRPC which has none.
func (r *reading) scheme() string {
	if name, _ := r.first("INSECURE"); r.Bool(name) {
		return "http"
	}
	return "https"
}

// tls returns whom to trust, and what to show.
func (r *reading) tls() *tls.Config {
	var roots *x509.CertPool
	if name, file := r.first("CERTIFICATE"); file != "" {
		roots = x509.NewCertPool()
		text, err := os.ReadFile(file)
		if err != nil {
			r.refuse(diag.New(diag.TelemetryExporter, "read what %s names: %v", name, err))
		} else if !roots.AppendCertsFromPEM(text) {
			r.refuse(diag.New(diag.TelemetryExporter, "the file that %s names holds no certificate in PEM", name))
		}
	}
	cfg := secure.Client(roots)
	certName, cert := r.first("CLIENT_CERTIFICATE")
	keyName, key := r.first("CLIENT_KEY")
	if cert == "" && key == "" {
		return cfg
	}
	show := func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		pair, err := tls.LoadX509KeyPair(cert, key)
		return &pair, err
	}
	if _, err := show(nil); err != nil {
		r.refuse(diag.New(diag.TelemetryExporter, "read what %s and %s name: %v", certName, keyName, err))
	}
	cfg.GetClientCertificate = show
	return cfg
}
