package vault

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/slipway-go/slipway/config"
	"github.com/slipway-go/slipway/diag"
)

// A Dynamic is a credential that is made for this service when it is first read,
// such as database/creds/orders.
type Dynamic struct {
	Path string

	// Keys are settings by templates, in which {username} stands for the
	// credential's field of that name. In a template with :// fields are
	// escaped as URLs want it.
	//
	//	"database.url": "postgres://{username}:{password}@db.example/orders"
	Keys map[string]string
}

// A lease is a credential for a time.
type lease struct {
	id        string
	session   int // the number of the session it was made in, with which it ends
	fields    map[string]any
	got       time.Time
	ttl       time.Duration // 0 means for ever
	first     time.Duration
	renewable bool
}

func (l *lease) good(session *session, now time.Time) bool {
	return l != nil && session != nil && l.session == session.number && (l.ttl == 0 || now.Before(l.got.Add(l.ttl)))
}

// credential gives the settings of a credential, which is made if there is no
// good one.
func (s *Source) credential(ctx context.Context, i int, d Dynamic) ([]config.Given, error) {
	if !s.leases[i].good(s.session, time.Now()) {
		if err := s.fetch(ctx, i, d); err != nil {
			return nil, err
		}
	}
	var all []config.Given
	for _, key := range slices.Sorted(maps.Keys(d.Keys)) {
		text, err := s.expand(d, key, s.leases[i].fields)
		if err != nil {
			return nil, err
		}
		all = append(all, config.Given{Key: key, Text: text, At: diag.Position{File: d.Path}})
	}
	return all, nil
}

// fetch makes a new credential.
func (s *Source) fetch(ctx context.Context, i int, d Dynamic) error {
	began := time.Now()
	a, err := s.ask(ctx, request{method: http.MethodGet, path: d.Path})
	if err != nil {
		return err
	}
	l := &lease{id: a.LeaseID, session: s.session.number, got: began, ttl: seconds(a.LeaseDuration), first: seconds(a.LeaseDuration), renewable: a.Renewable}
	if err := read(s.client, d.Path, a.Data, &l.fields); err != nil {
		return err
	}
	s.leases[i] = l
	return nil
}

// keep renews a lease that is due, or makes a new credential where that is
// refused, nears the end of what is allowed, or the session is another one.
func (s *Source) keep(ctx context.Context, i int, d Dynamic) (changed bool, err error) {
	l := s.leases[i]
	if l == nil || l.good(s.session, time.Now()) && (l.ttl == 0 || time.Now().Before(due(l.got, l.ttl))) {
		return false, nil
	}
	if l.good(s.session, time.Now()) && l.renewable {
		began := time.Now()
		a, err := s.ask(ctx, request{method: http.MethodPost, path: "sys/leases/renew", body: map[string]any{"lease_id": l.id, "increment": int64(l.first / time.Second)}})
		switch {
		case err == nil && l.good(s.session, began) && seconds(a.LeaseDuration) > l.first/3:
			l.got, l.ttl, l.renewable = began, seconds(a.LeaseDuration), a.Renewable
			return false, nil
		case err != nil && !refusal(err):
			return false, err
		}
	}
	if err := s.fetch(ctx, i, d); err != nil {
		return false, err
	}
	return true, nil
}

var field = regexp.MustCompile(`\{[a-z_]+\}`)

// expand fills in a template.
func (s *Source) expand(d Dynamic, key string, fields map[string]any) (string, error) {
	template := d.Keys[key]
	var err error
	text := field.ReplaceAllStringFunc(template, func(name string) string {
		value, ok := scalar(fields[strings.Trim(name, "{}")])
		if !ok {
			err = diag.New(diag.ConfigSourceAnswer, "%s: %s has no field %s for %s", s.cfg.Name, d.Path, name, key).
				WithFix("use one of %s", strings.Join(slices.Sorted(maps.Keys(fields)), ", "))
		}
		if strings.Contains(template, "://") {
			return strings.ReplaceAll(url.QueryEscape(value), "+", "%20")
		}
		return value
	})
	return text, err
}

// Format does not show the credential.
func (l *lease) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "lease for %s", l.ttl) }
