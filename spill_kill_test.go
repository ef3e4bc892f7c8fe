//go:build unix

package slipway_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/internal/embedded"
	"github.com/slipway-go/slipway/schema"
	"github.com/slipway-go/slipway/schema/avro"
)

// victimEnv is set in the process that [TestWhatASenderWasToldSurvivesKill9]
// kills: a victim as JSON.
const victimEnv = "SLIPWAY_TEST_VICTIM"

// A victim is what the process is told.
type victim struct {
	Environment slipway.Environment
	Cut         string // while this file is there, the cluster is away
	From        int    // the first number that it sends
	Idle        bool   // it sends nothing
}

const victimContract = `apiVersion: slipway.dev/v1
kind: Service
metadata: {name: victim, owner: team-a}
identity: {auth: scram-sha-512}
topics:
  victim.orders.v1: {key: order_id, partitions: 3, schema: {format: avro, file: order.avsc}}
produces:
  victim.orders.v1: {away: spill, buffer: {records: 20}, spill: {sync: interval}}
`

// F-44, with a process that is killed in earnest while it spills, rotates,
// replays or starts, again and again over one directory.
func TestWhatASenderWasToldSurvivesKill9(t *testing.T) {
	if text := os.Getenv(victimEnv); text != "" {
		suffer(t, text)
		return
	}
	t.Parallel()
	rounds := 5
	if soaking() {
		rounds = 40
	}
	if testing.Short() {
		rounds = 2
	}
	dir := t.TempDir()
	cluster, client := victimCluster(t)
	v := victim{Cut: filepath.Join(dir, "cut"), Environment: slipway.Environment{
		Name: "dev", BootstrapServers: strings.Join(cluster.Bootstrap(), ","), CAFile: filepath.Join(dir, "ca"),
		PasswordFile: filepath.Join(dir, "password"), SpillDir: filepath.Join(dir, "spill"),
	}}
	if err := errors.Join(os.WriteFile(v.Environment.CAFile, cluster.CA(), 0o600), os.WriteFile(v.Environment.PasswordFile, []byte(cluster.Password("svc-victim-dev")), 0o600)); err != nil {
		t.Fatal(err)
	}
	told := map[int]bool{}
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	for range rounds {
		v.run(t, told, time.Duration(rng.IntN(150))*time.Millisecond, time.Duration(rng.IntN(300))*time.Millisecond)
		v.From += 1_000_000
	}
	v.Idle = true
	end := v.start(t)
	defer end.kill()
	got := victimRecords(t, client, told)
	last, seen, twice, disorder := map[string]int{}, map[int]bool{}, 0, 0
	for _, r := range got {
		n, err := strconv.Atoi(headersOf(r)["ce_id"])
		if err != nil {
			t.Fatal(err)
		}
		if seen[n] {
			twice++
			continue
		}
		seen[n] = true
		if last[string(r.Key)] > n {
			disorder++
		}
		last[string(r.Key)] = n
	}
	lost := 0
	for n := range told {
		if !seen[n] {
			lost++
		}
	}
	t.Logf("%d kills, %d told, %d lost, %d written, %d of them twice, %d out of order", rounds, len(told), lost, len(seen), twice, disorder)
	if lost > 0 || disorder > 0 || len(told) == 0 {
		t.Errorf("%d of %d lost, %d out of order", lost, len(told), disorder)
	}
}

// run lets a process send, takes the cluster away after a while, and kills the
// process after another.
func (v victim) run(t *testing.T, told map[int]bool, cut, kill time.Duration) {
	t.Helper()
	p := v.start(t)
	p.wait(t, "started")
	<-time.After(cut)
	if err := os.WriteFile(v.Cut, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	<-time.After(kill)
	p.kill()
	if err := os.Remove(v.Cut); err != nil {
		t.Fatal(err)
	}
	for line := range p.lines {
		if n, err := strconv.Atoi(line); err == nil {
			told[n] = true
		}
	}
}

// A victimProcess is one that runs suffer.
type victimProcess struct {
	cmd   *exec.Cmd
	lines chan string
	read  chan struct{} // closed once all that it said is in lines
}

func (v victim) start(t *testing.T) *victimProcess {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestWhatASenderWasToldSurvivesKill9$")
	cmd.Env = append(os.Environ(), victimEnv+"="+string(text))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &victimProcess{cmd, make(chan string, 1<<20), make(chan struct{})}
	go func() {
		defer close(p.read)
		defer close(p.lines)
		for in := bufio.NewScanner(out); in.Scan(); {
			p.lines <- in.Text()
		}
	}()
	return p
}

func (p *victimProcess) wait(t *testing.T, what string) {
	t.Helper()
	for line := range p.lines {
		if line == what {
			return
		}
		t.Log(line)
	}
	t.Fatal("the process ended")
}

// kill ends the process as the kernel would, and reads what it has said. Wait
// comes last: it closes the pipe, and half a line is another number.
func (p *victimProcess) kill() {
	_ = p.cmd.Process.Kill()
	<-p.read
	_ = p.cmd.Wait() // says that it was killed
}

// suffer is the process: it sends as fast as it can and says what it was told,
// until it is killed.
func suffer(t *testing.T, text string) {
	var v victim
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	app, err := slipway.New(slipway.Config{
		Files:       fstest.MapFS{"slipway.yaml": {Data: []byte(victimContract)}, "order.avsc": {Data: []byte(orderSchema)}},
		Environment: v.Environment, Codecs: []schema.Codec{avro.Codec()}, Registry: oneSchema{}, Dial: v.dial,
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	out := slipway.NewProducer[order](app, "victim.orders.v1")
	app.Go("send", func(ctx context.Context) error {
		fmt.Println("started")
		room := make(chan struct{}, 200)
		for n := v.From + 1; !v.Idle && ctx.Err() == nil; n++ {
			room <- struct{}{}
			out.SendAsync(ctx, &order{OrderID: fmt.Sprint("key ", n%5)}, func(_ slipway.Receipt, err error) {
				if err == nil {
					fmt.Println(n)
				}
				<-room
			}, slipway.WithID(strconv.Itoa(n)))
		}
		<-ctx.Done()
		return nil
	})
	if err := app.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// dial opens connections that end when the cluster is cut off.
func (v victim) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	if v.isCut() {
		return nil, errors.New("cut off")
	}
	conn, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	go func() {
		for !v.isCut() {
			<-time.After(time.Millisecond)
		}
		_ = conn.Close() // that is the point
	}()
	return conn, nil
}

func (v victim) isCut() bool {
	_, err := os.Stat(v.Cut)
	return err == nil
}

// oneSchema is a registry that knows every schema under one id.
type oneSchema struct{ schema.Registry }

func (oneSchema) Find(context.Context, string, schema.Text) (schema.Version, error) {
	return schema.Version{ID: 1, Version: 1}, nil
}

func (oneSchema) Lookup(context.Context, string, schema.Text) (int, error) { return 1, nil }

// victimCluster is a cluster with what the victim needs on it.
func victimCluster(t *testing.T) (*embedded.Cluster, *kgo.Client) {
	t.Helper()
	cluster, err := embedded.Start(t.Context(), embedded.Config{Brokers: 1})
	if err != nil {
		t.Fatal(err)
	}
	client, err := kgo.NewClient(append(cluster.Options(cluster.Admin()), kgo.ConsumeTopics("victim.orders.v1"))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		client.Close()
		if err := cluster.Close(); err != nil {
			t.Error(err)
		}
	})
	admin := kadm.NewClient(client)
	_, err = admin.CreateTopic(t.Context(), 3, 1, nil, "victim.orders.v1")
	_, err2 := admin.AlterUserSCRAMs(t.Context(), nil, []kadm.UpsertSCRAM{{
		User: "svc-victim-dev", Mechanism: kadm.ScramSha512, Iterations: 4096, Password: cluster.Password("svc-victim-dev"),
	}})
	_, err3 := admin.CreateACLs(t.Context(), kadm.NewACLs().Topics("victim.orders.v1").
		ResourcePatternType(kadm.ACLPatternLiteral).Operations(kadm.OpWrite).Allow("User:svc-victim-dev"))
	if err := errors.Join(err, err2, err3); err != nil {
		t.Fatal(err)
	}
	return cluster, client
}

// victimRecords reads the topic until all that was told is there, or nothing
// comes any more.
func victimRecords(t *testing.T, client *kgo.Client, told map[int]bool) []*kgo.Record {
	t.Helper()
	var got []*kgo.Record
	missing := len(told)
	there := map[string]bool{}
	for missing > 0 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		fetches := client.PollFetches(ctx)
		cancel()
		if fetches.NumRecords() == 0 {
			return got
		}
		for _, r := range fetches.Records() {
			got = append(got, r)
			id := headersOf(r)["ce_id"]
			if n, err := strconv.Atoi(id); err == nil && told[n] && !there[id] {
				missing--
			}
			there[id] = true
		}
	}
	return got
}
