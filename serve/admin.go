package serve

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"time"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/secure"
)

const (
	maxTuningBytes = 1 << 20
	minTokenLength = 16
)

// administer registers the admin endpoint of the app, if its environment has
// an address for it.
func administer(app *slipway.App, metrics, profiles http.Handler) {
	addr := app.Environment().AdminAddress
	if addr == "" {
		return
	}
	app.Go("admin endpoint", func(ctx context.Context) error {
		protect, err := adminTLS(app)
		if err != nil {
			return err
		}
		var lc net.ListenConfig
		ln, err := lc.Listen(ctx, "tcp", addr)
		if err != nil {
			return diag.New(diag.RuntimeListenFailed, "listen on %s for the admin endpoint: %v", addr, err).
				WithFix("stop the other process, or set ADMIN_ADDRESS to another address")
		}
		ln, h := protect(ln, admin(app, metrics, profiles))
		return serveOn(ctx, app, ln, h)
	})
}

// A protection is put before a listener and what it serves.
type protection func(net.Listener, http.Handler) (net.Listener, http.Handler)

// adminTLS is how the admin endpoint is protected: by mutual TLS if the
// environment has the files for it, else not at all.
func adminTLS(app *slipway.App) (protection, error) {
	env := app.Environment()
	if env.AdminCertFile == "" {
		return func(ln net.Listener, h http.Handler) (net.Listener, http.Handler) { return ln, h }, nil
	}
	files, err := secure.NewFiles(secure.FilesConfig{
		CA: env.AdminClientCAFile, Cert: env.AdminCertFile, Key: env.AdminKeyFile, Logger: app.Logger(),
	})
	if err != nil {
		return nil, diag.New(diag.RuntimeFileUnreadable, "read what ADMIN_CERT_PATH, ADMIN_KEY_PATH and ADMIN_CLIENT_CA_PATH name: %v", err)
	}
	now, err := files.Material()
	if err != nil {
		return nil, err
	}
	serves := secure.Trial{Usage: x509.ExtKeyUsageServerAuth}
	if fault, found := serves.Fault([]*x509.Certificate{now.Certificate.Leaf}); found {
		return nil, fault.At(diag.Position{File: env.AdminCertFile}) // every client would say so
	}
	allowed, err := certified(env, files)
	if err != nil {
		return nil, err
	}
	return func(ln net.Listener, h http.Handler) (net.Listener, http.Handler) {
		return secure.Listen(ln, secure.Server(files.Material), app.Logger()), allowed.only(h)
	}, nil
}

// admin are the endpoints for whoever operates the service. A browser that was
// led here by another site gets no further: it carries that site's origin, or
// its name.
func admin(app *slipway.App, metrics, profiles http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /slipway/v1/entries", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, map[string]any{"entries": app.Consumption()})
	})
	mux.HandleFunc("PATCH /slipway/v1/entries/{entry}", func(w http.ResponseWriter, r *http.Request) { tune(app, w, r) })
	mux.HandleFunc("GET /slipway/v1/health", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, standing(app))
	})
	mux.HandleFunc("GET /slipway/v1/credential", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, app.Credential())
	})
	mux.HandleFunc("GET /slipway/v1/config", func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, configured(app)) })
	if metrics != nil {
		mux.Handle("GET /metrics", metrics)
	}
	if profiles == nil {
		profiles = http.HandlerFunc(unprofiled)
	}
	mux.Handle("GET /debug/pprof/", profiles)
	guarded := http.NewCrossOriginProtection().Handler(mux)
	file, certified := app.Environment().AdminTokenFile, app.Environment().AdminCertFile != ""
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var err error
		if file != "" {
			err = authorize(r, file)
		} else if !certified && !local(r.Host) {
			err = fmt.Errorf("the request is for the host %q", r.Host)
		}
		if err != nil {
			w.Header().Set("WWW-Authenticate", "Bearer")
			refuse(w, http.StatusUnauthorized, diag.New(diag.RuntimeAdminDenied, "%v", err))
			return
		}
		guarded.ServeHTTP(w, r)
	})
}

// standing is the service's health with what is wrong in words, as a person reads
// it.
func standing(app *slipway.App) any {
	h, problems := app.Health(), []string{}
	for _, c := range h.Checks {
		if c.Status == slipway.CheckFail {
			problems = append(problems, c.Name+": "+c.Reason)
		}
	}
	return struct {
		slipway.Health
		Status   string   `json:"status"`
		Problems []string `json:"problems"`
		Warnings []string `json:"warnings"`
	}{h, h.Status(), problems, warnings(app)}
}

// unprofiled says how profiles come to be here.
func unprofiled(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, "this program has linked no profiles: put profile.Handler() of github.com/slipway-go/slipway/serve/profile into the field Profiles of serve.Service", http.StatusNotFound)
}

// warnings are what will keep the service from working if nobody does anything.
func warnings(app *slipway.App) []string {
	all, now := []string{}, app.Credential()
	if c := now.Certificate; c != nil && c.Problem != "" {
		all = append(all, c.Problem)
	}
	if now.Trust == nil {
		return all
	}
	for _, l := range now.Trust.Lists {
		if l.Overdue {
			all = append(all, fmt.Sprintf("%s: the revocation list of %s is overdue since %s", diag.TLSListOverdue, l.Issuer, l.NextUpdate.UTC().Format(time.RFC3339)))
		}
	}
	return append(all, now.Trust.Faults...)
}

// local reports whether a request was meant for this very machine.
func local(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "localhost" || err == nil && ip.IsLoopback()
}

var errNoToken = errors.New("the request has no bearer token")

// authorize compares a request's token with the file's, which is read anew each
// time so that it can be changed. How long that takes says nothing of either.
func authorize(r *http.Request, file string) error {
	given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return errNoToken
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return errors.New("the file that ADMIN_TOKEN_PATH names cannot be read")
	}
	token := strings.TrimSpace(string(content))
	if len(token) < minTokenLength {
		return fmt.Errorf("the file that ADMIN_TOKEN_PATH names holds no token of %d characters or more", minTokenLength)
	}
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(token))
	if subtle.ConstantTimeCompare(a[:], b[:]) != 1 {
		return errors.New("the request's bearer token is another one")
	}
	return nil
}

// tune changes how an entry is consumed and answers how it is then.
func tune(app *slipway.App, w http.ResponseWriter, r *http.Request) {
	var change slipway.Tuning
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxTuningBytes))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&change)
	if err == nil && decoder.Decode(new(any)) != io.EOF {
		err = errors.New("there is more than one value")
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, diag.New(diag.RuntimeRequestInvalid, "read tuning of %s: %v", r.PathValue("entry"), err))
		return
	}
	now, err := app.Tune(r.PathValue("entry"), change)
	switch {
	case errors.Is(err, slipway.ErrNotRunning):
		reply(w, http.StatusServiceUnavailable, map[string]any{"problems": []string{err.Error()}})
	case err != nil && app.Contract().Consumes[r.PathValue("entry")] == nil:
		refuse(w, http.StatusNotFound, diag.Of(err)...)
	case err != nil:
		refuse(w, http.StatusUnprocessableEntity, diag.Of(err)...)
	default:
		reply(w, http.StatusOK, now)
	}
}

// refuse answers with what is wrong, each with its fix.
func refuse(w http.ResponseWriter, status int, faults ...diag.Diagnostic) {
	for i := range faults {
		faults[i].Fix = faults[i].Remedy()
	}
	reply(w, status, map[string]any{"errors": faults})
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
