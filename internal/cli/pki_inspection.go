package cli

import (
	"cmp"
	"context"
	"crypto/tls"
	"slices"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/cli/view"
	"github.com/slipway-go/slipway/internal/principal"
	"github.com/slipway-go/slipway/pki/inspect"
)

// An inspection holds certificates against the same things.
type inspection struct {
	inspect.LookConfig
	stores *stores
	rules  principal.Rules
}

// fillInspection reads what certificates are held against.
func (a *app) fillInspection(in *inspection, args pkiInspectArgs) error {
	rules := cmp.Or(args.rules, contract.DefaultPrincipals)
	if args.cluster != "" || args.env != "" || args.pki != "" {
		p, err := a.pkiPlace(args.pkiTarget)
		if err != nil {
			return err
		}
		if p.cluster != nil {
			rules = cmp.Or(args.rules, p.cluster.PKI.Principals, rules)
		}
		if err := in.trust(p); err != nil {
			return err
		}
	}
	var err error
	if in.rules, err = principal.Parse(rules); err != nil {
		return err
	}
	if len(args.ca) > 0 {
		in.Roots = nil
	}
	for _, file := range args.ca {
		got, err := in.stores.read(file)
		if err != nil {
			return err
		}
		if len(got.Certificates) == 0 {
			return noneIn(file, "certificate")
		}
		in.Roots = append(in.Roots, got.Certificates...)
	}
	for _, file := range args.crl {
		got, err := in.stores.read(file)
		if err != nil {
			return err
		}
		if len(got.Lists) == 0 {
			return noneIn(file, "revocation list")
		}
		in.Lists = append(in.Lists, got.Lists...)
	}
	return in.client(args)
}

func noneIn(file, what string) error {
	return diag.New(diag.InspectFile, "%s holds no %s", file, what)
}

// client reads the certificate to show to listeners, or the key alone.
func (in *inspection) client(args pkiInspectArgs) error {
	switch {
	case args.cert != "" && args.key == "":
		return usage("--cert is given without --key").WithFix("name the file with its key, which may be the same")
	case args.key == "":
		return nil
	case args.cert == "":
		got, err := in.stores.read(args.key)
		if err == nil && len(got.Keys) == 0 {
			err = noneIn(args.key, "private key that is not encrypted")
		}
		in.Keys = got.Keys
		return err
	}
	pair, err := tls.LoadX509KeyPair(args.cert, args.key)
	if err != nil {
		return diag.New(diag.CommandCredential, "read the certificate of --cert and its key: %v", err)
	}
	in.Certificate = &pair
	return nil
}

// one looks at a listener or at a file.
func (in *inspection) one(ctx context.Context, target string) (view.Inspection, error) {
	if !isFile(target) && isAddress(target) {
		report, err := inspect.Look(ctx, target, in.LookConfig)
		return view.Inspection{Report: report}, err
	}
	got, err := in.stores.read(target)
	if err != nil {
		return view.Inspection{}, err
	}
	cfg := in.Config
	cfg.Lists = append(slices.Clone(cfg.Lists), got.Lists...)
	if len(cfg.Keys) == 0 {
		cfg.Keys = got.Keys
	}
	return view.Inspection{Report: inspect.Judge(got.Certificates, cfg), Lists: got.Lists, Keys: len(got.Keys), Locked: got.Locked}, nil
}

// located are the diagnostics of an error, each with the place it is about.
func located(err error, target string) diag.List {
	list := diag.Of(err)
	if len(list) == 0 {
		list = diag.List{diag.New(diag.InspectFile, "%v", err)}
	}
	for i := range list {
		if list[i].Position.IsZero() && isFile(target) {
			list[i].Position.File = target
		}
	}
	return list
}
