package dev

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"text/template"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/proc"
	"github.com/slipway-go/slipway/pki"
)

const (
	brokerName = "broker" // the common name of every node's certificate
	adminName  = "admin"

	// heap is enough for a developer's load; three nodes take 1.4 GiB
	// together.
	heap = "-Xmx700m"
)

// A Node is one of the cluster's combined brokers and controllers. Its methods
// may be called concurrently.
type Node struct {
	cluster *Cluster
	id      int
	dir     string
	stores  []string // the settings by which it finds its keystore
	classes classes
	worker  *worker
}

func newNode(c *Cluster, id int) *Node {
	n := &Node{cluster: c, id: id, dir: filepath.Join(c.cfg.Dir, fmt.Sprintf("node-%d", id))}
	n.classes = kafkaArtifact.classesOf(c.cfg, c.java, n.dir)
	loaded := n.classes.use()
	if id == 1 {
		loaded = n.classes.make()
	}
	n.worker = c.newWorker(fmt.Sprintf("node %d", id), filepath.Join(n.dir, "logs", "console.log"), proc.Config{
		Path: c.java.path,
		Args: slices.Concat(loaded, javaFlags(heap, n.dir, c.cfg.Cache), []string{"kafka.Kafka", n.file("server.properties")}),
		Dir:  n.dir,
	})
	if id == 1 {
		n.worker.classes = n.classes
	}
	return n
}

// ID returns the node's id, which counts from 1.
func (n *Node) ID() int { return n.id }

// PID returns the id of the node's process, 0 while it is down.
func (n *Node) PID() int { return n.worker.pid() }

// Log returns the path of the node's log; what the authorizer denies is in
// authorizer.log beside it.
func (n *Node) Log() string { return n.file("logs/server.log") }

// Kill ends the node as kill -9 does. It stays down until [Node.Start].
func (n *Node) Kill() { n.worker.stop(errKilled) }

// Stop ends the node in order: it hands its partitions over first. It stays
// down until [Node.Start].
func (n *Node) Stop() { n.worker.stop(errStopped) }

// Pause stops the node's process where it is, as SIGSTOP does: its connections
// stay open and nothing answers on them.
func (n *Node) Pause() error { return n.worker.signal(syscall.SIGSTOP) }

// Resume continues a paused node.
func (n *Node) Resume() error { return n.worker.signal(syscall.SIGCONT) }

// Start starts a node that is down and waits until it serves clients. After
// [Node.Kill] that takes up to 10 seconds: the controller lets a broker back
// in when the session of the killed one has expired.
func (n *Node) Start(ctx context.Context) error {
	n.worker.start()
	return n.cluster.awaitBrokers(ctx, n.id)
}

func (n *Node) file(name string) string { return filepath.Join(n.dir, name) }

// javaFlags are the arguments before the main class. The first compiler alone
// is enough here: until the cluster is ready the three nodes use 11 s of
// processor time with it and 20 s with both.
func javaFlags(heap, dir, cache string) []string {
	return []string{
		heap, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError", "-Djava.awt.headless=true",
		"-Dslipway.logs=" + filepath.Join(dir, "logs"),
		"-Dlog4j2.configurationFile=" + filepath.Join(dir, "log4j2.xml"),
		"-Djava.security.properties=" + filepath.Join(dir, "java.security"),
		"-cp", filepath.Join(kafkaArtifact.dir(cache), "*"),
	}
}

// prepare writes what the node starts from, and formats its storage the first
// time.
func (n *Node) prepare(ctx context.Context) error {
	if err := makeWithLog(n.file("logs"), n.worker.log); err != nil {
		return err
	}
	var err error
	if n.stores, err = n.writeKeystore(); err != nil {
		return err
	}
	for _, name := range []string{"log4j2.xml", "java.security"} {
		content, err := files.ReadFile("files/" + name)
		if err != nil {
			return err
		}
		if err := writeFile(n.file(name), content); err != nil {
			return err
		}
	}
	if err := n.writeProperties("server.properties", "data"); err != nil {
		return err
	}
	if _, err := os.Stat(n.file("data")); err == nil {
		return nil
	}
	return n.format(ctx)
}

// writeKeystore issues the node's certificate. A node is a server to clients
// and a client of the other nodes.
func (n *Node) writeKeystore() ([]string, error) {
	cert, err := n.cluster.issuer.Issue(pki.Request{
		CommonName: brokerName,
		Usage:      pki.Peer,
		DNSNames:   []string{"localhost"},
		IPs:        []netip.Addr{netip.MustParseAddr("127.0.0.1")},
		Lifetime:   pki.MaxLifetime,
	})
	if err != nil {
		return nil, diag.New(diag.DevState, "certificate of node %d: %v", n.id, err)
	}
	return writeStores(n.dir, n.cluster.cfg.format(n.id), cert, n.cluster.authority.Root())
}

var serverProperties = template.Must(template.ParseFS(files, "files/server.properties"))

func (n *Node) writeProperties(name, data string) error {
	ports := n.cluster.ports
	var out bytes.Buffer
	err := serverProperties.Execute(&out, map[string]any{
		"ID":         n.id,
		"Voters":     ports.voters(),
		"Data":       n.file(data),
		"MTLS":       ports.MTLS[n.id-1],
		"SCRAM":      ports.SCRAM[n.id-1],
		"Controller": ports.Controller[n.id-1],
		"Stores":     n.stores,
		"Broker":     brokerName,
		"Admin":      adminName,
	})
	if err != nil {
		return err
	}
	return writeFile(n.file(name), out.Bytes())
}

// format makes the node's storage under another name first: half-formatted
// storage would start as an older cluster than it is.
func (n *Node) format(ctx context.Context) error {
	if err := os.RemoveAll(n.file("data.new")); err != nil {
		return diag.New(diag.DevState, "format storage of node %d: %v", n.id, err)
	}
	if err := n.writeProperties("format.properties", "data.new"); err != nil {
		return err
	}
	var out strings.Builder
	args := slices.Concat(n.classes.use(), javaFlags("-Xmx256m", n.dir, n.cluster.cfg.Cache), []string{"kafka.tools.StorageTool", "format", "-t", n.cluster.id, "-c", n.file("format.properties")})
	err := proc.Run(ctx, proc.Config{Path: n.cluster.java.path, Args: args, Dir: n.dir, Output: func(line string) {
		out.WriteString(line + "\n")
	}}, time.Second)
	if err == nil {
		err = os.Rename(n.file("data.new"), n.file("data"))
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return withLines(diag.New(diag.DevEnded, "format storage of node %d: %v", n.id, err), out.String())
	}
	return os.Remove(n.file("format.properties"))
}
