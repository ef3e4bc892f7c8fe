package manifest_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/render/manifest"
	"github.com/slipway-go/slipway/render/rendertest"
)

// What only YAML 1.1 takes for something else is quoted, because that is what
// Kubernetes reads: a namespace called on is not true.
func TestEveryTextReadsTheSameInEitherYAML(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"no", "on", "y", "N", "null", "~", "1e3", "0x1f", "0b1", "017", "1_000", "12:30:45", "1.10", ".inf", "=", "true"} {
		got := string(manifest.YAML("", manifest.Map{manifest.E("key", text)}))
		if want := `key: "` + text + `"` + "\n"; got != want {
			t.Errorf("YAML(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestEveryOwnerHasALabelOfItsOwn(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"team-shop": "team-shop", "Team Shop": "Team-Shop", "a#b ": "a-b", strings.Repeat("x", 100): strings.Repeat("x", 63),
		"---": "cb3f91d54eee", "🚀🚀🚀": "d24d1e12b3a0", "": "",
	} {
		if got := manifest.LabelValue(text); got != want {
			t.Errorf("LabelValue(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestACommentSaysWhetherAValueWasWritten(t *testing.T) {
	t.Parallel()
	svc := service(t, "workload:\n  cpu: 2\n")
	for element, want := range map[string]string{
		"workload/cpu": "slipway.yaml:5 workload.cpu", "workload/memory": "workload.memory, by default",
	} {
		if got := manifest.At(svc, element); got != want {
			t.Errorf("At(%s) = %q, want %q", element, got, want)
		}
	}
}

func service(t *testing.T, text string) *contract.Service {
	t.Helper()
	return rendertest.Load(t, fstest.MapFS{"slipway.yaml": {Data: []byte("apiVersion: slipway.dev/v1\nkind: Service\nmetadata: {name: orders, owner: team-shop}\n" + text)}}).Services[0]
}

func TestWhatAnInstanceKeepsDecidesWhatRunsIt(t *testing.T) {
	t.Parallel()
	const (
		topics = "topics: {orders.created.v1: {key: id, partitions: 6}}\n"
		server = "egress: {database: {namespace: db, ports: [5432]}}"
	)
	type want struct {
		controller string
		database   manifest.Database
		volume     contract.Bytes
	}
	for name, tt := range map[string]struct {
		text string
		want want
	}{
		"nothing":           {"workload: {}\n", want{"Deployment", manifest.NoDatabase, 0}},
		"no workload":       {"", want{"Deployment", manifest.NoDatabase, 0}},
		"a volume":          {"workload: {volume: 1GiB}\n", want{"StatefulSet", manifest.FileDatabase, 1 << 30}},
		"an outbox":         {topics + "produces: {orders.created.v1: {via: outbox}}\nworkload: {}\n", want{"StatefulSet", manifest.FileDatabase, manifest.DefaultVolume}},
		"an inbox":          {topics + "consumes: {orders.created.v1: {dedup: {by: 'header:ce_id'}}}\nworkload: {}\n", want{"StatefulSet", manifest.FileDatabase, manifest.DefaultVolume}},
		"a server":          {topics + "produces: {orders.created.v1: {via: outbox}}\nworkload: {" + server + "}\n", want{"Deployment", manifest.ServerDatabase, 0}},
		"a spill":           {topics + "produces: {orders.created.v1: {away: spill}}\nworkload: {" + server + "}\n", want{"StatefulSet", manifest.ServerDatabase, manifest.DefaultVolume}},
		"sent later":        {topics + "produces: {orders.created.v1: {spill: {max: 1GiB}}}\nworkload: {}\n", want{"StatefulSet", manifest.NoDatabase, manifest.DefaultVolume}},
		"static membership": {topics + "consumes: {orders.created.v1: {static: true}}\nworkload: {}\n", want{"StatefulSet", manifest.NoDatabase, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			svc := service(t, tt.text)
			if got := (want{manifest.Controller(svc), manifest.DatabaseOf(svc), manifest.Volume(svc)}); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestAValueIsFoundByItsPath(t *testing.T) {
	t.Parallel()
	m := manifest.Map{manifest.E("a", manifest.Map{manifest.E("b", 1), {}, manifest.If(false, manifest.E("c", 2))})}
	for path, want := range map[string]any{"a/b": 1, "a/c": nil, "b": nil, "a/b/c": nil} {
		if got := m.Get(strings.Split(path, "/")...); got != want {
			t.Errorf("Get(%s) = %v, want %v", path, got, want)
		}
	}
}
