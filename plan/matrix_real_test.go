//go:build kafka

package plan_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/internal/auth"
	"github.com/slipway-go/slipway/internal/dev"
	"github.com/slipway-go/slipway/internal/dev/devtest"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/internal/secret"
	"github.com/slipway-go/slipway/plan"
)

// realMatrix is three nodes with StandardAuthorizer on which estates are
// proved.
type realMatrix struct {
	*realCluster
	client *kgo.Client // the administrator's
}

// TestRightsOnRealKafka proves on StandardAuthorizer, over SCRAM and mTLS, what
// the quick tests prove on the embedded cluster: the whole matrix of rights,
// the rights of who applies, and the lines for kafka-acls.sh.
func TestRightsOnRealKafka(t *testing.T) {
	c, err := dev.Up(t.Context(), dev.Config{Ephemeral: true, StartTimeout: 4 * time.Minute})
	devtest.Require(t, err)
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	r := &realMatrix{realCluster: realRig(t, c)}
	r.client = client(t, r.AdminPassword().Options()...)
	if err := errors.Join(r.admin.CreateTopics(t.Context(), []kafka.Topic{{Name: foreignTopic, Partitions: 1, Replicas: 3}, {Name: "crm.changed.v1", Partitions: 2, Replicas: 3}})...); err != nil {
		t.Fatal(err)
	}
	t.Run("shop", func(t *testing.T) {
		shop := resolve(t, os.DirFS("../examples/shop"), "dev")
		all := r.prove(t, shop)
		all.report(t)
		r.audits(t, shop)
	})
	t.Run("sdk", r.runsTheSDK)
	t.Run("generated", func(t *testing.T) {
		var all tally
		sketches := rapid.Custom(anySketch)
		for seed := range 8 {
			all.add(r.prove(t, sketches.Example(seed).resolve(t)))
		}
		all.report(t)
	})
	t.Run("kafka-acls", r.takesTheLines)
	t.Run("bootstrap", r.bootstraps)
}

func (r *realMatrix) prove(t *testing.T, estate *contract.Resolved) tally {
	t.Helper()
	estate.Bindings = map[string]contract.Binding{contract.DefaultAlias: {Cluster: contract.Local}}
	want := derive(t, estate, contract.Local)
	if err := plan.Apply(t.Context(), r.target, r.plan(t, want), nil); err != nil {
		t.Fatal(err)
	}
	if settled, err := plan.Settle(t.Context(), want, r.admin, r.registry); err != nil || !settled {
		t.Fatalf("settled %t, %v", settled, err)
	}
	r.everywhere(t, len(want.Grants))
	o := consult(estate)
	w := newWorld(t, r.client, o, partitionsOf(want))
	w.groupConfigs = true
	all := tally{estates: 1}
	for user, kind := range o.auth {
		c := client(t, r.loginAs(t, user, kind).Options()...)
		all.add(o.judge(t, user, &prober{world: w, client: c, user: user, may: o.may[user]}))
		c.Close()
	}
	return all
}

func (r *realMatrix) loginAs(t *testing.T, user string, kind contract.Auth) dev.Login {
	t.Helper()
	mechanism := dev.SHA512
	if kind == contract.SCRAMSHA256 {
		mechanism = dev.SHA256
	}
	login, err := r.Certificate(user)
	if password, found := r.passwords[user]; found {
		login, err = r.Password(user, password.Reveal(), mechanism)
	}
	if err != nil {
		t.Fatal(err)
	}
	return login
}

// everywhere waits until every node has at least so many ACLs more than none.
func (r *realMatrix) everywhere(t *testing.T, least int) {
	t.Helper()
	want, err := r.admin.ACLs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	limit := time.After(30 * time.Second)
	for _, n := range r.Nodes() {
		for r.aclsOn(t, n) < max(least, len(want)) {
			select {
			case <-limit:
				t.Fatal("a node does not learn of the ACLs")
			case <-time.After(50 * time.Millisecond):
			}
		}
	}
}

func (r *realMatrix) aclsOn(t *testing.T, n *dev.Node) int {
	t.Helper()
	req := kmsg.NewPtrDescribeACLsRequest()
	req.ResourceType, req.ResourcePatternType = kmsg.ACLResourceTypeAny, kmsg.ACLResourcePatternTypeAny
	req.Operation, req.PermissionType = kmsg.ACLOperationAny, kmsg.ACLPermissionTypeAny
	resp, err := req.RequestWith(t.Context(), r.client.Broker(n.ID()))
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, resource := range resp.Resources {
		count += len(resource.ACLs)
	}
	return count
}

// takesTheLines has Kafka's own tool add what the lines for it say, hostile
// names too, and looks for exactly that on the cluster.
func (r *realMatrix) takesTheLines(t *testing.T) {
	java, err := exec.LookPath("java")
	if err != nil {
		t.Skip("there is no java")
	}
	literal := func(principal string, kind acl.ResourceType, name string, op acl.Operation) acl.Binding {
		return acl.Binding{Principal: principal, ResourceType: kind, Name: name, Pattern: acl.Literal, Operation: op, Permission: acl.Allow, Host: acl.AnyHost}
	}
	prefixed := literal("User:lines", acl.TransactionalID, "lines.", acl.Write)
	prefixed.Pattern = acl.Prefixed
	denied := literal("User:lines", acl.Topic, "lines.v1", acl.AlterConfigs)
	denied.Permission, denied.Host = acl.Deny, "127.0.0.1"
	want := []acl.Binding{
		literal("User:lines", acl.Topic, "lines.v1", acl.Read), literal("User:lines", acl.Topic, "lines.v1", acl.Delete), prefixed, denied,
		literal("User:lines", acl.Cluster, acl.ClusterName, acl.DescribeConfigs),
		literal("User:CN=o'neil,OU=$HOME", acl.Group, "--remove;`id`\"", acl.Read),
	}
	slices.SortFunc(want, acl.Binding.Compare)
	lines, err := acl.KafkaACLs(want)
	if err != nil {
		t.Fatal(err)
	}
	before, err := r.admin.ACLs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	script := fmt.Sprintf("kafka-acls.sh() { '%s' -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp '%s' org.apache.kafka.tools.AclCommand \"$@\" </dev/null; }\nset -e\nBOOTSTRAP_SERVERS='%s' ADMIN_CONFIG='%s'\n%s\n",
		java, filepath.Join(r.jars(t), "*"), r.AdminPassword().Bootstrap, r.adminConfig(t), strings.Join(lines, "\n"))
	if out, err := exec.CommandContext(t.Context(), "bash", "-c", script).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	after, err := r.admin.ACLs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := slices.DeleteFunc(after, func(b acl.Binding) bool { return slices.Contains(before, b) })
	slices.SortFunc(got, acl.Binding.Compare)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what kafka-acls made of\n%s\n(-want +got):\n%s", strings.Join(lines, "\n"), diff)
	}
	t.Logf("%d ACLs made by %d lines", len(got), len(lines))
}

// jars is where Kafka's own classes are.
func (r *realMatrix) jars(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	found, err := filepath.Glob(filepath.Join(cache, "slipway", "kafka-*", "kafka-tools-*.jar"))
	if err != nil || len(found) == 0 {
		t.Fatalf("no kafka-tools in the cache: %v", err)
	}
	return filepath.Dir(found[0])
}

// adminConfig writes what Kafka's tools log in with.
func (r *realMatrix) adminConfig(t *testing.T) string {
	t.Helper()
	login := r.AdminPassword()
	password, err := os.ReadFile(filepath.Join(login.Dir, dev.PasswordFile))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	ca := filepath.Join(dir, "ca.pem")
	file := filepath.Join(dir, "admin.properties")
	text := fmt.Sprintf("security.protocol=SASL_SSL\nssl.truststore.type=PEM\nssl.truststore.location=%s\nsasl.mechanism=SCRAM-SHA-512\n"+
		"sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username=\"%s\" password=\"%s\";\n", ca, login.Name, password)
	if err := errors.Join(os.WriteFile(ca, r.Authority().PEM(), 0o600), os.WriteFile(file, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
	return file
}

// bootstraps is TestWhoAppliesCanDoItWithExactlyTheBootstrapsRights with the
// rights on settings of groups. Every trial has an environment of its own. A right
// of several duties is left out of the first of them; SLIPWAY_SOAK=1 leaves it out
// of each.
func (r *realMatrix) bootstraps(t *testing.T) {
	trials, failed := 0, 0
	missed := make(map[string]bool)
	for _, duty := range []acl.Duty{acl.Planning, acl.Applying, acl.Deleting} {
		env := func() string { trials++; return fmt.Sprintf("e%d", trials) }
		name := env()
		all := rights(t, contract.Local, name, duty)
		t.Run(string(duty), func(t *testing.T) {
			if err := r.attempt(t, name, duty, all); err != nil {
				t.Fatalf("with all %d rights: %v", len(all), err)
			}
		})
		for i := range all {
			right := strings.ReplaceAll(all[i].String(), name, "ENV")
			if missed[right] && os.Getenv("SLIPWAY_SOAK") != "1" {
				continue
			}
			missed[right] = true
			name := env()
			all := rights(t, contract.Local, name, duty)
			t.Run(string(duty)+" without "+all[i].String(), func(t *testing.T) {
				err := r.attempt(t, name, duty, slices.Delete(all, i, i+1))
				if err == nil {
					t.Fatal("nothing fails without it")
				}
				t.Log(strings.SplitN(err.Error(), "\n", 2)[0])
				if errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("it fails for want of time, which proves nothing: %v", err)
				}
				failed++
			})
		}
	}
	t.Logf("%d trials, %d rights without which something fails", trials, failed)
}

func (r *realMatrix) attempt(t *testing.T, env string, duty acl.Duty, rights []acl.Binding) error {
	t.Helper()
	user, password := deployer(env), secret.Generate()
	login := kafka.Login{Credential: kafka.Credential{User: user, Mechanism: contract.SCRAMSHA512, Iterations: 4096}, Password: password}
	if err := errors.Join(append(r.admin.SetPasswords(t.Context(), []kafka.Login{login}), r.admin.Grant(t.Context(), rights)...)...); err != nil {
		t.Fatal(err)
	}
	r.everywhere(t, 0)
	one := &trial{
		T: t, admin: r.admin, cluster: contract.Local, env: env, duty: duty, groups: true, settle: time.Second,
		passwords: func(string) (secret.Secret, error) { return secret.Generate(), nil },
	}
	one.prepare()
	one.eventually(func() (err error) {
		one.own, err = kafka.Connect(t.Context(), kafka.Config{
			Bootstrap: r.SCRAM(), TLS: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: r.Authority().Pool()}, Auth: contract.SCRAMSHA512, User: user, Password: auth.Static(password),
		})
		return err
	})
	t.Cleanup(one.own.Close)
	<-time.After(one.settle)
	return one.serve()
}
