package cli_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/internal/auth"
	"github.com/slipway-go/slipway/internal/cli"
	"github.com/slipway-go/slipway/internal/embedded"
	"github.com/slipway-go/slipway/internal/importer"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/internal/secret"
)

// A liveFixture is a secured cluster with its administrator.
type liveFixture struct {
	*testing.T
	cluster *embedded.Cluster
	admin   *kafka.Cluster
	dir     string // holds ca.crt and password
	getenv  func(string) string
}

func alive(t *testing.T) *liveFixture {
	t.Helper()
	c, err := embedded.Start(t.Context(), embedded.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	f := &liveFixture{T: t, cluster: c}
	f.admin, err = kafka.Connect(t.Context(), kafka.Config{
		Bootstrap: f.bootstrap(), Auth: contract.SCRAMSHA512, TLS: c.TLS(),
		User: c.Admin().User, Password: auth.Static(secret.New(c.Admin().Password)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.admin.Close)
	f.dir = place(t, map[string]string{"ca.crt": string(c.CA()), "password": c.Admin().Password})
	vars := map[string]string{"SLIPWAY_SASL_USER": c.Admin().User, "SLIPWAY_SASL_PASSWORD_FILE": filepath.Join(f.dir, "password")}
	f.getenv = func(name string) string { return vars[name] }
	return f
}

func (f *liveFixture) bootstrap() string { return strings.Join(f.cluster.Bootstrap(), ",") }

func (f *liveFixture) slipway(args ...string) result { return runWith(f.Context(), f.getenv, args...) }

func (f *liveFixture) require(got result, status int, want ...string) result {
	f.Helper()
	if got.status != status {
		f.Fatalf("status %d, want %d\n%s%s", got.status, status, got.out, got.err)
	}
	for _, w := range want {
		if !strings.Contains(got.out+got.err, w) {
			f.Errorf("no %q in\n%s%s", w, got.out, got.err)
		}
	}
	return got
}

func (f *liveFixture) must(errs ...error) {
	f.Helper()
	if err := errors.Join(errs...); err != nil {
		f.Fatal(err)
	}
}

func (f *liveFixture) topic(name string, partitions, replicas int, settings ...string) kafka.Topic {
	t := kafka.Topic{Name: name, Partitions: partitions, Replicas: replicas, Configs: map[string]string{}}
	for _, s := range settings {
		key, value, _ := strings.Cut(s, "=")
		t.Configs[key] = value
	}
	return t
}

func allow(principal string, op acl.Operation, kind acl.ResourceType, name string) acl.Binding {
	return acl.Binding{Principal: "User:" + principal, ResourceType: kind, Name: name, Pattern: acl.Literal, Operation: op, Permission: acl.Allow, Host: acl.AnyHost}
}

func prefixed(b acl.Binding) acl.Binding {
	b.Pattern = acl.Prefixed
	return b
}

func (f *liveFixture) user(name string, mechanism contract.Auth) kafka.Login {
	return kafka.Login{Credential: kafka.Credential{User: name, Mechanism: mechanism, Iterations: 4096}, Password: secret.New(f.cluster.Password(name))}
}

// mess is a cluster as people leave it.
func (f *liveFixture) mess() {
	f.Helper()
	ctx := f.Context()
	f.must(f.admin.CreateTopics(ctx, []kafka.Topic{
		f.topic("orders", 4, 3, "retention.ms=86400000", "compression.type=zstd", "min.insync.replicas=2"), f.topic("orders.paid.v1", 6, 3, "max.message.bytes=65536"),
		f.topic("Customers_Table", 3, 3, "cleanup.policy=compact"), f.topic("odd", 1, 1, "min.insync.replicas=1"),
		f.topic("both.v1", 1, 3), f.topic("a.b", 1, 3), f.topic("nobody.v1", 2, 3),
	})...)
	deny := allow("billing", acl.Write, acl.Topic, "orders")
	deny.Permission = acl.Deny
	host := allow("billing", acl.Read, acl.Topic, "odd")
	host.Host = "10.0.0.1"
	f.must(f.admin.Grant(ctx, []acl.Binding{
		allow("order-service", acl.Write, acl.Topic, "orders"), allow("order-service", acl.Write, acl.Topic, "orders.paid.v1"),
		allow("order-service", acl.Write, acl.Topic, "both.v1"), allow("order-service", acl.Write, acl.Topic, "odd"),
		prefixed(allow("order-service", acl.Write, acl.TransactionalID, "order-tx-")),
		allow("billing", acl.Read, acl.Topic, "orders"), allow("billing", acl.Read, acl.Group, "billing-eu"), allow("billing", acl.Read, acl.Group, "billing-us"),
		allow("billing", acl.Read, acl.Topic, "both.v1"), allow("billing", acl.Write, acl.Topic, "both.v1"), deny, host,
		allow("CN=search,OU=shop", acl.Read, acl.Topic, "Customers_Table"), allow("CN=search,OU=shop", acl.Write, acl.Topic, "Customers_Table"),
		prefixed(allow("analytics", acl.Read, acl.Topic, "orders")), prefixed(allow("analytics", acl.Read, acl.Group, "analytics")),
		allow("platform", "ALL", acl.Topic, "*"), allow("platform", "ALTER", acl.Cluster, "kafka-cluster"),
		allow("mirror", acl.Read, acl.Topic, "a.b"), allow("mirror", acl.Read, acl.Topic, "a_b"), allow("mirror", acl.Write, acl.Topic, "gone"),
		allow("null", acl.Read, acl.Topic, "nobody.v1"), allow("null", acl.Read, acl.Group, "true"),
	})...)
	f.must(f.admin.SetPasswords(ctx, []kafka.Login{f.user("order-service", contract.SCRAMSHA512), f.user("billing", contract.SCRAMSHA256), f.user("idle", contract.SCRAMSHA512)})...)
	f.must(f.admin.SetPasswords(ctx, []kafka.Login{f.user("billing", contract.SCRAMSHA512)})...)
	f.must(f.admin.SetQuotas(ctx, []kafka.Quota{{User: "billing", Limits: map[string]float64{kafka.QuotaConsume: 1 << 20}}, {User: "idle", Limits: map[string]float64{kafka.QuotaProduce: 1 << 20}}})...)
	f.commit("billing-eu", "orders", "both.v1")
	f.commit("analytics-1", "orders")
}

// commit makes a group that has committed in topics.
func (f *liveFixture) commit(group string, topics ...string) {
	f.Helper()
	for _, topic := range topics {
		if _, err := f.admin.Commit(f.Context(), group, map[kafka.Partition]kafka.GroupOffset{{Topic: topic}: {Offset: 0, Epoch: -1}}); err != nil {
			f.Fatal(err)
		}
	}
}

func (f *liveFixture) importInto(dir string, args ...string) result {
	return f.slipway(append([]string{"import", "--from", "cluster", "--bootstrap", f.bootstrap(), "--ca", filepath.Join(f.dir, "ca.crt"), "--dir", dir}, args...)...)
}

func TestAMessyClusterBecomesAValidEstateWithNothingToPlan(t *testing.T) {
	t.Parallel()
	f := alive(t)
	f.mess()
	dir := filepath.Join(t.TempDir(), "new", "estate")
	got := f.require(f.importInto(dir, "--dry-run", "-o", "name"), 0, "billing/slipway.yaml", "import-report.json")
	if _, err := os.Stat(dir); err == nil {
		t.Errorf("a dry run wrote something:\n%s", got.out)
	}
	f.require(f.importInto(dir), 0, "Written: ", "the first plan has no changes",
		"order-service", "CN=search,OU=shop", "Not expressed:")
	f.require(f.slipway("validate", dir), 0)
	f.require(f.slipway("plan", dir, "--exit-code"), 0, "Nothing to do")

	billing := read(t, dir, "billing/slipway.yaml")
	for _, want := range []string{
		"identity: {auth: scram-sha-512}", "orders: {order: partition, retry: {then: stop}}", "quotas: {consume: 1MiB/s}", "adopt: {principal: billing, group: billing-eu}",
	} {
		if !strings.Contains(billing, want) {
			t.Errorf("no %q in\n%s", want, billing)
		}
	}
	if text := read(t, dir, "order-service/slipway.yaml"); !strings.Contains(text, "orders.paid.v1: {partitions: 6, retention: 7d, maxMessage: 64KiB}") {
		t.Error(text)
	}
	if text := read(t, dir, "null/slipway.yaml"); !strings.Contains(text, `adopt: {principal: "null", group: "true"}`) {
		t.Error(text)
	}
	report := read(t, dir, "import-report.md")
	for _, want := range []string{
		"`deny User:billing WRITE TOPIC orders`", "`User:platform ALL TOPIC *`", "`topic both.v1`", "`topic odd`", "`user idle`", "`User:mirror WRITE TOPIC gone`",
		"`User:mirror READ TOPIC a_b`", "`User:billing READ GROUP billing-us`", "`password of billing by scram-sha-256`", "`topic Customers_Table`", "contracts do not state compression.type=zstd\n",
	} {
		if !strings.Contains(report, want) {
			t.Errorf("the report has no %s", want)
		}
	}
	// A second import into the same directory writes nothing.
	f.require(f.importInto(dir), 3, "SLP-CLI-006", "import-report.md exists already")
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestAnImportExpandsPrefixesIfAskedAndSaysWhatAPlanAdds(t *testing.T) {
	t.Parallel()
	f := alive(t)
	f.mess()
	dir := filepath.Join(t.TempDir(), "estate")
	var doc struct {
		Kind    string
		Changes []string
		Items   []importer.Item
	}
	got := f.require(f.importInto(dir, "--expand-prefixes", "--key", "Customers_Table=id", "-o", "json"), 0)
	if err := json.Unmarshal([]byte(got.out), &doc); err != nil || doc.Kind != "Import" || len(doc.Items) == 0 {
		t.Fatalf("%v: %s", err, got.out)
	}
	f.require(f.slipway("validate", dir), 0)
	plan := f.require(f.slipway("plan", dir), 0)
	for _, c := range doc.Changes {
		if !strings.HasPrefix(c, "+ acl ") || !strings.Contains(plan.out, c) {
			t.Errorf("the plan has no %s", c)
		}
	}
	if want := "+ acl User:analytics READ GROUP analytics-1"; !strings.Contains(strings.Join(doc.Changes, "\n"), want) {
		t.Errorf("no %s in %q", want, doc.Changes)
	}
	if text := read(t, dir, "search/slipway.yaml"); !strings.Contains(text, `"Customers_Table": {key: id, partitions: 3, compact: true`) {
		t.Error(text)
	}
}

const shopOrders = `apiVersion: slipway.dev/v1
kind: Service
metadata: {name: orders, owner: team-shop}
identity: {auth: scram-sha-512}
topics:
  orders.created.v1: {key: order_id, partitions: 6, retention: 3d}
produces:
  orders.created.v1: {}
`

const shopStock = `apiVersion: slipway.dev/v1
kind: Service
metadata: {name: stock, owner: team-stock}
identity: {auth: scram-sha-512}
topics:
  stock.reserved.v1: {key: order_id, partitions: 3}
produces:
  stock.reserved.v1: {}
consumes:
  orders.created.v1: {retry: {delays: [1s, 30s]}}
`

func TestAnEstateThatSlipwayAppliedComesBackFromItsCluster(t *testing.T) {
	t.Parallel()
	f := alive(t)
	first := place(t, map[string]string{
		"orders/slipway.yaml": shopOrders, "stock/slipway.yaml": shopStock, "ca.crt": string(f.cluster.CA()),
		"clusters.yaml": "apiVersion: slipway.dev/v1\nkind: Clusters\nclusters:\n  kafka: {id: \"" + f.admin.ID() + "\", bootstrap: {scram: \"" + f.bootstrap() + "\"}, ca: {file: ca.crt}}\nenvironments:\n  prod: {default: kafka}\n",
	})
	f.require(f.slipway("apply", first, "--yes", "--secrets", filepath.Join(t.TempDir(), "secrets")), 0)
	dir := filepath.Join(t.TempDir(), "estate")
	f.require(f.importInto(dir), 0, "the first plan has no changes")
	f.require(f.slipway("plan", dir, "--exit-code"), 0, "Nothing to do")
	if text := read(t, dir, "stock/slipway.yaml"); strings.Contains(text, "adopt") || !strings.Contains(text, "orders.created.v1: {order: partition}") {
		t.Error(text)
	}
	for _, other := range []string{dir, first} { // neither estate finds the other's work to be nobody's
		if got := f.require(f.slipway("plan", other, "-o", "json"), 0); strings.Contains(got.out, `"orphans": [{`) {
			t.Errorf("there are orphans:\n%s", got.out)
		}
	}
}

func TestAnImportUsesTheClustersOfItsDirectory(t *testing.T) {
	t.Parallel()
	f := alive(t)
	f.mess()
	clusters := "apiVersion: slipway.dev/v1\nkind: Clusters\nclusters:\n  main: {id: ID, bootstrap: {scram: \"" + f.bootstrap() + "\", mtls: \"127.0.0.1:1\"}, ca: {file: ca.crt}}\nenvironments:\n  staging: {default: main}\nnaming: {topic: \".*\"}\n"
	dir := place(t, map[string]string{"ca.crt": string(f.cluster.CA()), "clusters.yaml": strings.Replace(clusters, "ID", `"`+f.admin.ID()+`"`, 1)})
	f.require(f.slipway("import", "--from", "cluster", "--dir", dir), 0, "the first plan has no changes")
	f.require(f.slipway("plan", dir, "-e", "staging", "--exit-code"), 0, "Nothing to do")
	f.require(f.slipway("import", "--from", "cluster", "--dir", dir, "-e", "prod"), 64, "SLP-CLU-003")

	other := place(t, map[string]string{"ca.crt": string(f.cluster.CA()), "clusters.yaml": strings.Replace(clusters, "ID", "another", 1)})
	f.require(f.slipway("import", "--from", "cluster", "--dir", other), 3, "SLP-PLN-001")
}

func TestTheGuideFromStrimziShowsWhatAnImportDoes(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "coming-from-strimzi.md"))
	if err != nil {
		t.Fatal(err)
	}
	var blocks []string
	for _, part := range strings.Split(string(text), "```yaml\n")[1:] {
		block, _, _ := strings.Cut(part, "```")
		blocks = append(blocks, block)
	}
	f := &liveFixture{T: t, getenv: func(string) string { return "" }}
	in := place(t, map[string]string{"kafka.yaml": blocks[0], "policy.yaml": blocks[len(blocks)-1]})
	dir, other := filepath.Join(t.TempDir(), "estate"), filepath.Join(t.TempDir(), "estate")
	f.require(f.slipway("import", "--from", "strimzi", filepath.Join(in, "kafka.yaml"), "--dir", dir, "--owner", "team-shop"), 0)
	if got := read(t, dir, "billing/slipway.yaml"); !strings.HasSuffix(got, "kind: Service\n"+blocks[1]) {
		t.Errorf("the guide shows\n%s\nand the import made\n%s", blocks[1], got)
	}
	f.require(f.slipway("import", "--from", "policy", filepath.Join(in, "policy.yaml"), "--dir", other), 0, "svc-order-processor", "SLP-IMP-006")
	f.require(f.slipway("validate", dir), 0)
	f.require(f.slipway("validate", other), 0)
}

const strimziUser = `apiVersion: kafka.strimzi.io/v1beta2
kind: KafkaUser
metadata: {name: orders}
spec:
  authentication: {type: scram-sha-512}
  authorization: {type: simple, acls: [{resource: {type: topic, name: orders.created.v1}, operations: [Write]}]}
---
apiVersion: kafka.strimzi.io/v1beta2
kind: KafkaTopic
metadata: {name: orders.created.v1}
spec: {partitions: 3, replicas: 3}
`

func TestFilesAreImportedAndNeverWrittenOver(t *testing.T) {
	t.Parallel()
	f := &liveFixture{T: t, getenv: func(string) string { return "" }}
	in := place(t, map[string]string{
		"strimzi.yaml": strimziUser, "policy.yaml": "- {principal: orders, topic: orders.created.v1, operations: [Write]}\n",
		"bad.yaml": "- {principal: orders}\n", "wide.yaml": "- {principal: orders, topic: '*', operations: [Write]}\n", "alias.yaml": "a: &a b\nc: *a\n",
		"huge.yaml": "a: " + strings.Repeat("x", importer.MaxDocument),
	})
	name := func(file string) string { return filepath.Join(in, file) }
	dir := filepath.Join(t.TempDir(), "estate")
	f.require(f.slipway("import", "--from", "strimzi", name("strimzi.yaml"), "--dir", dir, "--owner", "team-shop"), 0, "orders")
	f.require(f.slipway("validate", dir), 0)
	if text := read(t, dir, "orders/slipway.yaml"); !strings.Contains(text, "identity: {auth: scram-sha-512}") {
		t.Error(text)
	}
	f.require(f.slipway("import", "--from", "policy", name("policy.yaml"), name("wide.yaml"), "--dir", filepath.Join(t.TempDir(), "both")), 0, "User:orders WRITE TOPIC *")
	f.require(f.slipway("import", "--from", "strimzi", name("strimzi.yaml"), name("strimzi.yaml"), "--dir", filepath.Join(t.TempDir(), "twice")), 64, "SLP-IMP-003", "is in two files")
	var out, errs bytes.Buffer
	status := cli.Main(t.Context(), []string{"import", "--from", "policy", "-", "--dir", filepath.Join(t.TempDir(), "p"), "-o", "name"},
		cli.System{In: strings.NewReader("- {principal: a, topic: b.c.v1, operation: write}"), Out: &out, Err: &errs, Getenv: f.getenv})
	if status != 0 || !strings.Contains(out.String(), "a/slipway.yaml") {
		t.Errorf("status %d: %s%s", status, out.String(), errs.String())
	}
	taken := place(t, map[string]string{"import-report.md": "mine"})
	f.require(f.slipway("import", "--from", "policy", name("policy.yaml"), "--dir", taken), 3, "SLP-CLI-", "import-report.md exists already")
	if entries, err := os.ReadDir(taken); err != nil || len(entries) != 1 || read(t, taken, "import-report.md") != "mine" {
		t.Errorf("something was written: %v %v", entries, err)
	}
	contradicted := place(t, map[string]string{"other/slipway.yaml": shopOrders})
	f.require(f.slipway("import", "--from", "policy", name("policy.yaml"), "--dir", contradicted), 3, "SLP-IMP-005", "orders.created.v1")
	free := filepath.Join(t.TempDir(), "free")
	for name, tt := range map[string]struct {
		args   []string
		status int
		want   string
	}{
		"no source":         {[]string{name("policy.yaml")}, 64, "--from is missing"},
		"no file":           {[]string{"--from", "policy"}, 64, "needs a file"},
		"a file of none":    {[]string{"--from", "policy", name("none.yaml")}, 64, "no such file"},
		"a file too many":   {[]string{"--from", "cluster", name("policy.yaml")}, 64, "reads no file"},
		"no address":        {[]string{"--from", "cluster"}, 64, "--bootstrap is missing"},
		"a bad key":         {[]string{"--from", "policy", name("policy.yaml"), "--key", "x"}, 64, "TOPIC=FIELD"},
		"a bad rule":        {[]string{"--from", "policy", name("bad.yaml")}, 64, "SLP-IMP-003"},
		"an alias":          {[]string{"--from", "strimzi", name("alias.yaml")}, 64, "SLP-IMP-001"},
		"a huge document":   {[]string{"--from", "strimzi", name("huge.yaml")}, 64, "SLP-IMP-002"},
		"nothing by name":   {[]string{"--from", "policy", name("wide.yaml")}, 1, "SLP-IMP-004"},
		"a CA that is none": {[]string{"--from", "policy", name("policy.yaml"), "--ca", name("none")}, 1, "--ca"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &liveFixture{T: t, getenv: f.getenv}
			f.require(f.slipway(append([]string{"import", "--dir", free}, tt.args...)...), tt.status, tt.want)
			if _, err := os.Stat(free); err == nil {
				t.Error("something was written")
			}
		})
	}
}
