//go:build kafka

package compose_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.yaml.in/yaml/v4"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/dev"
	"github.com/slipway-go/slipway/internal/dev/devtest"
	"github.com/slipway-go/slipway/internal/proc"
	"github.com/slipway-go/slipway/pki/depot"
	"github.com/slipway-go/slipway/render"
	"github.com/slipway-go/slipway/render/rendertest"
)

// A machine runs the brokers of a rendered project as processes, each with the very
// files of its container, in a directory that is laid out like it. What Docker does
// is done here: a name leads to an address of each node, and localhost at a
// published port to the node that publishes it.
type machine struct {
	dir   string // of the project
	java  string
	jars  string
	depot *depot.Depot
	names map[string]string // name → address
	ports map[string]string // localhost:port → address:port
	nodes map[string]*proc.Process
	logs  map[string]*strings.Builder
}

// composeFile is what is read of compose.yaml.
type composeFile struct {
	Services map[string]struct {
		Environment map[string]string
		Entrypoint  []string
		Healthcheck struct{ Test []string }
		Ports       []struct {
			Target    int
			Published string
		}
	}
}

// newMachine renders the project, has its certificates issued, and starts its nodes.
func newMachine(t *testing.T) *machine {
	t.Helper()
	in := onThisMachine(t, rendertest.Estate(t, "minimal"), "prod")
	m := &machine{dir: t.TempDir(), names: map[string]string{}, ports: map[string]string{}, nodes: map[string]*proc.Process{}, logs: map[string]*strings.Builder{}}
	m.toolchain(t)
	if _, err := render.Write(m.dir, "compose", files(t, in), render.Refuse); err != nil {
		t.Fatal(err)
	}
	m.issue(t, in)
	text, err := os.ReadFile(filepath.Join(m.dir, "compose.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var project composeFile
	if err := yaml.Unmarshal(text, &project); err != nil {
		t.Fatal(err)
	}
	// Nobody else is likely to be at these addresses.
	for i, name := range nodes {
		m.names[name] = fmt.Sprintf("127.%d.%d.%d", 64+os.Getpid()>>8&63, os.Getpid()&255, i+1)
		for _, p := range project.Services[name].Ports {
			m.ports["localhost:"+p.Published] = fmt.Sprintf("%s:%d", m.names[name], p.Target)
		}
	}
	m.hosts(t)
	for _, name := range nodes {
		m.lay(t, name)
		m.start(t, name, project.Services[name].Entrypoint, project.Services[name].Environment["FORMAT"])
	}
	return m
}

var nodes = []string{"kafka-1", "kafka-2", "kafka-3"}

// toolchain finds Java and Kafka's jars, which package dev fetches before it starts
// anything, and it starts nothing in no time.
func (m *machine) toolchain(t *testing.T) {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	m.jars = filepath.Join(cache, "slipway", "kafka-4.3.1")
	if _, err := os.Stat(m.jars); err != nil {
		_, err := dev.Up(t.Context(), dev.Config{Ephemeral: true, StartTimeout: time.Nanosecond})
		if !errors.Is(err, diag.DevNotReady) {
			devtest.Require(t, err)
		}
	}
	if m.java, err = exec.LookPath("java"); err != nil {
		devtest.Require(t, diag.New(diag.DevJava, "java is not in PATH"))
	}
}

// issue makes an authority and all certificates that the estate calls for.
func (m *machine) issue(t *testing.T, in render.Input) {
	t.Helper()
	var err error
	if m.depot, err = depot.Init(filepath.Join(m.dir, "pki"), depot.Config{Cluster: "compose", RootKey: depot.RootKey{Dir: filepath.Join(m.dir, "root")}}); err != nil {
		t.Fatal(err)
	}
	wants, err := depot.Derive(in.Estate, "compose")
	if err == nil {
		_, err = m.depot.Issue(t.Context(), wants)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (m *machine) leaf(t *testing.T, kind depot.Kind, name, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(m.depot.LeafDir(depot.ID{Kind: kind, Name: name}), file))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// hosts is how the processes find one another.
func (m *machine) hosts(t *testing.T) {
	t.Helper()
	own, _ := os.Hostname()
	text := "127.0.0.1 localhost\n127.0.0.1 " + own + "\n"
	for name, address := range m.names {
		text += address + " " + name + "\n"
	}
	m.write(t, "hosts", text, 0o600)
	java := fmt.Sprintf("exec %s -Djdk.net.hosts.file=%s -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:+ExitOnOutOfMemoryError -Dslf4j.internal.verbosity=ERROR ${KAFKA_LOG4J_OPTS:--Dlog4j2.level=WARN} -cp '%s/*'",
		m.java, filepath.Join(m.dir, "hosts"), m.jars)
	for script, class := range map[string]string{
		"kafka-storage.sh":             "-Xmx256m kafka.tools.StorageTool",
		"kafka-server-start.sh":        "-Xmx512m -Djava.io.tmpdir=$PWD/tmp $KAFKA_OPTS kafka.Kafka",
		"kafka-broker-api-versions.sh": "-Xmx256m org.apache.kafka.tools.BrokerApiVersionsCommand",
	} {
		m.write(t, "bin/"+script, "#!/bin/sh\n"+java+" "+class+" \"$@\"\n", 0o700)
	}
}

func (m *machine) write(t *testing.T, name, text string, mode os.FileMode) {
	t.Helper()
	path := filepath.Join(m.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// lay puts a node's files where its container has them, below a directory.
func (m *machine) lay(t *testing.T, name string) {
	t.Helper()
	for _, file := range []string{name + "/server.properties", name + "/health.properties", "log4j2.yaml"} {
		data, err := os.ReadFile(filepath.Join(m.dir, "kafka", file))
		if err != nil {
			t.Fatal(err)
		}
		m.write(t, "run/"+name+"/"+filepath.Base(file), string(data), 0o400)
	}
	m.write(t, "run/"+name+"/tmp/.keep", "", 0o600)
	m.write(t, "run/"+name+"/tls/keystore.pem", string(m.leaf(t, depot.Broker, name, "tls.key"))+string(m.leaf(t, depot.Broker, name, "tls.crt")), 0o400)
	m.write(t, "run/"+name+"/tls/truststore.pem", string(m.leaf(t, depot.Broker, name, "ca.crt")), 0o400)
	m.write(t, "run/"+name+"/data/.keep", "", 0o600)
}

// start runs the container's entry point, which is in the project's kafka directory.
func (m *machine) start(t *testing.T, name string, entrypoint []string, format string) {
	t.Helper()
	log := new(strings.Builder)
	p, err := proc.Start(proc.Config{
		Path: entrypoint[0], Args: []string{filepath.Join(m.dir, "kafka", entrypoint[1])}, Dir: filepath.Join(m.dir, "run", name),
		Env:    []string{"PATH=" + os.Getenv("PATH"), "FORMAT=" + format, "KAFKA_BIN=" + filepath.Join(m.dir, "bin"), "BROKER_OPTS=" + m.agent(name)},
		Output: func(line string) { fmt.Fprintln(log, line) },
	})
	if err != nil {
		t.Fatal(err)
	}
	m.nodes[name], m.logs[name] = p, log
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("%s: %s", name, tail(log.String(), 4000))
		}
	})
}

// agentVariable names the jar of the JMX exporter, which is not fetched for a test:
// with it brokers are started as their containers start them.
const agentVariable = "SLIPWAY_JMX_AGENT"

func (m *machine) agent(name string) string {
	jar := os.Getenv(agentVariable)
	if jar == "" {
		return ""
	}
	return fmt.Sprintf("-javaagent:%s=%s:9404:%s", jar, m.names[name], filepath.Join(m.dir, "kafka", "jmx.yaml"))
}

func tail(text string, n int) string { return text[max(0, len(text)-n):] }

// dial does what Docker's networks and published ports do.
func (m *machine) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if to, published := m.ports[address]; published {
		address = to
	} else if host, port, err := net.SplitHostPort(address); err == nil && m.names[host] != "" {
		address = net.JoinHostPort(m.names[host], port)
	}
	return (&net.Dialer{Timeout: 2 * time.Second}).DialContext(ctx, network, address)
}

// client connects to the brokers with what is trusted, and a certificate if any.
func (m *machine) client(t *testing.T, seeds string, certificate *tls.Certificate, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(m.leaf(t, depot.Admin, "admin-prod", "ca.crt"))
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := m.dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		host, _, _ := net.SplitHostPort(address)
		cfg := &tls.Config{RootCAs: pool, ServerName: host, MinVersion: tls.VersionTLS12}
		if certificate != nil {
			cfg.Certificates = []tls.Certificate{*certificate}
		}
		secured := tls.Client(conn, cfg)
		if err := secured.HandshakeContext(ctx); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
		return secured, nil
	}
	cl, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(strings.Split(seeds, ",")...), kgo.Dialer(dial), kgo.MetadataMinAge(100 * time.Millisecond)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	return cl
}

func (m *machine) certificate(t *testing.T, kind depot.Kind, name string) *tls.Certificate {
	t.Helper()
	pair, err := tls.X509KeyPair(m.leaf(t, kind, name, "tls.crt"), m.leaf(t, kind, name, "tls.key"))
	if err != nil {
		t.Fatal(err)
	}
	return &pair
}
