package parking_test

import (
	"fmt"
	"maps"
	"slices"

	"github.com/slipway-go/slipway/internal/parking"
)

// An owner drives a lot as the runtime does, one small step at a time.
type owner struct {
	*world
	lot      *parking.Lot
	fence    uint64
	start    commit
	marked   bool // its fence is in the log
	read     int64
	position int64 // of the source
	front    int64
	finished map[int64]bool
	lanes    map[string][]*item
	names    []string // of lanes, so that a run can be repeated
	sent     []*sent  // not acknowledged
	strays   []func()
	delays   []int64
	held     map[string]hold // as far as it knows
}

type hold struct {
	offset int64
	on     bool
}

// An item is what lies in a lane.
type item struct {
	source
	head  *parking.Head
	stage int // 0 queued, 1 in its handler, 2 through
	next  parking.Entry
	again bool
}

// sent is an append on its way.
type sent struct {
	append *parking.Append
	source *item
	skip   bool
	landed bool
	offset int64
}

// newOwner raises the fence.
func (w *world) newOwner() *owner {
	if w.broken != noRaise || w.committed.fence == 0 {
		w.committed.fence++
	}
	start := w.committed
	start.ahead = maps.Clone(start.ahead)
	o := &owner{
		world: w, fence: w.committed.fence, start: start, read: start.retry, position: start.source, front: start.source,
		finished: make(map[int64]bool), lanes: make(map[string][]*item), held: make(map[string]hold),
		delays: [][]int64{{3, 9, 27}, {1}, {5, 5}}[w.IntN(3)],
	}
	return o
}

// mark appends the fence, and lets the lot be read.
func (o *owner) mark() {
	o.append(parking.Entry{Kind: parking.Fence, Fence: o.fence, Since: -1}, false)
	o.marked = true
	o.lot = parking.New(parking.Config{Life: o.life, Fence: o.fence, Committed: o.start.effect, RetryFrom: o.start.retry, SourceFrom: o.start.source, MaxTickets: 15}).Without(o.rule)
	o.lot.Tight()
}

// rightful reports whether nobody else has marked the log.
func (o *owner) rightful() bool { return o.high <= o.fence && o.world.owner == o }

// turn does one step and reports whether there was one.
func (o *owner) turn() bool {
	if !o.marked {
		o.mark()
		return true
	}
	if !o.lot.Ready() {
		return o.readLog()
	}
	steps := []func() bool{
		o.poll, o.work, o.work, o.work, o.land, o.land, o.ack, o.ack, o.readLog, o.readLog, o.due, o.due,
		o.apply, o.trim, o.commit, o.refuse, o.keep,
	}
	at := o.IntN(len(steps))
	for i := range steps {
		if steps[(at+i)%len(steps)]() {
			return true
		}
	}
	return false
}

// idle reports whether nothing is left.
func (o *owner) idle() bool {
	return o.marked && o.lot.Ready() && o.lot.Stats().Tickets == 0 && o.lot.Stats().Keys == 0 && len(o.newest) == 0 &&
		o.position == int64(len(o.src)) && len(o.sent) == 0 && o.read == int64(len(o.log))
}

// poll puts the next source record into its lane.
func (o *owner) poll() bool {
	if o.position == int64(len(o.src)) || o.lot.Full() {
		return false
	}
	for range 1 + o.IntN(4) {
		if o.position == int64(len(o.src)) {
			break
		}
		rec := o.src[o.position]
		o.position++
		if o.start.ahead[rec.at.Offset] {
			o.finished[rec.at.Offset] = true
			continue
		}
		o.add(&item{source: rec})
	}
	o.lot.Passed(o.position)
	return true
}

func (o *owner) add(it *item) {
	name := "k" + string(it.key)
	if it.key == nil {
		name = fmt.Sprint("n", it.at)
	}
	if _, ok := o.lanes[name]; !ok {
		o.names = append(o.names, name)
	}
	o.lanes[name] = append(o.lanes[name], it)
}

// work moves the front of some lane on.
func (o *owner) work() bool {
	if len(o.names) == 0 {
		return false
	}
	i := o.IntN(len(o.names))
	name := o.names[i]
	it := o.lanes[name][0]
	if !o.step(it) {
		return true
	}
	if o.lanes[name] = o.lanes[name][1:]; len(o.lanes[name]) == 0 {
		delete(o.lanes, name)
		o.names = slices.Delete(o.names, i, i+1)
	}
	return true
}

// step moves an item on and reports whether it leaves its lane.
func (o *owner) step(it *item) bool {
	it.stage++
	switch it.stage {
	case 1:
		return o.begin(it)
	case 2:
		o.handle(it)
		return false
	}
	switch {
	case it.again && it.head != nil:
		o.send(&sent{append: o.lot.Again(it.head, it.next)})
	case it.again:
		o.send(&sent{append: o.lot.Wait(it.at, it.key, it.next), source: it})
	case it.head != nil && o.broken == noMarks:
		o.lot.Acked(o.lot.Settle(it.head), int64(len(o.log)))
		delete(o.newest, it.at)
	case it.head != nil:
		o.send(&sent{append: o.lot.Settle(it.head)})
	default:
		o.finished[it.at.Offset] = true
	}
	return true
}

// begin asks what has to be done with the front of a lane.
func (o *owner) begin(it *item) (leaves bool) {
	if it.head == nil {
		fate, a := o.lot.Arrive(it.at, it.key)
		o.tell("%d: %v %q arrives, fate %d", o.fence, it.at, it.key, fate)
		switch fate {
		case parking.Finished:
			o.finished[it.at.Offset] = true
		case parking.Follow:
			o.send(&sent{append: a, source: it})
		default:
			o.mayRun(it)
		}
		return fate != parking.Handle
	}
	if !o.lot.Begin(it.head) {
		o.tell("%d: head %v not begun", o.fence, it.at)
		return true
	}
	if n, ok := o.newest[it.at]; ok && o.rightful() && (n.Parked || n.Due.After(o.time(o.now))) {
		o.fault("%v runs, which is parked (%v) or due at %v, now %v", it.at, n.Parked, n.Due.Unix(), o.now)
	}
	o.mayRun(it)
	return false
}

// mayRun finds a run of what was settled, and of a key that is parked by hand.
func (o *owner) mayRun(it *item) {
	if o.settled[it.at] && !redriven(it.at) && o.rightful() {
		o.fault("%v runs, which was settled", it.at)
	}
	if it.key != nil && it.at.Life == o.life && o.rightful() && o.held[string(it.key)].on {
		o.fault("%v runs, whose key is parked by hand", it.at)
	}
}

// handle runs the handler.
func (o *owner) handle(it *item) {
	attempts := 0
	if it.head != nil {
		attempts = it.head.Attempts
	}
	switch {
	case o.fails[it.at] == 0:
		o.end(it, "handled")
		return
	case attempts < len(o.delays):
		it.next = parking.Entry{Attempts: attempts + 1, Due: o.time(o.now + o.delays[attempts])}
	case o.park:
		it.next = parking.Entry{Attempts: attempts + 1, Parked: true}
		o.tellParked(it)
	default:
		o.end(it, "dead")
		return
	}
	o.fails[it.at]--
	it.again = true
}

// tellParked writes the letter of a record that is to be parked.
func (o *owner) tellParked(it *item) {
	r := round{at: it.at}
	if it.head != nil {
		r.redrives = it.head.Redrives
	}
	if _, ok := o.letters[r]; !ok {
		o.letters[r] = letter{int64(len(o.log)), it.key}
	}
}

func (o *owner) end(it *item, what string) {
	o.tell("%d: %v %q %s", o.fence, it.at, it.key, what)
	o.outcomes = append(o.outcomes, outcome{it.at, it.key, what, o.rightful()})
}

// send hands an append over to the client.
func (o *owner) send(s *sent) {
	if a := s.append; a.Entry.Kind == parking.Copy {
		switch {
		case s.source != nil && a.From >= 0, s.source == nil && a.From < 0:
			o.fault("%v: bytes from %d", a.Entry.Ticket, a.From)
		case a.From >= 0 && (a.From < o.committed.retry && o.rightful() || o.log[a.From].Ticket != a.Entry.Ticket):
			o.fault("%v: bytes from %d, which has %v, or is below %d", a.Entry.Ticket, a.From, o.log[a.From], o.committed.retry)
		}
	}
	if o.broken == earlyFinish && s.source != nil {
		o.finished[s.source.at.Offset] = true
	}
	o.sent = append(o.sent, s)
}

func (o *owner) firstOpen() int {
	return slices.IndexFunc(o.sent, func(s *sent) bool { return !s.landed })
}

// land has the broker take the next append.
func (o *owner) land() bool {
	i := o.firstOpen()
	if i < 0 {
		return false
	}
	s := o.sent[i]
	s.landed, s.offset = true, o.append(s.append.Entry, s.skip)
	return true
}

// refuse has the broker refuse an append, which is sent again.
func (o *owner) refuse() bool {
	i := o.firstOpen()
	if i < 0 || o.IntN(4) > 0 {
		return false
	}
	s := o.sent[i]
	o.sent = append(slices.Delete(o.sent, i, i+1), s)
	return true
}

// ack acknowledges one of the appends that landed.
func (o *owner) ack() bool {
	var landed []int
	for i, s := range o.sent {
		if s.landed {
			landed = append(landed, i)
		}
	}
	if len(landed) == 0 {
		return false
	}
	i := landed[o.IntN(len(landed))]
	s := o.sent[i]
	o.sent = slices.Delete(o.sent, i, i+1)
	o.lot.Acked(s.append, s.offset)
	o.learn(s.offset)
	if s.source != nil {
		o.finished[s.source.at.Offset] = true
	}
	return true
}

// learn notes what the owner knows of keys parked by hand.
func (o *owner) learn(offset int64) {
	e := o.log[offset]
	if e.Kind == parking.Hold && e.valid && offset >= o.held[string(e.Key)].offset {
		o.held[string(e.Key)] = hold{offset, e.Held}
	}
}

// readLog reads on in the retry log.
func (o *owner) readLog() bool {
	if o.read == int64(len(o.log)) {
		return false
	}
	for range 1 + o.IntN(4) {
		if o.read == int64(len(o.log)) {
			break
		}
		e := o.log[o.read]
		if e.Kind == 0 {
			o.strays = append(o.strays, o.lot.Stray(o.read))
		} else {
			o.lot.Read(o.read, e.Entry)
			o.learn(o.read)
		}
		o.read++
	}
	return true
}

// keep notes that evidence of something foreign was kept.
func (o *owner) keep() bool {
	if len(o.strays) == 0 {
		return false
	}
	o.strays[0]()
	o.strays = o.strays[1:]
	return true
}

// due puts heads into their lanes.
func (o *owner) due() bool {
	limit := 1 + o.IntN(2)*1000
	heads, _ := o.lot.Due(o.time(o.now), limit)
	for _, h := range heads {
		o.add(&item{source: source{h.Ticket, h.Key}, head: h})
		if h.Copy < 0 || o.log[h.Copy].Ticket != h.Ticket {
			o.fault("%v: bytes at %d", h.Ticket, h.Copy)
		}
	}
	if late := o.lot.Overdue(o.time(o.now)); limit > 1 && len(late) > 0 && o.rule == parking.None {
		o.fault("%v may run and was not given out", late)
	}
	return len(heads) > 0
}

// apply carries commands out.
func (o *owner) apply() bool {
	all := o.lot.Commands()
	for _, a := range all {
		o.send(&sent{append: a, skip: a.Entry.Kind == parking.Mark})
	}
	return len(all) > 0
}

func (o *owner) trim() bool {
	a := o.lot.Trim()
	if a == nil {
		return false
	}
	o.trims++
	o.send(&sent{append: a})
	return true
}

// commit commits both frontiers, unless somebody else has joined the group.
func (o *owner) commit() bool {
	for o.finished[o.front] {
		o.front++
	}
	retry, effect := o.lot.Frontier(o.front)
	if o.world.owner != o {
		return false
	}
	if retry < o.committed.retry || retry > int64(len(o.log)) {
		o.fault("frontier went from %d to %d of %d", o.committed.retry, retry, len(o.log))
	}
	o.obeyed(retry)
	if o.broken == sourceLate && o.IntN(8) > 0 {
		o.committed.retry, o.committed.effect = retry, effect
		return false
	}
	ahead := make(map[int64]bool)
	if o.IntN(4) > 0 { // there may be no room for it
		for at := range o.finished {
			if at >= o.front {
				ahead[at] = true
			}
		}
	}
	now := commit{o.front, ahead, o.fence, retry, effect}
	moved := now.source != o.committed.source || now.retry != o.committed.retry
	o.tell("%d commits %+v", o.fence, now)
	o.committed = now
	return moved
}
