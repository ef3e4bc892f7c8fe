package plan_test

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/internal/auth"
	"github.com/slipway-go/slipway/internal/embedded"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/internal/secret"
	"github.com/slipway-go/slipway/plan"
	"github.com/slipway-go/slipway/schema"
)

type binding = acl.Binding

var update = flag.Bool("update", false, "rewrite golden files")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// failer is what both a test and a rapid check are.
type failer interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// shop is the estate in testdata: three services with every sort of entry.
func shop(t failer, env string) *contract.Resolved {
	t.Helper()
	return resolve(t, os.DirFS("testdata/shop"), env)
}

// estate resolves contracts given by the lines below their metadata. A name
// with a dot is a file of its own.
func estate(t failer, env string, files map[string]string) *contract.Resolved {
	t.Helper()
	fsys := fstest.MapFS{}
	for name, body := range files {
		if !strings.Contains(name, ".") {
			body = fmt.Sprintf("apiVersion: slipway.dev/v1\nkind: Service\nmetadata: {name: %s, owner: team}\n%s\n", name, body)
			name += "/slipway.yaml"
		}
		fsys[name] = &fstest.MapFile{Data: []byte(body)}
	}
	return resolve(t, fsys, env)
}

func resolve(t failer, fsys fs.FS, env string) *contract.Resolved {
	t.Helper()
	e, list := contract.Load(fsys, ".")
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	r, list := e.In(env)
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	return r
}

func derive(t failer, r *contract.Resolved, cluster string) *plan.Desired {
	t.Helper()
	want, err := plan.Derive(r, cluster)
	if err != nil {
		t.Fatal(err)
	}
	return want
}

func diff(t failer, want *plan.Desired, have *plan.Actual) *plan.Plan {
	t.Helper()
	p, err := plan.Diff(want, have)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// text is a plan as a person reads it.
func text(p *plan.Plan) string {
	var b strings.Builder
	for _, c := range p.Changes {
		fmt.Fprintln(&b, c)
		if c.Note != "" {
			fmt.Fprintf(&b, "    note: %s\n", c.Note)
		}
		if c.Allow != "" {
			fmt.Fprintf(&b, "    allow: %s\n", c.Allow)
		}
		for _, r := range c.Reasons {
			fmt.Fprintf(&b, "    because %s\n", r)
		}
	}
	fmt.Fprintln(&b, p.Summary())
	return b.String()
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; go test -update rewrites it):\n%s", file, diff)
	}
}

// A rig is an embedded cluster with its registry and an administrator on both.
type rig struct {
	*embedded.Cluster
	admin    *kafka.Cluster
	registry *schema.Admin
}

func start(t testing.TB) *rig {
	t.Helper()
	cluster, err := embedded.Start(t.Context(), embedded.Config{})
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{Cluster: cluster}
	t.Cleanup(func() {
		r.registry.Close()
		if err := cluster.Close(); err != nil {
			t.Error(err)
		}
	})
	access := cluster.Registry()
	r.registry, err = schema.NewAdmin(schema.ClientConfig{
		URL: access.URL, TLS: cluster.TLS(), Credentials: func() (string, error) { return access.Admin, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	r.admin = r.connect(t, cluster.Admin().User, contract.SCRAMSHA512)
	return r
}

func (r *rig) connect(t testing.TB, user string, kind contract.Auth) *kafka.Cluster {
	t.Helper()
	c, err := kafka.Connect(t.Context(), kafka.Config{
		Bootstrap: strings.Join(r.Bootstrap(), ","), TLS: r.TLS(),
		Auth: kind, User: user, Password: auth.Static(secret.New(r.Password(user))),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func (r *rig) target() plan.Target {
	return plan.Target{
		Cluster: r.admin, Registry: r.registry,
		Passwords: func(user string) (secret.Secret, error) { return secret.New(r.Password(user)), nil },
	}
}

func (r *rig) plan(t testing.TB, want *plan.Desired) *plan.Plan {
	t.Helper()
	have, err := plan.Read(t.Context(), want, r.admin, r.registry)
	if err != nil {
		t.Fatal(err)
	}
	return diff(t, want, have)
}

func secretOf(text string) secret.Secret { return secret.New(text) }

// commit leaves a group behind that nobody is in.
func (r *rig) commit(t testing.TB, group, topic string) {
	t.Helper()
	client, err := kgo.NewClient(append(r.Options(r.Cluster.Admin()), kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic))...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: topic}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if fetches := client.PollFetches(t.Context()); fetches.Err() != nil {
		t.Fatal(fetches.Err())
	}
	if err := client.CommitUncommittedOffsets(t.Context()); err != nil {
		t.Fatal(err)
	}
}
