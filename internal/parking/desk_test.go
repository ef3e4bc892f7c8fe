package parking_test

import (
	"testing"
	"time"

	"github.com/slipway-go/slipway/internal/parking"
)

// A desk works one lot on a log in memory, where every append succeeds at once.
type desk struct {
	lot  *parking.Lot
	log  []parking.Entry
	read int
}

// newDesk takes over what a log holds.
func newDesk(cfg parking.Config, log ...parking.Entry) *desk {
	cfg.Life, cfg.Fence = "topic", 1
	d := &desk{lot: parking.New(cfg), log: append(log, parking.Entry{Kind: parking.Fence, Fence: 1, Since: -1})}
	d.catchUp()
	return d
}

// catchUp reads the log to the lot.
func (d *desk) catchUp() {
	for ; d.read < len(d.log); d.read++ {
		d.lot.Read(int64(d.read), d.log[d.read])
	}
}

// write appends and acknowledges.
func (d *desk) write(a *parking.Append) {
	d.log = append(d.log, a.Entry)
	d.lot.Acked(a, int64(len(d.log)-1))
}

// command appends what an operator asks for, and has it carried out.
func (d *desk) command(op parking.Op, t parking.Ticket, key string) {
	d.log = append(d.log, parking.Entry{Kind: parking.Command, Op: op, Ticket: t, Key: []byte(key), Since: -1})
	d.catchUp()
	d.obey()
}

func (d *desk) obey() {
	for _, a := range d.lot.Commands() {
		d.write(a)
	}
	d.catchUp()
}

// wait hands a failed source record over.
func (d *desk) wait(offset int64, key string, next parking.Entry) {
	d.write(d.lot.Wait(at(offset), []byte(key), next))
	d.lot.Passed(offset + 1)
}

// follow has a source record come behind its key.
func (d *desk) follow(t testing.TB, offset int64, key string) {
	t.Helper()
	fate, a := d.lot.Arrive(at(offset), []byte(key))
	if fate != parking.Follow {
		t.Fatalf("Arrive(%d, %q) = %d, want to follow", offset, key, fate)
	}
	d.write(a)
	d.lot.Passed(offset + 1)
}

// due returns the offsets of the heads that may run.
func (d *desk) due(now time.Time) (offsets []int64, heads []*parking.Head) {
	heads, _ = d.lot.Due(now, 1<<20)
	for _, h := range heads {
		offsets = append(offsets, h.Ticket.Offset)
	}
	return offsets, heads
}

func at(offset int64) parking.Ticket { return parking.Ticket{Life: "topic", Offset: offset} }

func copyOf(offset int64, key string) parking.Entry {
	return parking.Entry{Kind: parking.Copy, Ticket: at(offset), Key: []byte(key), Since: -1}
}

func markOf(offset int64, key string) parking.Entry {
	return parking.Entry{Kind: parking.Mark, Ticket: at(offset), Key: []byte(key), Since: -1}
}

// parked is what is said of a record that waits for an operator.
var parked = parking.Entry{Attempts: 3, Parked: true}

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
