//go:build kafka

package slipway_test

import (
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/slipway-go/slipway/internal/dev"
)

// note adds a spell.
func (x *trial) note(what, worker string, from time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.spells = append(x.spells, spell{what, worker, from, time.Now()})
}

// replace kills the worker of a slot and starts another.
func (x *trial) replace(t *testing.T, slot int) {
	t.Helper()
	old, began := x.slots[slot], time.Now()
	old.dismissed.Store(true)
	old.process.Kill()
	x.note(killed, old.name, began)
	_, age, _ := strings.Cut(old.name, ".")
	n, err := strconv.Atoi(age)
	if err != nil {
		t.Fatal(err)
	}
	w := x.hire(t, fmt.Sprint(slot, ".", n+1))
	x.mu.Lock()
	defer x.mu.Unlock()
	x.slots[slot], x.workers = w, append(x.workers, w)
}

// stop stops a worker where it is until others have all that was its own, and
// has it go on.
func (x *trial) stop(t *testing.T, slot int) {
	t.Helper()
	w, began := x.slots[slot], time.Now()
	owned := x.archive.highest()
	w.signal(t, syscall.SIGSTOP)
	x.awaitNewOwners(t, w, owned)
	w.signal(t, syscall.SIGCONT)
	x.note(paused, w.name, began)
}

// awaitNewOwners waits until every partition that a worker held under the
// fences that were the highest is under a higher one.
func (x *trial) awaitNewOwners(t *testing.T, w *hand, before map[int32]uint64) {
	t.Helper()
	held := make(map[int32]bool)
	for _, own := range takeovers(w.log.all()) {
		held[own.partition] = own.fence == before[own.partition]
	}
	await(t, patience, "others to own what a worker held that is away", func() bool {
		x.mustRun(t)
		now := x.archive.highest()
		for partition, was := range held {
			if was && now[partition] == before[partition] {
				return false
			}
		}
		return true
	})
}

// killNode kills a node and starts it when others lead.
func (x *trial) killNode(t *testing.T, n *dev.Node) {
	t.Helper()
	led, began := x.leads(t.Context(), x.topic, n), time.Now()
	n.Kill()
	await(t, patience, "others to lead", func() bool { return x.leads(t.Context(), x.topic, n) == 0 })
	x.awaitHandled(t, 200)
	if err := n.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	x.awaitReplicas(t, x.topic, x.retry)
	x.note(killed+theNode, "", began)
	t.Logf("kill -9 of node %d, leader of %d of 12 partitions: whole again after %.1f s", n.ID(), led, time.Since(began).Seconds())
}

// stopNode stops a node until others lead, and has it go on.
func (x *trial) stopNode(t *testing.T, n *dev.Node) {
	t.Helper()
	led, began := x.leads(t.Context(), x.topic, n), time.Now()
	if err := n.Pause(); err != nil {
		t.Fatal(err)
	}
	await(t, patience, "others to lead", func() bool { return x.leads(t.Context(), x.topic, n) == 0 })
	x.awaitHandled(t, 200)
	if err := n.Resume(); err != nil {
		t.Fatal(err)
	}
	x.awaitReplicas(t, x.topic, x.retry)
	x.note(paused+theNode, "", began)
	t.Logf("SIGSTOP of node %d, leader of %d of 12 partitions: whole again after %.1f s", n.ID(), led, time.Since(began).Seconds())
}
