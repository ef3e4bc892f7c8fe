package contract_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

func TestTheFixtureEstateIsFreeOfFaults(t *testing.T) {
	t.Parallel()
	e, list := contract.Load(os.DirFS("testdata"), "estate")
	list = append(list, e.Validate()...)
	if list != nil {
		t.Error(list)
	}
	for _, env := range []string{"dev", "prod"} {
		r, list := e.In(env)
		if list != nil || len(r.Services) != 3 || r.Env != env {
			t.Errorf("%s: %v, %v", env, r, list)
		}
	}
}

func TestLoadReadsContractsAndNothingElse(t *testing.T) {
	t.Parallel()
	service := func(name string) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte(strings.Replace(minimal, "name: a", "name: "+name, 1))}
	}
	fsys := fstest.MapFS{
		"shop/slipway.yaml":                 service("root"),
		"shop/b/slipway.yaml":               service("b"),
		"shop/a/deep/er/slipway.yaml":       service("a"),
		"shop/.git/slipway.yaml":            service("git"),
		"shop/.hidden/slipway.yaml":         service("hidden"),
		"shop/node_modules/x/slipway.yaml":  service("node"),
		"shop/vendor/x/slipway.yaml":        service("vendor"),
		"shop/c/testdata/slipway.yaml":      service("testdata"),
		"shop/d/slipway.yml":                service("yml"),
		"elsewhere/slipway.yaml":            service("elsewhere"),
		"shop/c/a-contract-of-slipway.yaml": service("other"),
	}
	e, list := contract.Load(fsys, "shop/")
	if list != nil {
		t.Fatal(list)
	}
	var names []string
	for _, s := range e.Services {
		names = append(names, s.Name)
	}
	if want := []string{"a", "b", "root"}; !slices.Equal(names, want) {
		t.Errorf("got %v, want %v", names, want)
	}
	if e.Services[0].Dir() != "shop/a/deep/er" || e.Services[0].File() != "shop/a/deep/er/slipway.yaml" {
		t.Errorf("got %s, %s", e.Services[0].Dir(), e.Services[0].File())
	}
}

func TestLoadDoesNotFollowLinks(t *testing.T) {
	t.Parallel()
	outside, dir := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "slipway.yaml"), []byte(minimal), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "service")); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	e, list := contract.Load(root.FS(), ".")
	if len(e.Services) != 0 || !hasCode(list, diag.EstateEmpty) {
		t.Errorf("got %v, %v", e.Services, list)
	}
}

func TestWithoutClustersThereIsDevOnEmbedded(t *testing.T) {
	t.Parallel()
	e, list := contract.Load(fstest.MapFS{"slipway.yaml": {Data: []byte(minimal)}}, ".")
	if list != nil {
		t.Fatal(list)
	}
	r, list := e.In("dev")
	if list != nil || r.Bindings["default"].Cluster != contract.Embedded {
		t.Errorf("got %+v, %v", r, list)
	}
	if _, list := e.In("dve"); !hasCode(list, diag.ClusterEnvironment) || list[0].Fix != "did you mean dev?" {
		t.Errorf("got %v, want %s", list, diag.ClusterEnvironment)
	}
	_, list = e.In("prod")
	if !hasCode(list, diag.ClusterEnvironment) || !strings.Contains(list[0].Message, "there is no clusters.yaml") || !strings.Contains(list[0].Fix, "or write one") {
		t.Errorf("got %v, fix %q: it does not say that the file is missing", list, list[0].Fix)
	}
}

// A guarded directory is one that others may not list.
type guarded struct {
	fstest.MapFS
	dir string
}

func (g guarded) ReadDir(name string) ([]fs.DirEntry, error) {
	if name == g.dir {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return g.MapFS.ReadDir(name)
}

func TestADirectoryThatMayNotBeReadIsNamedAsOne(t *testing.T) {
	t.Parallel()
	e, list := contract.Load(guarded{fstest.MapFS{"slipway.yaml": {Data: []byte(minimal)}, "deploy/dev/a.yaml": {}}, "deploy"}, ".")
	if len(e.Services) != 1 || len(list) != 1 || list[0].Code != diag.ContractUnreadable || list[0].Position.File != "deploy" {
		t.Fatalf("got %v, %v, want one %s of deploy", e.Services, list, diag.ContractUnreadable)
	}
	if !strings.Contains(list[0].Message, "directory deploy: permission denied") || !strings.Contains(list[0].Fix, "the right to list") {
		t.Errorf("a user reads %v, fix %q", list, list[0].Fix)
	}
}

func TestADirectoryThatIsNotThereIsAFault(t *testing.T) {
	t.Parallel()
	if _, list := contract.Load(fstest.MapFS{}, "nowhere"); !hasCode(list, diag.ContractUnreadable) {
		t.Errorf("got %v, want %s", list, diag.ContractUnreadable)
	}
}

func TestClustersAreReadWhole(t *testing.T) {
	t.Parallel()
	c, list := contract.ParseClusters(os.DirFS("testdata/estate"), "clusters.yaml")
	if list != nil {
		t.Fatal(list)
	}
	prod := c.Clusters["kafka-prod"]
	if prod.Name != "kafka-prod" || prod.ID != "MkU3OEVBNTcwNTJENDM2Qk" || prod.Bootstrap.MTLS != "kafka.prod.example:9093" || prod.CA.File != "ca/prod.crt" ||
		prod.Registry.Auth != "basic" || prod.Connect.URL != "https://connect.prod.example" || prod.Defaults != (contract.Defaults{Replicas: 3, MinInsyncReplicas: 2, Partitions: 6}) {
		t.Errorf("got %+v", prod)
	}
	if got := c.Environments["prod"]["default"]; got != (contract.Binding{Cluster: "kafka-prod"}) {
		t.Errorf("got %+v", got)
	}
	if got := c.Position("clusters/kafka-prod/id").String(); got != "clusters.yaml:5:5" {
		t.Errorf("got %s", got)
	}
}

func TestNodesAreSortedAndPKIHasDefaults(t *testing.T) {
	t.Parallel()
	c, list := contract.ParseClusters(os.DirFS("testdata/estate"), "clusters.yaml")
	if list != nil {
		t.Fatal(list)
	}
	got := c.Clusters["kafka-prod"]
	want := []contract.Node{
		{Name: "kafka-0", Roles: []string{contract.BrokerRole, contract.ControllerRole}, Hosts: []string{"kafka-0.prod.example", "10.20.0.4"}},
		{Name: "kafka-1", Roles: []string{contract.BrokerRole}, Hosts: []string{"kafka-1.prod.example"}},
	}
	if diff := cmp.Diff(want, got.Nodes); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	day := 24 * time.Hour
	if want := (contract.PKI{Key: "ecdsa-p256", Clients: 7 * day, Brokers: 90 * day, Principals: contract.DefaultPrincipals}); got.PKI != want {
		t.Errorf("got %+v, want %+v", got.PKI, want)
	}
}

func TestExternalIsReadWhole(t *testing.T) {
	t.Parallel()
	x, list := contract.ParseExternal(os.DirFS("testdata/estate"), "external.yaml")
	if list != nil {
		t.Fatal(list)
	}
	topic := x.Topics["customers.changed.v1"]
	if topic.Partitions != 6 || topic.Partitioner != contract.Java || topic.Schema.Format != contract.JSON || !slices.Equal(topic.Readers, []string{"orders"}) {
		t.Errorf("got %+v", topic)
	}
	if text, err := x.SchemaText(topic.Schema); err != nil || !strings.Contains(text, "country") {
		t.Errorf("got %q, %v", text, err)
	}
	if !slices.Equal(x.Groups, []string{"crm-sync"}) || !slices.Equal(x.Principals, []string{"User:crm-connector"}) {
		t.Errorf("got %+v", x)
	}
}

// thousand is an estate in which every service owns a topic and reads those of
// three others, with a block for one environment.
func thousand() fstest.MapFS {
	const n = 1000
	fsys := fstest.MapFS{"clusters.yaml": {Data: []byte("apiVersion: slipway.dev/v1\nkind: Clusters\nclusters: {kafka: {id: AAA, bootstrap: {mtls: \"k:9093\"}}}\nenvironments: {dev: {default: embedded}, staging: {default: {cluster: kafka, topicPrefix: staging.}}, prod: {default: {cluster: kafka, topicPrefix: prod.}}}\n")}}
	for i := range n {
		var b strings.Builder
		fmt.Fprintf(&b, "apiVersion: slipway.dev/v1\nkind: Service\nmetadata: {name: service-%04d, owner: team-%d}\n", i, i%50)
		fmt.Fprintf(&b, "topics:\n  area%d.event%04d.v1:\n    key: id\n    partitions: 6\n    retention: 7d\n    schema: {file: schemas/event.avsc}\n", i%10, i)
		fmt.Fprintf(&b, "produces:\n  area%d.event%04d.v1: {via: outbox, max: 64KiB}\nconsumes:\n", i%10, i)
		for j := 1; j <= 3; j++ {
			k := (i + j*37) % n
			fmt.Fprintf(&b, "  area%d.event%04d.v1:\n    concurrency: 64\n    retry: {delays: [1s, 30s, 10m]}\n    dedup: {by: \"header:ce_id\"}\n", k%10, k)
		}
		b.WriteString("slo: {lag: 1000, freshness: {p99: 30s}}\nworkload: {image: registry.example.com/service, scale: {min: 2, max: auto}, http: 8080}\n")
		fmt.Fprintf(&b, "environments:\n  dev: {topics: {area%d.event%04d.v1: {partitions: 3}}}\n", i%10, i)
		fsys[fmt.Sprintf("services/service-%04d/slipway.yaml", i)] = &fstest.MapFile{Data: []byte(b.String())}
		fsys[fmt.Sprintf("services/service-%04d/schemas/event.avsc", i)] = &fstest.MapFile{Data: []byte(`{"type":"record","name":"E","fields":[{"name":"id","type":"string"}]}`)}
	}
	return fsys
}

func TestAThousandContractsAreJudgedTogether(t *testing.T) {
	t.Parallel()
	if list := judgeFS(thousand()); list != nil {
		t.Errorf("%.500v", list)
	}
}

// BenchmarkEstateOfThousand loads and validates 1,000 contracts in three
// environments, from files on disk.
func BenchmarkEstateOfThousand(b *testing.B) {
	dir := b.TempDir()
	if err := os.CopyFS(dir, thousand()); err != nil {
		b.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		b.Fatal(err)
	}
	defer root.Close()
	for b.Loop() {
		if list := judgeFS(root.FS()); list != nil {
			b.Fatal(list)
		}
	}
}
