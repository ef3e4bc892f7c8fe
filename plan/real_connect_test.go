//go:build kafka

package plan_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/internal/connect"
	"github.com/slipway-go/slipway/internal/connect/connecttest"
	"github.com/slipway-go/slipway/internal/dev"
	"github.com/slipway-go/slipway/internal/dev/devtest"
	"github.com/slipway-go/slipway/plan"
)

// TestQuotasAndAConnectorOnRealKafka plans a file source and quotas, applies
// them, and reads what the connector writes. What its plugin refuses is
// impossible there too.
func TestQuotasAndAConnectorOnRealKafka(t *testing.T) {
	c, err := dev.Up(t.Context(), dev.Config{Ephemeral: true, StartTimeout: 4 * time.Minute})
	devtest.Require(t, err)
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	r := realRig(t, c)
	dir := t.TempDir()
	r.target.Connect = startWorker(t, c, dir)
	writeFile(t, dir, "lines.txt", "first\nsecond\n")
	writeFile(t, dir, "secret.properties", "path="+filepath.Join(dir, "lines.txt")+"\n")

	piped := func(quotas, change string) *plan.Desired {
		want := derive(t, estate(t, "prod", map[string]string{
			"clusters.yaml": `apiVersion: slipway.dev/v1
kind: Clusters
clusters: {east: {id: E, bootstrap: {mtls: "e:1"}, connect: "http://127.0.0.1"}}
environments: {prod: {default: east}}
`,
			"a": fmt.Sprintf(`topics: {a.lines.v1: {partitions: 1}}
produces: {a.lines.v1: {}}
quotas: {%s}
connectors:
  lines:
    config:
      connector.class: %s
      topic: a.lines.v1
      file: "${file:%s/secret.properties:path}"
      %s`, quotas, connecttest.Source, dir, change),
		}), "east")
		want.ClusterID = ""
		return want
	}
	want := piped("produce: 10MiB/s, requests: 250%", "tasks.max: 1")
	r.applyWithConnect(t, want)
	if got := r.lines(t, "a.lines.v1", 2); strings.Join(got, " ") != "first second" {
		t.Errorf("the connector wrote %q", got)
	}
	limits, err := r.admin.Quotas(t.Context())
	if err != nil || limits["svc-a-prod"]["producer_byte_rate"] != 10<<20 || limits["svc-a-prod"]["request_percentage"] != 250 {
		t.Errorf("quotas are %v, %v", limits, err)
	}
	r.applyWithConnect(t, piped("produce: 1MiB/s", "batch.size: 100"), "quota:svc-a-prod", "restart:svc-a-prod.lines")

	p := r.planWithConnect(t, piped("produce: 1MiB/s", "tasks.max: many"))
	if s := p.Summary(); s.Impossible == 0 || !strings.Contains(text(p), "tasks.max: Invalid value many for configuration tasks.max") {
		t.Errorf("what the plugin refuses is planned as\n%s", text(p))
	}
	if err := r.target.Connect.Delete(t.Context(), "svc-a-prod.lines"); err != nil {
		t.Error(err)
	}
}

func (r *realCluster) planWithConnect(t *testing.T, want *plan.Desired) *plan.Plan {
	t.Helper()
	have, err := plan.Read(t.Context(), want, r.admin, r.registry, plan.WithConnect(r.target.Connect))
	if err != nil {
		t.Fatal(err)
	}
	return diff(t, want, have)
}

func (r *realCluster) applyWithConnect(t *testing.T, want *plan.Desired, allow ...string) {
	t.Helper()
	target := r.target
	target.Allow = allow
	p := r.planWithConnect(t, want)
	if err := plan.Apply(t.Context(), target, p, nil); err != nil {
		t.Fatalf("%v\n%s", err, text(p))
	}
	settled, err := plan.Settle(t.Context(), want, r.admin, r.registry, plan.WithConnect(r.target.Connect))
	if err != nil || !settled {
		t.Fatalf("after apply: settled %t, %v\n%s", settled, err, text(r.planWithConnect(t, want)))
	}
}

// lines reads so many records' values from a topic.
func (r *realCluster) lines(t *testing.T, topic string, n int) []string {
	t.Helper()
	c := client(t, append(r.Admin().Options(), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))...)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var values []string
	for len(values) < n {
		fetches := c.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			t.Fatalf("after %q: %v", values, err)
		}
		fetches.EachRecord(func(rec *kgo.Record) { values = append(values, string(rec.Value)) })
	}
	return values
}

// startWorker runs Kafka Connect with the file connectors, as the super user,
// and returns a client when it answers.
func startWorker(t *testing.T, c *dev.Cluster, dir string) *connect.Client {
	t.Helper()
	plugins := filepath.Join(dir, "plugins", "file")
	fetch := exec.CommandContext(t.Context(), "mvn", "-q", "org.apache.maven.plugins:maven-dependency-plugin:3.9.0:copy",
		"-Dartifact=org.apache.kafka:connect-file:4.3.1", "-DoutputDirectory="+plugins)
	if out, err := fetch.CombinedOutput(); err != nil {
		t.Fatalf("fetch the file connectors: %v\n%s", err, out)
	}
	login, err := os.ReadFile(filepath.Join(c.Admin().Dir, dev.PropertiesFile))
	if err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	properties := `group.id=connect
key.converter=org.apache.kafka.connect.storage.StringConverter
value.converter=org.apache.kafka.connect.storage.StringConverter
config.storage.topic=connect-config
offset.storage.topic=connect-offset
status.storage.topic=connect-status
offset.storage.partitions=1
status.storage.partitions=1
config.providers=file
config.providers.file.class=org.apache.kafka.common.config.provider.FileConfigProvider
plugin.path=` + filepath.Dir(plugins) + "\nlisteners=http://" + address + "\n"
	for line := range strings.Lines(string(login)) {
		properties += line
		if !strings.HasPrefix(line, "bootstrap.servers") {
			properties += "producer." + line + "consumer." + line + "admin." + line
		}
	}
	writeFile(t, dir, "connect.properties", properties)
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(dir, "connect.log"))
	if err != nil {
		t.Fatal(err)
	}
	worker := exec.CommandContext(t.Context(), "java", "-Xmx400m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", filepath.Join(cache, "slipway", "kafka-4.3.1", "*"),
		"org.apache.kafka.connect.cli.ConnectDistributed", filepath.Join(dir, "connect.properties"))
	worker.Stdout, worker.Stderr = log, log
	if err := worker.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = worker.Wait() // killed when the test's context ended
		_ = log.Close()
	})
	client, err := connect.New(connect.Config{URL: "http://" + address})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	awaitWorker(t, client, log.Name())
	return client
}

func awaitWorker(t *testing.T, client *connect.Client, log string) {
	t.Helper()
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(3 * time.Minute)
	for {
		_, err := client.Connectors(t.Context())
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-limit:
			said, _ := os.ReadFile(log)
			t.Fatalf("the worker does not answer: %v\n%s", err, said[max(0, len(said)-4000):])
		}
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func writeFile(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
