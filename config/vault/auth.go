package vault

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/secret"
)

// An Auth is how the service proves who it is. Files are read at each login, so
// that they may change.
type Auth interface {
	login(ctx context.Context, c *client) (*session, error)
}

// A TokenFile is a file with a token, such as one that an agent writes. When its
// token ends, the file is read again.
type TokenFile struct {
	Path string
}

// Kubernetes logs in with the pod's service account.
type Kubernetes struct {
	Role string

	// JWT is the file with the service account's token.
	//
	// Defaults to where Kubernetes mounts it.
	JWT string

	// Mount defaults to "kubernetes".
	Mount string
}

// AppRole logs in with a role id and a secret id.
type AppRole struct {
	RoleID string

	// SecretID is the file with the secret id; empty if the role needs none.
	SecretID string

	// Mount defaults to "approle".
	Mount string
}

// A session is a token and what is known of its life.
type session struct {
	token     secret.Secret
	number    int // counts logins, so that leases know theirs
	got       time.Time
	ttl       time.Duration // 0 means for ever
	first     time.Duration // the ttl it began with
	renewable bool
}

// due is when a session or a lease is to be renewed.
func due(got time.Time, ttl time.Duration) time.Time { return got.Add(ttl * 2 / 3) }

func (s *session) ended(now time.Time) bool { return s.ttl > 0 && !now.Before(s.got.Add(s.ttl)) }

func (t TokenFile) login(ctx context.Context, c *client) (*session, error) {
	text, err := content(c, "token", t.Path)
	if err != nil {
		return nil, err
	}
	s := &session{token: secret.New(text)}
	a, err := c.do(ctx, request{method: http.MethodGet, path: "auth/token/lookup-self", token: s.token})
	if err != nil {
		return nil, unwelcome(c, "the token in "+t.Path, err)
	}
	var own struct {
		TTL       int64 `json:"ttl"`
		Renewable bool  `json:"renewable"`
	}
	if err := read(c, "auth/token/lookup-self", a.Data, &own); err != nil {
		return nil, err
	}
	s.ttl, s.renewable = seconds(own.TTL), own.Renewable
	return s, nil
}

func (k Kubernetes) login(ctx context.Context, c *client) (*session, error) {
	jwt, err := content(c, "service account's token", cmp.Or(k.JWT, "/var/run/secrets/kubernetes.io/serviceaccount/token"))
	if err != nil {
		return nil, err
	}
	return enter(ctx, c, cmp.Or(k.Mount, "kubernetes"), "role "+k.Role, map[string]string{"role": k.Role, "jwt": jwt}, jwt)
}

func (r AppRole) login(ctx context.Context, c *client) (*session, error) {
	body := map[string]string{"role_id": r.RoleID}
	if r.SecretID != "" {
		id, err := content(c, "secret id", r.SecretID)
		if err != nil {
			return nil, err
		}
		body["secret_id"] = id
	}
	return enter(ctx, c, cmp.Or(r.Mount, "approle"), "the role id", body, body["secret_id"])
}

func enter(ctx context.Context, c *client, mount, who string, body map[string]string, hidden string) (*session, error) {
	path := "auth/" + mount + "/login"
	a, err := c.do(ctx, request{method: http.MethodPost, path: path, body: body, hidden: []string{hidden}})
	if err != nil {
		return nil, unwelcome(c, who+" at auth/"+mount, err)
	}
	if a.Auth == nil || a.Auth.ClientToken == "" {
		return nil, diag.New(diag.ConfigSourceAnswer, "%s: %s: the answer has no token", c.name, path)
	}
	return &session{token: secret.New(a.Auth.ClientToken), ttl: seconds(a.Auth.LeaseDuration), renewable: a.Auth.Renewable}, nil
}

// unwelcome makes a refusal of who logs in out of a refusal of the request.
func unwelcome(c *client, who string, err error) error {
	d, ok := errors.AsType[diag.Diagnostic](err)
	if !ok || d.Code != diag.ConfigSourceDenied && d.Code != diag.ConfigSourceAnswer {
		return err
	}
	refused := diag.New(diag.ConfigSourceLogin, "%s: the login of %s is refused", c.name, who)
	refused.Evidence = d.Evidence
	return refused
}

func content(c *client, what, path string) (string, error) {
	text, err := os.ReadFile(path)
	if err == nil && len(strings.TrimSpace(string(text))) == 0 {
		err = errors.New("it is empty")
	}
	if err != nil {
		return "", diag.New(diag.ConfigSourceSetup, "%s: read the %s from %s: %v", c.name, what, path, err)
	}
	return strings.TrimSpace(string(text)), nil
}

func seconds(n int64) time.Duration { return time.Duration(n) * time.Second }

// login begins a new session.
func (s *Source) login(ctx context.Context) error {
	if now := time.Now(); now.Before(s.again) {
		return s.refused
	}
	began := time.Now()
	next, err := s.cfg.Auth.login(ctx, s.client)
	if err != nil {
		s.refused, s.again = err, began.Add(LoginPause)
		return err
	}
	s.logins++
	next.got, next.first, next.number = began, next.ttl, s.logins
	s.session = next
	return nil
}

// ask asks with a token that is good, as far as can be known. If it turns out
// to be bad, that is a new login and a second try; if it is good and the path
// is not allowed, it is neither.
func (s *Source) ask(ctx context.Context, r request) (*answer, error) {
	if s.session == nil || s.session.ended(time.Now()) {
		if err := s.login(ctx); err != nil {
			return nil, err
		}
	}
	r.token = s.session.token
	a, err := s.client.do(ctx, r)
	if !errors.Is(err, diag.ConfigSourceDenied) {
		return a, err
	}
	_, bad := s.client.do(ctx, request{method: http.MethodGet, path: "auth/token/lookup-self", token: r.token})
	if !errors.Is(bad, diag.ConfigSourceDenied) {
		return nil, err
	}
	s.session = nil
	if err := s.login(ctx); err != nil {
		return nil, err
	}
	r.token = s.session.token
	return s.client.do(ctx, r)
}

// prolong renews the session when it is due, or begins a new one.
func (s *Source) prolong(ctx context.Context) error {
	now := s.session
	if now == nil || now.ttl == 0 || time.Now().Before(due(now.got, now.ttl)) {
		return nil
	}
	if now.renewable && !now.ended(time.Now()) {
		began := time.Now()
		a, err := s.client.do(ctx, request{method: http.MethodPost, path: "auth/token/renew-self", token: now.token, body: map[string]string{}})
		switch {
		case err == nil && a.Auth != nil && seconds(a.Auth.LeaseDuration) > now.first/3:
			now.got, now.ttl, now.renewable = began, seconds(a.Auth.LeaseDuration), a.Auth.Renewable
			return nil
		case err != nil && !refusal(err):
			return err // away for a moment; the token is good for a while yet
		}
	}
	return s.login(ctx)
}

// refusal reports that asking again would not help.
func refusal(err error) bool {
	return errors.Is(err, diag.ConfigSourceDenied) || errors.Is(err, diag.ConfigSourceAnswer) || errors.Is(err, diag.ConfigSourceMissing)
}
