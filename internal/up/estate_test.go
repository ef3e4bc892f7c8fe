package up_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/up"
)

const foreignClusters = `-- clusters.yaml --
apiVersion: slipway.dev/v1
kind: Clusters
clusters:
  shared: {id: MkU3OEVBNTcwNTJENDM2Qk, bootstrap: {mtls: "kafka.example:9093", scram: "kafka.example:9094"}, ca: {file: ca.crt}, registry: {url: "https://registry.example"}}
environments:
  dev: {default: shared}
  test: {default: embedded}
-- ca.crt --
`

func TestNothingStartsWhenTheEstateOrTheCallIsWrong(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { taken.Close() })
	port := taken.Addr().(*net.TCPAddr).Port
	withPort := fmt.Sprintf("workload: {http: %d}", port)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	waiting := program("alpha", "untilTold()")
	for name, tt := range map[string]struct {
		estate []string
		change func(*up.Config)
		code   diag.Code
		says   string
	}{
		"empty directory":          {code: diag.EstateEmpty, says: "slipway.yaml in /"},
		"no directory":             {change: func(c *up.Config) { c.Dir = "/no/such/estate" }, code: diag.UpDirectory, says: "/no/such/estate"},
		"a file":                   {change: func(c *up.Config) { c.Dir = file }, code: diag.UpDirectory, says: "not a directory"},
		"invalid contract":         {estate: []string{contractOf("alpha", "wrong: 1")}, code: diag.ContractUnknownKey, says: "wrong"},
		"unknown environment":      {estate: []string{contractOf("alpha")}, change: func(c *up.Config) { c.Env = "prod" }, code: diag.ClusterEnvironment, says: "prod"},
		"a cluster of others":      {estate: []string{contractOf("alpha"), foreignClusters}, code: diag.UpForeign, says: "shared"},
		"an unknown broker":        {estate: []string{contractOf("alpha")}, change: func(c *up.Config) { c.Broker = "rabbit" }, code: diag.UpBroker, says: "rabbit"},
		"a taken port":             {estate: []string{goMod, contractOf("alpha", withPort), waiting}, code: diag.UpPort, says: fmt.Sprintf("port %d of alpha", port)},
		"two services, one port":   {estate: []string{goMod, contractOf("alpha", withPort), waiting, contractOf("beta", withPort), program("beta", "untilTold()")}, code: diag.UpPortShared, says: "alpha and beta"},
		"a state that is a file":   {estate: []string{contractOf("alpha")}, change: func(c *up.Config) { c.StateDir = file }, code: diag.UpState, says: "directory"},
		"no go command":            {estate: []string{goMod, contractOf("alpha"), waiting}, change: func(c *up.Config) { c.Environ = []string{"PATH=/nowhere"} }, code: diag.UpNoGo, says: "go"},
		"a service does not build": {estate: []string{goMod, contractOf("alpha"), program("alpha", "undeclared()")}, code: diag.UpBuild, says: "alpha does not compile"},
		"a service with no module": {estate: []string{contractOf("alpha"), waiting}, code: diag.UpBuild, says: "alpha"},
		"auth that is not offered": {
			estate: []string{goMod, strings.Replace(contractOf("alpha"), "identity: {auth: scram-sha-512}", "environments: {dev: {identity: {auth: plain}}}", 1), waiting},
			change: func(c *up.Config) { c.Broker = up.KafkaBroker }, code: diag.UpListener, says: "alpha authenticates by plain",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := up.Config{Dir: write(t, tt.estate...)}
			if tt.change != nil {
				tt.change(&cfg)
			}
			r := start(t, cfg)
			_, err := r.wait(t)
			if d := find(t, err, tt.code); !strings.Contains(d.Message, tt.says) {
				t.Errorf("message %q does not say %q", d.Message, tt.says)
			}
			if started := all[up.ServiceStarted](r); len(started) > 0 {
				t.Errorf("started %+v", started)
			}
		})
	}
}

func TestTheCompilersWordsComeWithPathsInTheEstate(t *testing.T) {
	t.Parallel()
	r := start(t, up.Config{Dir: write(t, goMod, contractOf("alpha"), program("alpha", "undeclared()"), contractOf("beta"), program("beta", "alsoUndeclared()"))})
	_, err := r.wait(t)
	var seen []string
	for _, d := range diag.Of(err) {
		seen = append(seen, d.Evidence...)
		if !strings.HasSuffix(d.Position.File, "/slipway.yaml") {
			t.Errorf("position %v, want the service's contract", d.Position)
		}
	}
	for _, want := range []string{"alpha/main.go:11:1: undefined: undeclared", "beta/main.go:11:1: undefined: alsoUndeclared"} {
		if !slices.Contains(seen, want) {
			t.Errorf("evidence %q lacks %q", seen, want)
		}
	}
}

func TestAContractWithoutAProgramIsWarnedOfAndSkipped(t *testing.T) {
	t.Parallel()
	r := start(t, up.Config{Dir: write(t, goMod, contractOf("alpha"), program("alpha", "untilTold()"), contractOf("beta"),
		contractOf("gamma"), "-- gamma/gamma.go --\npackage gamma\n")})
	await(t, r, whichever[up.Ready])
	var got []string
	for _, w := range all[up.Warned](r) {
		if w.Diagnostic.Code == diag.UpNoProgram {
			got = append(got, w.Diagnostic.Message)
		}
	}
	want := []string{
		"beta has a contract and no Go code beside it, so it is not started",
		"gamma is not started: beside its contract is package gamma, not main",
	}
	if !slices.Equal(got, want) {
		t.Errorf("warned %q, want %q", got, want)
	}
}

func TestMutualTLSBecomesSCRAMOnTheEmbeddedBrokerAndIsSaid(t *testing.T) {
	t.Parallel()
	mtls := strings.Replace(contractOf("alpha"), "scram-sha-512", "mtls", 1)
	r := start(t, up.Config{Dir: write(t, goMod, mtls, program("alpha", "fmt.Println(os.Getenv(\"SASL_PASSWORD_PATH\") != \"\")\n\tuntilTold()"))})
	await(t, r, func(n up.Note) bool { return strings.Contains(n.Text, "alpha (mtls)") })
	await(t, r, func(l up.Line) bool { return l.Text == "true" })
}

func TestAClusterOfOthersThatNoServiceUsesIsNoObstacle(t *testing.T) {
	t.Parallel()
	unused := strings.Replace(foreignClusters, "dev: {default: shared}", "dev: {default: embedded, analytics: shared}", 1)
	r := start(t, up.Config{Dir: write(t, contractOf("alpha"), unused), Command: []string{"true"}})
	if _, err := r.wait(t); err != nil {
		t.Errorf("Run() = %v", err)
	}
}
