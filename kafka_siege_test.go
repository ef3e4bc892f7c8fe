//go:build kafka

package slipway_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/slipway-go/slipway/internal/dev"
)

// A siege is how hard a trial is.
type siege struct {
	traffic
	nodes, workers int           // to kill, at least
	every          time.Duration // between two kills of workers
	rest           time.Duration // between two kills of nodes
}

// lengthy keeps a test of minutes out of every run but .ci/run siege.
func lengthy(t *testing.T) {
	t.Helper()
	if os.Getenv("SLIPWAY_SIEGE") == "" {
		t.Skip("takes minutes: set SLIPWAY_SIEGE=1, as .ci/run siege does")
	}
}

// besieged is a short F-01, or the full one, behind SLIPWAY_SOAK=1.
func besieged() siege {
	if os.Getenv("SLIPWAY_SOAK") == "1" {
		return siege{
			traffic: traffic{records: 1_000_000, rate: 1_500, keys: 20_000, flat: 50, failing: 0.1, pace: 10 * time.Millisecond},
			nodes:   20, workers: 60, every: 10 * time.Second, rest: 30 * time.Second,
		}
	}
	return siege{
		traffic: traffic{records: 20_000, rate: 400, keys: 5_000, flat: 10, failing: 0.1, pace: 10 * time.Millisecond},
		nodes:   3, workers: 5, every: 8 * time.Second, rest: time.Second,
	}
}

// F-01: a node after the other and consumer processes at random are killed with
// -9 while records fail, wait, park and are released.
func TestKillsOfNodesAndConsumersLoseNothingAndKeepEveryKeyInOrder(t *testing.T) {
	lengthy(t)
	s := besieged()
	x := newTrial(t, "soak", s.traffic)
	x.begin(t, 3)
	var nodes sync.WaitGroup
	nodes.Go(func() {
		for i := 0; i < s.nodes || !x.allSent(); i++ {
			began := time.Now()
			x.killNode(t, x.Nodes()[i%3])
			if t.Failed() {
				return
			}
			<-time.After(max(s.rest-time.Since(began), time.Second))
		}
	})
	random := rand.New(rand.NewPCG(3, 4))
	for n := 0; n < s.workers || !x.allSent(); n++ {
		<-time.After(s.every)
		x.replace(t, random.IntN(3))
		if t.Failed() {
			break
		}
	}
	nodes.Wait()
	x.finish(t)
	j := x.judge(t)
	if j.Faults[killed] < s.workers || j.Faults[killed+theNode] < s.nodes {
		t.Errorf("faults %v, want %d kills of workers and %d of nodes", j.Faults, s.workers, s.nodes)
	}
	x.requireWaits(t, j)
}

// requireWaits checks that records really failed, waited, parked and were
// released.
func (x *trial) requireWaits(t *testing.T, j *judgement) {
	t.Helper()
	for what, n := range map[string]int{
		"copies in the retry topic": j.Copies / max(1, int(float64(x.records)*x.failing)/2),
		"marks":                     j.Marks, "holds of keys": j.Holds / heldKeys, "parked keys": j.Parked,
		"released tickets": j.Redriven, "repeats": j.Counts.Repeats, "rebalances": j.Rebalances / 4,
	} {
		if n == 0 {
			t.Errorf("too few %s: nothing is put to the test", what)
		}
	}
}

// F-02 and F-31: consumer processes, and then a node, are stopped where they
// are until others have taken over, and go on as if nothing had happened.
func TestAZombieChangesNothing(t *testing.T) {
	lengthy(t)
	x := newTrial(t, "zombie", traffic{
		records: 15_000, rate: 250, keys: 5_000, flat: 50, failing: 0.3, pace: 100 * time.Millisecond,
	})
	x.begin(t, 3)
	for round := 0; round < 4 || !x.allSent(); round++ {
		x.awaitHandled(t, 500)
		if round == 1 {
			x.stopNode(t, x.busiest(t))
			continue
		}
		x.stop(t, round%3)
	}
	x.finish(t)
	j := x.judge(t)
	if j.Faults[paused] < 3 || j.Faults[paused+theNode] < 1 {
		t.Errorf("faults %v, want 3 stops of workers and one of a node", j.Faults)
	}
	if j.Refused == 0 || j.Strange == 0 || j.Zombies == 0 {
		t.Errorf("%d commits refused, %d appends behind a higher fence, %d attempts of zombies: nothing is put to the test", j.Refused, j.Strange, j.Zombies)
	}
	x.requireWaits(t, j)
}

// busiest is the node that leads most.
func (x *trial) busiest(t *testing.T) *dev.Node {
	return slices.MaxFunc(x.Nodes(), func(a, b *dev.Node) int {
		return x.leads(t.Context(), x.topic, a) - x.leads(t.Context(), x.topic, b)
	})
}

// F-03: one consumer process is cut off from one node: from what the node says,
// from saying anything, and from both; then from the group's coordinator.
func TestAConsumerCutOffFromANodeLosesNothingAndKeepsEveryKeyInOrder(t *testing.T) {
	lengthy(t)
	x := newTrial(t, "apart", traffic{
		records: 15_000, rate: 250, keys: 5_000, flat: 50, failing: 0.2, pace: 50 * time.Millisecond,
	})
	x.begin(t, 3)
	coordinator := x.coordinator(t)
	other := x.Nodes()[coordinator%3] // nodes count from 1
	for i, c := range []struct {
		node int
		ways []string
	}{
		{other.ID(), []string{"from"}}, {coordinator, []string{"from"}},
		{other.ID(), []string{"from", "to"}}, {coordinator, []string{"to"}}, {coordinator, []string{"from", "to"}},
	} {
		x.awaitHandled(t, 300)
		x.cut(t, i%3, c.node, c.ways)
	}
	x.finish(t)
	j := x.judge(t)
	held := 0
	for _, w := range x.workers {
		all := heldBack.FindAllStringSubmatch(w.log.all(), -1)
		if len(all) == 0 {
			continue
		}
		for _, n := range all[len(all)-1][1:] { // they count from the start
			count, err := strconv.Atoi(n)
			if err != nil {
				t.Fatal(err)
			}
			held += count
		}
	}
	t.Logf("held back: %d reads, writes and dials", held)
	if j.Faults[cutOff] != 5 || held == 0 {
		t.Errorf("faults %v, %d things held back, want 5 cuts that were felt", j.Faults, held)
	}
	x.requireWaits(t, j)
}

// cut cuts a worker off from a node for longer than its session.
func (x *trial) cut(t *testing.T, slot, node int, ways []string) {
	t.Helper()
	w, began, addr, text := x.slots[slot], time.Now(), x.address(t, node), ""
	for _, way := range ways {
		text += fmt.Sprintln(way, addr)
	}
	set := func(text string) {
		if err := os.WriteFile(w.cuts, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	set(text)
	<-time.After(cutFor)
	x.awaitHandled(t, 100)
	set("")
	x.note(cutOff, w.name, began)
	t.Logf("worker %s was cut off from node %d (%v) for %.1f s", w.name, node, ways, time.Since(began).Seconds())
}

// address is where a node answers.
func (x *trial) address(t *testing.T, node int) string {
	t.Helper()
	for _, b := range x.describe(t.Context(), x.topic).Brokers {
		if int(b.NodeID) == node {
			return fmt.Sprint(b.Host, ":", b.Port)
		}
	}
	t.Fatalf("node %d has no address", node)
	return ""
}

// coordinator is the node that keeps the group.
func (x *trial) coordinator(t *testing.T) int {
	t.Helper()
	req := kmsg.NewPtrFindCoordinatorRequest()
	req.CoordinatorKey, req.CoordinatorKeys = x.group, []string{x.group}
	resp, err := req.RequestWith(t.Context(), x.admin)
	if err != nil || len(resp.Coordinators) != 1 {
		t.Fatalf("find the coordinator: %v, %v", resp, err)
	}
	return int(resp.Coordinators[0].NodeID)
}
