package pki

import (
	"crypto/x509"
	"errors"
	"net"
	"time"
)

// An Option varies how [NewAuthority] and [Authority.Intermediate] make an
// authority.
type Option interface{ apply(*draft) }

// A draft is an authority before its key is made and its certificate signed.
type draft struct {
	cert        *x509.Certificate
	key         KeyType
	constraints Constraints
	lifetime    time.Duration
}

type optionFunc func(*draft)

func (f optionFunc) apply(d *draft) { f(d) }

// WithLifetime makes the authority expire d after its making. Without it an
// authority lives [MaxAuthorityLifetime], which is also the bound. An
// intermediate never outlives the authority above it.
func WithLifetime(d time.Duration) Option {
	return optionFunc(func(dr *draft) { dr.lifetime = d })
}

// WithKey makes the authority's key of a kind. Without it the kind is
// [ECDSAP256]. What the authority issues has the kind that the request names.
func WithKey(t KeyType) Option {
	return optionFunc(func(dr *draft) { dr.key = t })
}

// WithConstraints bounds the names and addresses that certificates below the
// authority may carry. Those of the authority above hold too.
func WithConstraints(c Constraints) Option {
	return optionFunc(func(dr *draft) { dr.constraints = c })
}

// newDraft is an authority named so, valid from now on, below which there may
// be so many further authorities.
func newDraft(name string, now time.Time, below int, opts []Option) (*draft, error) {
	d := &draft{lifetime: MaxAuthorityLifetime, cert: authorityTemplate(name, now, below)}
	for _, opt := range opts {
		opt.apply(d)
	}
	err := errors.Join(
		checkName(name, true),
		checkLifetime(d.lifetime, MaxAuthorityLifetime),
		d.key.validate(),
		d.constraints.validate(),
	)
	if err != nil {
		return nil, err
	}
	d.cert.NotAfter = now.Add(d.lifetime)
	d.constraints.write(d.cert)
	return d, nil
}

// everywhere is every address, to exclude them all.
func everywhere() []*net.IPNet {
	return []*net.IPNet{
		{IP: net.IPv4zero.To4(), Mask: net.CIDRMask(0, 32)},
		{IP: net.IPv6zero, Mask: net.CIDRMask(0, 128)},
	}
}
