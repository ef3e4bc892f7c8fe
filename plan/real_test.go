//go:build kafka

package plan_test

import (
	"crypto/tls"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/internal/auth"
	"github.com/slipway-go/slipway/internal/dev"
	"github.com/slipway-go/slipway/internal/dev/devtest"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/internal/secret"
	"github.com/slipway-go/slipway/plan"
	"github.com/slipway-go/slipway/schema"
)

// TestTheShopOnRealKafka is apply from nothing, the matrix of rights on
// StandardAuthorizer over SCRAM and mTLS, and an empty plan afterwards, on
// three nodes with a registry that is not ours.
func TestTheShopOnRealKafka(t *testing.T) {
	c, err := dev.Up(t.Context(), dev.Config{Ephemeral: true, StartTimeout: 4 * time.Minute})
	devtest.Require(t, err)
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	r := realRig(t, c)
	estate := shop(t, "dev")
	estate.Bindings = map[string]contract.Binding{contract.DefaultAlias: {Cluster: contract.Local}}
	want := derive(t, estate, contract.Local)
	if err := errors.Join(r.admin.CreateTopics(t.Context(), []kafka.Topic{{Name: "crm.changed.v1", Partitions: 2, Replicas: 3}})...); err != nil {
		t.Fatal(err)
	}
	p := r.plan(t, want)
	if err := plan.Apply(t.Context(), r.target, p, nil); err != nil {
		t.Fatal(err)
	}
	r.requireSettled(t, want)
	checkRights(t, func(t *testing.T, user string, _ contract.Auth, opts ...kgo.Opt) *kgo.Client {
		t.Helper()
		return client(t, append(r.login(t, user).Options(), opts...)...)
	}, "admin")
}

type realCluster struct {
	*dev.Cluster
	admin     *kafka.Cluster
	registry  *schema.Admin
	target    plan.Target
	passwords map[string]secret.Secret
}

func realRig(t *testing.T, c *dev.Cluster) *realCluster {
	t.Helper()
	r := &realCluster{Cluster: c, passwords: map[string]secret.Secret{}}
	admin := c.AdminPassword()
	text, err := os.ReadFile(admin.Dir + "/" + dev.PasswordFile)
	if err != nil {
		t.Fatal(err)
	}
	r.admin, err = kafka.Connect(t.Context(), kafka.Config{
		Bootstrap: admin.Bootstrap, TLS: &tls.Config{RootCAs: c.Authority().Pool()}, Auth: contract.SCRAMSHA512, User: admin.Name, Password: auth.Static(secret.New(string(text))),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.admin.Close)
	if r.registry, err = schema.NewAdmin(schema.ClientConfig{URL: c.Registry()}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.registry.Close)
	r.target = plan.Target{Cluster: r.admin, Registry: r.registry, Passwords: func(user string) (secret.Secret, error) {
		r.passwords[user] = secret.Generate()
		return r.passwords[user], nil
	}}
	return r
}

func (r *realCluster) plan(t *testing.T, want *plan.Desired) *plan.Plan {
	t.Helper()
	have, err := plan.Read(t.Context(), want, r.admin, r.registry)
	if err != nil {
		t.Fatal(err)
	}
	return diff(t, want, have)
}

// requireSettled waits for brokers to learn what the controller has done.
func (r *realCluster) requireSettled(t *testing.T, want *plan.Desired) {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(30 * time.Second)
	for {
		p := r.plan(t, want)
		if p.Empty() {
			return
		}
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("after apply there is still\n%s", text(p))
		}
	}
}

// login is how a service connects: by the password it was given, else by a
// certificate.
func (r *realCluster) login(t *testing.T, user string) dev.Login {
	t.Helper()
	mechanism := dev.SHA512
	if jobs[user].auth == contract.SCRAMSHA256 {
		mechanism = dev.SHA256
	}
	if user == "admin" {
		return r.AdminPassword()
	}
	var login dev.Login
	var err error
	if password, found := r.passwords[user]; found {
		login, err = r.Password(user, password.Reveal(), mechanism)
	} else {
		login, err = r.Certificate(user)
	}
	if err != nil {
		t.Fatal(err)
	}
	return login
}
