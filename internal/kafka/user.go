package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/internal/secret"
)

// A Credential is what a cluster knows of one user's SCRAM password: that it
// is there.
type Credential struct {
	User       string
	Mechanism  contract.Auth // scram-sha-256 or scram-sha-512
	Iterations int
}

// A Login is a SCRAM password to set.
type Login struct {
	Credential
	Password secret.Secret
}

// Users returns the SCRAM credentials of the named users, those of a user side
// by side. A user without one is absent.
func (c *Cluster) Users(ctx context.Context, names ...string) (map[string][]Credential, error) {
	if len(names) == 0 {
		return nil, nil // to the broker, no names mean every user
	}
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	described, err := c.admin.DescribeUserSCRAMs(ctx, names...)
	if err != nil {
		return nil, c.diagnose(err)
	}
	users := map[string][]Credential{}
	for _, d := range described {
		if errors.Is(d.Err, kerr.ResourceNotFound) {
			continue
		}
		if d.Err != nil {
			return nil, c.diagnose(d.Err)
		}
		for _, info := range d.CredInfos {
			users[d.User] = append(users[d.User], Credential{d.User, authOf(info.Mechanism), int(info.Iterations)})
		}
	}
	return users, nil
}

// SetPasswords creates users, or gives existing ones a new password. Setting
// the same one twice changes nothing that a client could see.
func (c *Cluster) SetPasswords(ctx context.Context, logins []Login) []error {
	return inBatches(ctx, c, logins, c.setPasswords)
}

func (c *Cluster) setPasswords(ctx context.Context, batch []Login) ([]error, error) {
	upserts := make([]kadm.UpsertSCRAM, len(batch))
	for i, l := range batch {
		mechanism, err := mechanismOf(l.Mechanism)
		if err != nil {
			return nil, fmt.Errorf("set password of %s: %w", l.User, err)
		}
		upserts[i] = kadm.UpsertSCRAM{
			User: l.User, Mechanism: mechanism, Iterations: int32(l.Iterations), Password: l.Password.Reveal(),
		}
	}
	altered, err := c.admin.AlterUserSCRAMs(ctx, nil, upserts)
	if err != nil {
		return nil, err
	}
	answers := make(map[string]error, len(altered))
	for _, a := range altered {
		if a.Err != nil && a.ErrMessage != "" {
			a.Err = fmt.Errorf("%w: %s", a.Err, a.ErrMessage)
		}
		answers[a.User] = c.diagnose(a.Err)
	}
	return byName(batch, func(l Login) string { return l.User }, answers), nil
}

func authOf(m kadm.ScramMechanism) contract.Auth {
	if m == kadm.ScramSha256 {
		return contract.SCRAMSHA256
	}
	return contract.SCRAMSHA512
}

func mechanismOf(a contract.Auth) (kadm.ScramMechanism, error) {
	switch a {
	case contract.SCRAMSHA256:
		return kadm.ScramSha256, nil
	case contract.SCRAMSHA512:
		return kadm.ScramSha512, nil
	default:
		return 0, fmt.Errorf("%q is no SCRAM mechanism", a)
	}
}
