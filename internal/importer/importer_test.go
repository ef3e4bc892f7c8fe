package importer_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/importer"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/plan"
)

// failer is what both a test and a rapid check are.
type failer interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// grant is a binding written as plans show it: "User:a WRITE TOPIC b", with a *
// at the end for a prefix, "deny" in front and "from HOST" behind.
func grant(t failer, text string) acl.Binding {
	t.Helper()
	b := acl.Binding{Pattern: acl.Literal, Permission: acl.Allow, Host: acl.AnyHost}
	if rest, denied := strings.CutPrefix(text, "deny "); denied {
		text, b.Permission = rest, acl.Deny
	}
	text, host, hosted := strings.Cut(text, " from ")
	if hosted {
		b.Host = host
	}
	parts := strings.SplitN(text, " ", 4)
	if len(parts) != 4 {
		t.Fatalf("%q is no right", text)
	}
	b.Principal, b.Operation, b.ResourceType, b.Name = parts[0], acl.Operation(parts[1]), acl.ResourceType(parts[2]), parts[3]
	if name, prefixed := strings.CutSuffix(b.Name, "*"); prefixed && name != "" {
		b.Name, b.Pattern = name, acl.Prefixed
	}
	return b
}

// topic is one as kafka describes it, with settings that most topics have.
func topic(name string, settings ...string) kafka.Topic {
	t := kafka.Topic{Name: name, Partitions: 6, Replicas: 3, Configs: map[string]string{
		kafka.CleanupPolicy: "delete", kafka.RetentionMillis: "604800000",
		kafka.MaxMessageBytes: "1048588", kafka.MinInsyncReplicas: "2",
	}}
	for _, s := range settings {
		key, value, _ := strings.Cut(s, "=")
		t.Configs[key] = value
	}
	return t
}

// live is a cluster with topics of the usual shape and rights.
func live(t failer, topics []kafka.Topic, rights ...string) *importer.Snapshot {
	t.Helper()
	s := &importer.Snapshot{
		Source: importer.FromCluster, ClusterID: "MkU3OEVBNTcwNTJENDM2Qk", Brokers: 3,
		Topics: map[string]kafka.Topic{}, Users: map[string][]kafka.Credential{}, Groups: map[string]importer.Group{},
	}
	for _, topic := range topics {
		s.Topics[topic.Name] = topic
	}
	for _, r := range rights {
		s.Bindings = append(s.Bindings, grant(t, r))
	}
	return s
}

func draft(t failer, in *importer.Snapshot, opt importer.Options) *importer.Draft {
	t.Helper()
	d, err := importer.New(in, opt)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// file is the text of one of a draft's files.
func file(t failer, d *importer.Draft, path string) string {
	t.Helper()
	i := slices.IndexFunc(d.Files, func(f importer.File) bool { return f.Path == path })
	if i < 0 {
		t.Fatalf("there is no %s", path)
	}
	_, text, _ := strings.Cut(string(d.Files[i].Text), "\n") // without the comment
	return text
}

// resolve reads the draft as every command would, without the importer.
func resolve(t failer, d *importer.Draft, env string) *contract.Resolved {
	t.Helper()
	fsys := fstest.MapFS{}
	for _, f := range d.Files {
		fsys[f.Path] = &fstest.MapFile{Data: f.Text}
	}
	return resolved(t, fsys, env)
}

func resolved(t failer, fsys fs.FS, env string) *contract.Resolved {
	t.Helper()
	e, list := contract.Load(fsys, ".")
	if list = append(list, e.Validate()...); list.Failed() {
		t.Fatal(list.Text())
	}
	r, list := e.In(env)
	if list.Failed() {
		t.Fatal(list.Text())
	}
	return r
}

// changes are what a first plan against the snapshot would do.
func changes(t failer, d *importer.Draft, in *importer.Snapshot, env, cluster string) []string {
	t.Helper()
	want, err := plan.Derive(resolve(t, d, env), cluster)
	if err != nil {
		t.Fatal(err)
	}
	bindings := map[acl.Binding]bool{}
	for _, b := range in.Bindings {
		bindings[b] = true
	}
	p, err := plan.Diff(want, &plan.Actual{
		ClusterID: in.ClusterID, Brokers: in.Brokers, Topics: in.Topics, Users: in.Users, Bindings: bindings, Quotas: in.Quotas,
	})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, c := range p.Changes {
		out = append(out, c.String())
	}
	return out
}

func items(d *importer.Draft) []string {
	var out []string
	for _, i := range d.Items {
		out = append(out, fmt.Sprintf("%s %s: %s", i.Code, i.What, i.Why))
	}
	return out
}

func told(t *testing.T, d *importer.Draft, code diag.Code, what, why string) {
	t.Helper()
	for _, i := range d.Items {
		if i.Code == code && strings.Contains(i.What, what) && strings.Contains(i.Why, why) {
			if i.Do == "" {
				t.Errorf("%s does not say what to do", i.What)
			}
			return
		}
	}
	t.Errorf("nothing tells %s of %q that %q:\n%s", code, what, why, strings.Join(items(d), "\n"))
}

func TestRightsByNameBecomeContractsWithAdoptedNames(t *testing.T) {
	t.Parallel()
	in := live(t, []kafka.Topic{topic("orders.created.v1"), topic("audit")},
		"User:orders WRITE TOPIC orders.created.v1", "User:orders DESCRIBE TOPIC orders.created.v1",
		"User:billing READ TOPIC orders.created.v1", "User:billing READ GROUP billing-group",
		"User:billing READ TOPIC audit",
		"User:CN=search,OU=shop READ TOPIC orders.created.v1")
	in.Users["billing"] = []kafka.Credential{{User: "billing", Mechanism: contract.SCRAMSHA256, Iterations: 4096}}
	in.Quotas = map[string]map[string]float64{"billing": {kafka.QuotaConsume: 1 << 20, "controller_mutation_rate": 3}}
	d := draft(t, in, importer.Options{Owner: "team-shop"})
	for path, want := range map[string]string{
		"orders/slipway.yaml": `apiVersion: slipway.dev/v1
kind: Service
metadata: {name: orders, owner: team-shop}
identity: {auth: mtls}
topics:
  orders.created.v1: {partitions: 6, retention: 7d}
produces:
  orders.created.v1: {}
adopt: {principal: orders}
`,
		"billing/slipway.yaml": `apiVersion: slipway.dev/v1
kind: Service
metadata: {name: billing, owner: team-shop}
identity: {auth: scram-sha-256}
consumes:
  audit: {order: partition, retry: {then: stop}}
  orders.created.v1: {order: partition, retry: {then: stop}}
quotas: {consume: 1MiB/s}
adopt: {principal: billing, group: billing-group}
`,
		"search/slipway.yaml": `apiVersion: slipway.dev/v1
kind: Service
metadata: {name: search, owner: team-shop}
identity: {auth: mtls}
consumes:
  orders.created.v1: {as: table}
adopt: {principal: "CN=search,OU=shop"}
`,
		"external.yaml": `apiVersion: slipway.dev/v1
kind: External
topics:
  audit: {partitions: 6}
`,
		"clusters.yaml": `apiVersion: slipway.dev/v1
kind: Clusters
clusters:
  kafka:
    id: "MkU3OEVBNTcwNTJENDM2Qk"
    bootstrap:
      mtls: "kafka.invalid:9093" # not known: correct it
      scram: "kafka.invalid:9093" # not known: correct it
    defaults: {replicas: 3, min.insync.replicas: 2}
environments:
  prod: {default: kafka}
`,
	} {
		if diff := cmp.Diff(want, file(t, d, path)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
	if got := changes(t, d, in, "prod", "kafka"); got != nil {
		t.Errorf("the first plan would %q", got)
	}
	told(t, d, diag.ImportRight, "User:orders DESCRIBE TOPIC orders.created.v1", "imply it")
	told(t, d, diag.ImportQuota, "controller_mutation_rate=3", "whole bytes")
	told(t, d, diag.ImportUnknown, "address of the scram listener", "")
	told(t, d, diag.ImportUnknown, "way to log in of 2 services", "")
}

func TestUsersAndPasswordsThatNoContractNeedsAreTold(t *testing.T) {
	t.Parallel()
	in := live(t, []kafka.Topic{topic("a.b.v1")}, "User:p WRITE TOPIC a.b.v1")
	in.Users["idle"] = []kafka.Credential{{User: "idle", Mechanism: contract.SCRAMSHA512}}
	in.Users["p"] = []kafka.Credential{{User: "p", Mechanism: contract.SCRAMSHA256}, {User: "p", Mechanism: contract.SCRAMSHA512}}
	d := draft(t, in, importer.Options{})
	told(t, d, diag.ImportUser, "user idle", "no right of its own")
	told(t, d, diag.ImportUser, "password of p by scram-sha-256", "one way to log in, scram-sha-512")
	if text := file(t, d, "external.yaml"); !strings.Contains(text, "- \"User:idle\"") {
		t.Error(text)
	}
}

func TestWhatCannotBeExpressedIsToldAndLeftOut(t *testing.T) {
	t.Parallel()
	topics := []kafka.Topic{topic("a.b.v1"), topic("a.c.v1"), topic("x.y"), topic("x_y"), topic("odd.v1", kafka.MinInsyncReplicas+"=1"), topic("table.v1", kafka.CleanupPolicy+"=compact")}
	base := []string{"User:ok WRITE TOPIC a.b.v1"}
	for name, tt := range map[string]struct {
		rights    []string
		code      diag.Code
		what, why string
	}{
		"a prefix":                      {[]string{"User:p READ TOPIC a.*"}, diag.ImportWide, "User:p READ TOPIC a.*", "more than one name"},
		"every topic":                   {[]string{"User:p WRITE TOPIC *"}, diag.ImportWide, "User:p WRITE TOPIC *", "more than one name"},
		"every operation":               {[]string{"User:p ALL TOPIC a.b.v1"}, diag.ImportWide, "ALL TOPIC", "more than one name or operation"},
		"a denial":                      {[]string{"deny User:p READ TOPIC a.b.v1"}, diag.ImportRight, "deny User:p", "only allow"},
		"one host":                      {[]string{"User:p READ TOPIC a.b.v1 from 10.0.0.1"}, diag.ImportRight, "10.0.0.1", "one host only"},
		"nobody in particular":          {[]string{"User:ANONYMOUS READ TOPIC a.b.v1"}, diag.ImportPrincipal, "ANONYMOUS", "does not log in"},
		"the lock of applies":           {[]string{"User:ci READ GROUP slipway-apply-prod"}, diag.ImportRight, "slipway-apply-prod", "exclude each other"},
		"everybody":                     {[]string{"User:* READ TOPIC a.b.v1"}, diag.ImportPrincipal, "User:* READ", "everybody's"},
		"a principal with a colon":      {[]string{"Group:p READ TOPIC a.b.v1"}, diag.ImportPrincipal, "Group:p", "cannot adopt"},
		"a hidden character":            {[]string{"User:a\u202eb READ TOPIC a.b.v1"}, diag.ImportPrincipal, "\u202e", "cannot adopt"},
		"a topic that is gone":          {[]string{"User:p READ TOPIC gone.v1"}, diag.ImportTopic, "gone.v1", "does not exist"},
		"no topic's name":               {[]string{"User:p READ TOPIC a/b"}, diag.ImportTopic, "a/b", "cannot have a topic"},
		"a group by prefix":             {[]string{"User:p READ TOPIC a.b.v1", "User:p READ GROUP g-*"}, diag.ImportGroup, "User:p READ TOPIC a.b.v1", "in which group"},
		"an unfit group":                {[]string{"User:p READ TOPIC a.b.v1", "User:p READ GROUP ${group}"}, diag.ImportGroup, "${group}", "cannot adopt a group"},
		"a group without topic":         {[]string{"User:p READ GROUP g"}, diag.ImportGroup, "READ GROUP g", "may read no topic"},
		"two groups":                    {[]string{"User:p READ TOPIC a.b.v1", "User:p READ GROUP one", "User:p READ GROUP two"}, diag.ImportGroup, "READ GROUP two", "one name for its groups, here one"},
		"a shared group":                {[]string{"User:p READ TOPIC a.b.v1", "User:p READ GROUP g", "User:q READ TOPIC a.b.v1", "User:q READ GROUP g"}, diag.ImportGroup, "User:q READ GROUP g", "User:p may join it too"},
		"two writers":                   {[]string{"User:p WRITE TOPIC a.b.v1"}, diag.ImportTopic, "topic a.b.v1", "several may write it: ok, p"},
		"an odd topic":                  {[]string{"User:p WRITE TOPIC odd.v1"}, diag.ImportTopic, "topic odd.v1", `its min.insync.replicas is "1", and the contract would make it "2"`},
		"a compacted topic":             {[]string{"User:p WRITE TOPIC table.v1"}, diag.ImportTopic, "topic table.v1", "which field of the value is the key"},
		"names alike in metrics":        {[]string{"User:p WRITE TOPIC x.y", "User:p WRITE TOPIC x_y"}, diag.ImportTopic, "x_y", "metrics cannot tell it from x.y"},
		"an exact transactional id":     {[]string{"User:p WRITE TOPIC a.c.v1", "User:p WRITE TRANSACTIONAL_ID tx"}, diag.ImportTransactional, "TRANSACTIONAL_ID tx", "prefix of transactional ids"},
		"overlapping transactional ids": {[]string{"User:p WRITE TOPIC a.c.v1", "User:p WRITE TRANSACTIONAL_ID tx*", "User:q WRITE TOPIC a.c.v1", "User:q WRITE TRANSACTIONAL_ID tx-q*"}, diag.ImportTransactional, "tx-q*", "overlapping"},
		"transactions without topics":   {[]string{"User:p WRITE TRANSACTIONAL_ID tx*"}, diag.ImportTransactional, "tx*", "produces nothing"},
		"idempotence":                   {[]string{"User:ok IDEMPOTENT_WRITE CLUSTER kafka-cluster"}, diag.ImportRight, "IDEMPOTENT_WRITE", "since Kafka 2.8"},
		"a broker's right":              {[]string{"User:ok CLUSTER_ACTION CLUSTER kafka-cluster"}, diag.ImportRight, "CLUSTER_ACTION", "brokers"},
		"an administrator's":            {[]string{"User:ok ALTER_CONFIGS TOPIC a.b.v1"}, diag.ImportRight, "ALTER_CONFIGS", "no contract calls for ALTER_CONFIGS on a TOPIC"},
		"a redriver's":                  {[]string{"User:svc-gone-prod-redrive READ TOPIC a.b.v1"}, diag.ImportPrincipal, "svc-gone-prod-redrive", "dead letters"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := live(t, topics, append(slices.Clone(base), tt.rights...)...)
			d := draft(t, in, importer.Options{})
			told(t, d, tt.code, tt.what, tt.why)
			if got := changes(t, d, in, "prod", "kafka"); got != nil {
				t.Errorf("the first plan would %q", got)
			}
		})
	}
}

// Reports are read in terminals and browsers, and names are anybody's.
func TestAReportShowsHostileNamesAndObeysNone(t *testing.T) {
	t.Parallel()
	in := live(t, []kafka.Topic{topic("a.b.v1")}, "User:ok WRITE TOPIC a.b.v1",
		"User:\u202egpj READ TOPIC a.b.v1", "User:\x1b[2Jx READ TOPIC a.b.v1", "User:`x` CREATE TOPIC a.b.v1", "User:<script>alert(1)</script> CREATE TOPIC a.b.v1", "User:a\nb READ TOPIC a.b.v1")
	d := draft(t, in, importer.Options{})
	for _, f := range d.Files {
		if i := strings.IndexFunc(string(f.Text), func(r rune) bool { return r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)) }); i >= 0 {
			t.Errorf("%s holds %q", f.Path, f.Text[i:min(i+10, len(f.Text))])
		}
	}
	page := file(t, d, importer.ReportFile)
	for _, want := range []string{`\u202egpj`, `\x1b[2Jx`, "`` User:`x` CREATE TOPIC a.b.v1 ``", "`User:<script>alert(1)</script>`", `a\nb`} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q in\n%s", want, page)
		}
	}
	if !json.Valid([]byte("{" + file(t, d, importer.ReportJSON))) {
		t.Error("the report for programs is no JSON")
	}
}

func TestNoContractAtAllIsAnErrorThatKeepsTheReasons(t *testing.T) {
	t.Parallel()
	in := live(t, []kafka.Topic{topic("a.b.v1")}, "User:p READ TOPIC a.*", "User:q WRITE TOPIC gone")
	d, err := importer.New(in, importer.Options{})
	if !errors.Is(err, diag.ImportNothing) {
		t.Fatalf("got %v", err)
	}
	told(t, d, diag.ImportWide, "a.*", "")
	told(t, d, diag.ImportTopic, "gone", "does not exist")
	if d.Files != nil {
		t.Errorf("%d files would be written", len(d.Files))
	}
}

func TestPrefixesAreExpandedOnlyIfAskedAndThePlanTellsIt(t *testing.T) {
	t.Parallel()
	in := live(t, []kafka.Topic{topic("orders.created.v1"), topic("orders.paid.v1"), topic("other.v1"), topic("__consumer_offsets")},
		"User:p READ TOPIC orders.*", "User:p READ GROUP p-*", "User:w WRITE TOPIC orders.*", "User:o WRITE TOPIC orders.paid.v1")
	in.Groups["p-1"] = importer.Group{Topics: []string{"orders.paid.v1"}}
	d := draft(t, in, importer.Options{Expand: true})
	want := `apiVersion: slipway.dev/v1
kind: Service
metadata: {name: p, owner: unknown}
identity: {auth: mtls}
consumes:
  orders.paid.v1: {order: partition, retry: {then: stop}}
adopt: {principal: p, group: p-1}
`
	if diff := cmp.Diff(want, file(t, d, "p/slipway.yaml")); diff != "" {
		t.Error(diff)
	}
	if got := file(t, d, "o/slipway.yaml"); !strings.Contains(got, "  orders.paid.v1: {partitions: 6, retention: 7d, writers: [w]}") {
		t.Errorf("the one that writes by name does not own it:\n%s", got)
	}
	if diff := cmp.Diff(d.Changes, changes(t, d, in, "prod", "kafka")); diff != "" || len(d.Changes) != 4 {
		t.Errorf("the draft tells %d changes (-told +planned):\n%s", len(d.Changes), diff)
	}
	told(t, d, diag.ImportWide, "User:p READ TOPIC orders.*", "was guessed")
	told(t, d, diag.ImportChange, "User:p READ GROUP p-1", "expanded")
}

func TestGroupsAreOneNameWithSuffixes(t *testing.T) {
	t.Parallel()
	in := live(t, []kafka.Topic{topic("a.v1"), topic("b.v1")},
		"User:p READ TOPIC a.v1", "User:p READ TOPIC b.v1",
		"User:p READ GROUP team.one", "User:p READ GROUP team.two", "User:p READ GROUP legacy")
	in.Groups["team.one"] = importer.Group{Topics: []string{"a.v1"}, Protocol: kafka.ClassicProtocol}
	in.Groups["team.two"] = importer.Group{Topics: []string{"a.v1", "b.v1"}, Protocol: kafka.ConsumerProtocol}
	d := draft(t, in, importer.Options{})
	want := `consumes:
  a.v1: {order: partition, group: one, retry: {then: stop}}
  a.v1.two: {topic: a.v1, order: partition, group: two, protocol: consumer, retry: {then: stop}}
  b.v1: {order: partition, group: two, protocol: consumer, retry: {then: stop}}
adopt: {principal: p, group: team}
`
	if _, got, _ := strings.Cut(file(t, d, "p/slipway.yaml"), "identity: {auth: mtls}\n"); got != want {
		t.Error(cmp.Diff(want, got))
	}
	told(t, d, diag.ImportGroup, "READ GROUP legacy", "one name for its groups, here team")
	if got := changes(t, d, in, "prod", "kafka"); got != nil {
		t.Errorf("the first plan would %q", got)
	}
}

func TestTransactionsAndSharesAreKept(t *testing.T) {
	t.Parallel()
	in := live(t, []kafka.Topic{topic("a.v1"), topic("b.v1")},
		"User:svc-p-prod WRITE TOPIC a.v1", "User:svc-p-prod WRITE TRANSACTIONAL_ID svc-p-prod.*",
		"User:q READ TOPIC a.v1", "User:q READ GROUP shared", "User:q WRITE TOPIC b.v1", "User:q WRITE TRANSACTIONAL_ID old-*")
	in.Groups["shared"] = importer.Group{Protocol: kafka.ShareProtocol, Topics: []string{"a.v1"}}
	d := draft(t, in, importer.Options{})
	if got := file(t, d, "p/slipway.yaml"); !strings.Contains(got, "a.v1: {via: transaction}") || strings.Contains(got, "adopt") {
		t.Error(got)
	}
	if got := file(t, d, "q/slipway.yaml"); !strings.Contains(got, "a.v1: {as: share, retry: {then: stop}}") ||
		!strings.Contains(got, "adopt: {principal: q, group: shared, transactionalPrefix: \"old-\"}") {
		t.Error(got)
	}
	if got := changes(t, d, in, "prod", "kafka"); got != nil {
		t.Errorf("the first plan would %q", got)
	}
}

func TestNamesOfServicesAreLabelsThatNobodyElseHas(t *testing.T) {
	t.Parallel()
	in := live(t, []kafka.Topic{topic("a.v1")})
	for _, user := range []string{"svc-orders-prod", "orders", "Orders", "CN=orders,O=x", "1st", "vendor", "ünï", "true", strings.Repeat("long", 20)} {
		in.Bindings = append(in.Bindings, grant(t, "User:"+user+" READ TOPIC a.v1"))
	}
	d := draft(t, in, importer.Options{})
	got := map[string]string{}
	for _, s := range d.Services {
		got[s.Principal] = s.Name
	}
	want := map[string]string{
		"User:svc-orders-prod": "orders", "User:CN=orders,O=x": "orders-2", "User:Orders": "orders-3", "User:orders": "orders-4",
		"User:1st": "service-1st", "User:vendor": "vendor", "User:ünï": "n", "User:true": "true",
		"User:" + strings.Repeat("long", 20): strings.Repeat("long", 10),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if text := file(t, d, "vendor-service/slipway.yaml"); !strings.Contains(text, "name: vendor,") {
		t.Error(text)
	}
	if text := file(t, d, "true/slipway.yaml"); !strings.Contains(text, `name: "true",`) {
		t.Error(text)
	}
	if n := len(resolve(t, d, "prod").Services); n != len(want) {
		t.Errorf("%d services are read back, want %d", n, len(want))
	}
}
