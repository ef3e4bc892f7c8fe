package plan_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"pgregory.net/rapid"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/internal/auth"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/internal/secret"
	"github.com/slipway-go/slipway/plan"
)

// What nobody in any estate has a right to.
const (
	foreignTopic = "nobodys.topic.v1"
	foreignGroup = "nobodys-group"
	foreignTxn   = "nobodys-0"
)

// A tally counts what was tried.
type tally struct {
	estates, principals, checked, allowed, refused int

	missing []string // a contract calls for it, and the cluster refused it or could not do it
	surplus []string // no contract calls for it, and the cluster let it pass
}

func (c *tally) add(o tally) {
	c.estates += o.estates
	c.principals += o.principals
	c.checked += o.checked
	c.allowed += o.allowed
	c.refused += o.refused
	c.missing = append(c.missing, o.missing...)
	c.surplus = append(c.surplus, o.surplus...)
}

func (c *tally) String() string {
	return fmt.Sprintf("%d estates, %d principals: %d checked, %d allowed, %d refused, %d missing, %d surplus",
		c.estates, c.principals, c.checked, c.allowed, c.refused, len(c.missing), len(c.surplus))
}

// report prints the figures, and fails the test unless they are what they must
// be.
func (c *tally) report(t *testing.T) {
	t.Helper()
	t.Log(c)
	for _, m := range c.missing[:min(len(c.missing), 20)] {
		t.Errorf("missing: %s", m)
	}
	for _, s := range c.surplus[:min(len(c.surplus), 20)] {
		t.Errorf("surplus: %s", s)
	}
	if c.allowed == 0 || c.refused == 0 {
		t.Error("a matrix in which nothing is allowed, or nothing is refused, proves nothing")
	}
}

// judge tries everything that a user could do, and compares it with what the
// oracle says.
func (o *oracle) judge(t failer, user string, p *prober) tally {
	t.Helper()
	c := tally{principals: 1}
	for what, err := range p.everything(t) {
		c.checked++
		refused := denied(err)
		switch {
		case o.may[user][what] && err != nil:
			c.missing = append(c.missing, fmt.Sprintf("%s: %s: %v", user, what, err))
		case o.may[user][what]:
			c.allowed++
		case refused:
			c.refused++
		default:
			c.surplus = append(c.surplus, fmt.Sprintf("%s: %s: %v", user, what, err))
		}
	}
	return c
}

// denied reports whether an error is a refusal for lack of rights.
func denied(err error) bool {
	return slices.ContainsFunc([]error{
		kerr.TopicAuthorizationFailed, kerr.GroupAuthorizationFailed, kerr.TransactionalIDAuthorizationFailed, kerr.ClusterAuthorizationFailed,
	}, func(e error) bool { return errors.Is(err, e) })
}

// login is how a matrix connects as a user.
type login func(t failer, user string, kind contract.Auth) *kgo.Client

// prove applies an estate as it is derived, and tries everything as everybody
// in it.
func prove(t failer, r *contract.Resolved, as login, admin *kgo.Client, partitions func(name string) int) tally {
	t.Helper()
	o := consult(r)
	w := newWorld(t, admin, o, partitions)
	c := tally{estates: 1}
	for _, user := range slices.Sorted(maps.Keys(o.may)) {
		client := as(t, user, o.auth[user])
		c.add(o.judge(t, user, &prober{world: w, client: client, user: user, may: o.may[user]}))
		client.Close()
	}
	return c
}

// matrixRig is an embedded cluster on which estates are proved.
type matrixRig struct {
	*rig
	client *kgo.Client // the administrator's
}

func startMatrix(t *testing.T) *matrixRig {
	t.Helper()
	r := start(t)
	if err := errors.Join(r.admin.CreateTopics(t.Context(), []kafka.Topic{{Name: foreignTopic, Partitions: 1, Replicas: 3}, {Name: "crm.changed.v1", Partitions: 2, Replicas: 3}})...); err != nil {
		t.Fatal(err)
	}
	return &matrixRig{r, client(t, r.Options(r.Cluster.Admin())...)}
}

func (r *matrixRig) prove(t *testing.T, f failer, estate *contract.Resolved) tally {
	f.Helper()
	want := derive(f, estate, contract.Embedded)
	if err := plan.Apply(t.Context(), r.target(), r.plan(t, want), nil); err != nil {
		f.Fatal(err)
	}
	return prove(f, estate, r.login, r.client, partitionsOf(want))
}

// partitionsOf is how many partitions a desired topic has.
func partitionsOf(want *plan.Desired) func(string) int {
	return func(name string) int {
		for _, t := range want.Topics {
			if t.Name == name {
				return t.Partitions
			}
		}
		return 1
	}
}

func (r *matrixRig) login(t failer, user string, kind contract.Auth) *kgo.Client {
	t.Helper()
	if kind != contract.SCRAMSHA256 {
		kind = contract.SCRAMSHA512 // as on every embedded cluster
	}
	mechanism, err := auth.Mechanism(kind, user, auth.Static(secret.New(r.Password(user))))
	if err != nil {
		t.Fatal(err)
	}
	c, err := kgo.NewClient(kgo.SeedBrokers(r.Bootstrap()...), kgo.DialTLSConfig(r.TLS()), kgo.SASL(mechanism))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestEveryOperationOfTheShopsContractsSucceedsAndNoOther is the whole matrix
// of principal, resource and operation, by real requests.
func TestEveryOperationOfTheShopsContractsSucceedsAndNoOther(t *testing.T) {
	t.Parallel()
	for name, dir := range map[string]string{"examples": "../examples/shop", "testdata": "testdata/shop"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := startMatrix(t).prove(t, t, resolve(t, os.DirFS(dir), "dev"))
			c.report(t)
		})
	}
}

// TestEveryOperationOfAnyContractSucceedsAndNoOther proves the same of drawn
// estates, the same ones each time.
func TestEveryOperationOfAnyContractSucceedsAndNoOther(t *testing.T) {
	t.Parallel()
	r := startMatrix(t)
	var all tally
	sketches := rapid.Custom(anySketch)
	estates := 30
	if testing.Short() { // under the race detector each takes ten times as long
		estates = 3
	}
	for seed := range estates {
		all.add(r.prove(t, t, sketches.Example(seed).resolve(t)))
	}
	all.report(t)
}

// TestTheMatrixNoticesOneRightTooFewAndOneTooMany holds the proof itself to
// account.
func TestTheMatrixNoticesOneRightTooFewAndOneTooMany(t *testing.T) {
	t.Parallel()
	r := startMatrix(t)
	estate := resolve(t, os.DirFS("../examples/shop"), "dev")
	r.prove(t, t, estate)
	lost := acl.Derive(estate)[0].Binding
	extra := lost
	extra.ResourceType, extra.Name, extra.Operation = acl.Topic, foreignTopic, acl.AlterConfigs
	if err := errors.Join(append(r.admin.Revoke(t.Context(), []acl.Binding{lost}), r.admin.Grant(t.Context(), []acl.Binding{extra})...)...); err != nil {
		t.Fatal(err)
	}
	c := prove(t, estate, r.login, r.client, partitionsOf(derive(t, estate, contract.Embedded)))
	if len(c.missing) == 0 || !strings.Contains(c.missing[0], lost.Name) {
		t.Errorf("%s was taken away, and missing is %q", lost, c.missing)
	}
	want := []string{"ALTER_CONFIGS TOPIC " + foreignTopic, "DESCRIBE_CONFIGS TOPIC " + foreignTopic} // the one implies the other
	if len(c.surplus) != 2 || !slices.ContainsFunc(want, func(w string) bool { return strings.Contains(c.surplus[0], w) }) {
		t.Errorf("%s was added, and surplus is %q", extra, c.surplus)
	}
}
