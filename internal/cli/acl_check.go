package cli

import (
	"context"
	"crypto/x509"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/internal/cli/view"
)

func newACLCheckCommand(a *app) *cobra.Command {
	var args target
	c := &cobra.Command{
		Use:   "check [DIR]",
		Short: "Judge the ACLs of a cluster against the contracts, and by themselves",
		Long: `Compares the ACLs that a cluster has with those that the contracts in DIR call
for, and judges each by itself. Changes nothing; tells the command that mends
what it finds, and exits 2 if it finds anything:
  missing     a contract calls for it, and it is not there
  surplus     it is there for a service, and no contract calls for it
  over-broad  on every name, for everybody, for ALL, or a service administrates
  shadowed    nothing would change without it, or a DENY leaves nothing of it
  dangling    on a topic, group or user that does not exist
  shared      two principals could be in one group, or use one transactional id

Principals in external.yaml are others' business and are left alone; so is the
one that looks. Whether a user exists can be told only where every client logs
in with a password.` + liveHelp,
		Example: `  slipway acl check -e prod
  slipway acl check -e prod -o json
  slipway explain SLP-ACL-012                  what a kind of finding means`,
		Annotations: exits(exitOK, exitError, exitFindings, exitRefused, exitUsage, exitInterrupted),
		Args:        arguments(0, 1, "no more than a directory"),
		RunE: func(c *cobra.Command, rest []string) error {
			args.dir = directory(rest, 0)
			if err := args.credential.fill(c, a.sys.Getenv); err != nil {
				return err
			}
			return runACLCheck(c.Context(), a, args)
		},
	}
	targetFlags(c, &args)
	outputFlag(c, a, view.Table, view.Wide, view.JSON, view.YAML, view.Name)
	return c
}

func runACLCheck(ctx context.Context, a *app, args target) error {
	return a.withLiveACLs(ctx, args, func(ctx context.Context, s *groupSession, live []acl.Binding) error {
		grants := slices.DeleteFunc(acl.Derive(s.resolved), func(g acl.Grant) bool { return g.Cluster != s.name })
		exists, err := s.kafka.Existing(ctx, s.judged(live))
		if err != nil {
			return err
		}
		found := acl.Check(live, grants, acl.World{
			Env:     s.resolved.Env,
			Owns:    acl.Owner(s.resolved),
			Foreign: acl.Foreign(s.resolved, args.credential.principals()...),
			Exists:  exists,
		})
		if err := a.view.ACLFindings(s.name, len(live), found); err != nil {
			return err
		}
		if len(found) > 0 {
			return errFindings
		}
		return nil
	})
}

// judged is what ACLs mention and the cluster can tell of whether it exists. A
// user without a password may be one with a certificate, unless nobody has one.
func (s *groupSession) judged(live []acl.Binding) []acl.Resource {
	at := s.resolved.Cluster(s.name).Bootstrap
	return slices.DeleteFunc(acl.Mentioned(live), func(r acl.Resource) bool {
		return r.Type == acl.User && (at.SCRAM == "" || at.MTLS != "" || at.Plain != "")
	})
}

// principals are what the cluster may call this credential: a certificate by
// its whole name, or by what is usually made of it.
func (c *credential) principals() []string {
	if c.user != "" {
		return []string{principalNamed(c.user)}
	}
	all, err := c.certificates()
	if err != nil || len(all) == 0 {
		return nil // there is none, or the login has told already what is wrong with it
	}
	leaf, err := x509.ParseCertificate(all[0].Certificate[0])
	if err != nil {
		return nil
	}
	return []string{"User:" + leaf.Subject.CommonName, "User:" + strings.TrimSpace(leaf.Subject.String())}
}
