package parking_test

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/internal/parking"
)

// A setting is what one run of the model is about.
type setting struct {
	records  int
	keys     int
	crash    float64 // at each step
	takeover float64 // of crashes: the former owner lives on
	park     bool    // then: park
	order    string  // key or partition
	operator float64 // at each step
	rule     parking.Rule
	broken   string // what the driver does not keep
}

// What a driver may not keep.
const (
	earlyFinish = "a source record is finished before its copy is acknowledged"
	noMarks     = "nothing is appended when a head is settled"
	noRaise     = "the fence is not raised"
	sourceLate  = "the retry partition is committed without its source"
)

// A source is a record of the source partition.
type source struct {
	at  parking.Ticket
	key []byte
}

// An outcome is the end of a record's life: handled, dead-lettered or skipped.
type outcome struct {
	at       parking.Ticket
	key      []byte
	what     string
	rightful bool // nobody else had marked the log as his own
}

// A commit is what the group knows.
type commit struct {
	source int64
	ahead  map[int64]bool
	fence  uint64
	retry  int64
	effect uint64
}

// A round of a ticket is what lies between two of its releases.
type round struct {
	at       parking.Ticket
	redrives int
}

// A letter says that a ticket is parked.
type letter struct {
	length int64 // of the log, when it was written
	key    []byte
}

// A written record is one of the retry log.
type written struct {
	parking.Entry
	offset int64
	valid  bool // its writer owned the partition
}

func (r written) String() string {
	kinds := [...]string{"foreign", "copy", "mark", "fence", "hold", "command"}
	return fmt.Sprintf("%s %d of %d: %v %q attempts %d due %d parked %v since %d held %v valid %v",
		kinds[r.Kind], r.Op, r.Fence, r.Ticket, r.Key, r.Attempts, r.Due.Unix(), r.Parked, r.Since, r.Held, r.valid)
}

// maxCrashes bounds the crashes of one run.
const maxCrashes = 60

// maxTurns is when the operator, at the latest, leaves the rest alone.
const maxTurns = 5_000

// A world is all that outlives a crash, and who works on it.
type world struct {
	setting
	*rand.Rand
	life      string // of the source topic
	coded     bool   // what is written passes through its encoding
	src       []source
	fails     map[parking.Ticket]int // how often it will fail yet
	log       []written
	high      uint64 // of the fences in the log
	committed commit
	outcomes  []outcome
	newest    map[parking.Ticket]written // the copy that counts, of what is not settled
	parkedAt  map[parking.Ticket]int64   // where the first such copy lies of a ticket that is parked
	letters   map[round]letter           // that say that a ticket is parked, before it is
	answered  map[round]int64            // the first release that names the letter
	released  map[parking.Ticket]int64   // the last command that asked for it
	asked     map[string]written         // the last command about a key
	held      map[string]written         // the last hold of a key
	settled   map[parking.Ticket]bool
	injected  []source
	cut       map[parking.Ticket]bool // by an unclean election
	owner     *owner
	zombies   []*owner
	late      [][]*sent // appends of owners that are gone
	now       int64
	calm      bool // no more crashes, and the operator releases everything
	faults    []string
	tell      func(format string, args ...any) // of what happens, if anybody listens

	crashes, appends, trims, commands int
}

func newWorld(seed uint64, s setting) *world {
	w := &world{
		setting: s, Rand: rand.New(rand.NewPCG(seed, 1)),
		tell: func(string, ...any) {}, fails: make(map[parking.Ticket]int), newest: make(map[parking.Ticket]written),
		parkedAt: make(map[parking.Ticket]int64), letters: make(map[round]letter), answered: make(map[round]int64), released: make(map[parking.Ticket]int64),
		asked: make(map[string]written), held: make(map[string]written),
		settled: make(map[parking.Ticket]bool), cut: make(map[parking.Ticket]bool),
	}
	w.life, w.coded = "topic", w.IntN(8) == 0
	w.write(0)
	w.owner = w.newOwner()
	return w
}

// write fills the source partition up to its full length.
func (w *world) write(epoch int32) {
	for len(w.src) < w.records {
		rec := source{at: parking.Ticket{Life: w.life, Epoch: epoch, Offset: int64(len(w.src))}, key: w.anyKey()}
		w.src = append(w.src, rec)
		w.fails[rec.at] = w.howOften()
	}
}

func (w *world) anyKey() []byte {
	switch {
	case w.order == "partition":
		return []byte{}
	case w.IntN(10) == 0:
		return nil
	}
	return []byte{byte('a' + w.IntN(w.keys))}
}

func (w *world) howOften() int {
	if w.IntN(10) < 6 {
		return 0
	}
	return []int{1, 2, 3, 9}[w.IntN(4)]
}

func (w *world) fault(format string, args ...any) {
	w.faults = append(w.faults, fmt.Sprintf(format, args...))
}

// time is the model's clock.
func (w *world) time(at int64) time.Time { return time.Unix(at, 0) }

// append writes to the retry log.
func (w *world) append(e parking.Entry, bySkip bool) int64 {
	offset := int64(len(w.log))
	if w.coded && e.Kind != 0 {
		e = w.code(e)
	}
	rec := written{e, offset, e.Fence >= w.high || e.Kind == parking.Command}
	w.log = append(w.log, rec)
	w.tell("log %d: %v", offset, rec)
	w.appends++
	if bySkip { // to a former owner it is one too
		w.outcomes = append(w.outcomes, outcome{e.Ticket, e.Key, "skipped", rec.valid})
	}
	switch {
	case e.Kind == parking.Fence:
		w.high = max(w.high, e.Fence)
	case !rec.valid:
	case e.Kind == parking.Copy:
		w.copied(offset, rec)
	case e.Kind == parking.Hold:
		if before := w.held[string(e.Key)]; e.Since < before.Since {
			w.fault("%v at %d, after %v", rec, offset, before)
		}
		w.held[string(e.Key)] = rec
	case e.Kind == parking.Command && e.Ticket.Life == "" && e.Key != nil:
		w.asked[string(e.Key)] = rec
	case e.Kind == parking.Command && e.Op == parking.Release && e.Ticket.Life != "":
		w.released[e.Ticket] = offset
		if r := (round{e.Ticket, e.Redrives}); w.answered[r] == 0 {
			w.answered[r] = offset
		}
	case e.Kind == parking.Mark:
		delete(w.newest, e.Ticket)
		delete(w.parkedAt, e.Ticket)
		w.settled[e.Ticket] = true
		// It may be injected once more, long after.
		maps.DeleteFunc(w.letters, func(r round, _ letter) bool { return r.at == e.Ticket })
		maps.DeleteFunc(w.answered, func(r round, _ int64) bool { return r.at == e.Ticket })
	}
	return offset
}

// code returns what is read of what is written.
func (w *world) code(e parking.Entry) parking.Entry {
	var payload *kgo.Record
	if e.Kind == parking.Copy || e.Op == parking.Inject {
		payload = &kgo.Record{Key: e.Key, Value: []byte("value")}
	}
	got, err := parking.Decode(parking.Encode(e, payload))
	if err != nil {
		w.fault("%+v cannot be read: %v", e, err)
	}
	return got
}

// copied notes a copy, and finds one that lets a parked ticket run that nobody
// has released.
func (w *world) copied(offset int64, rec written) {
	at := rec.Ticket
	since, was := w.parkedAt[at]
	switch {
	case rec.Parked && !was:
		w.parkedAt[at] = offset
	case !rec.Parked && was:
		if last, ok := w.released[at]; !ok || last < min(since, w.letters[w.roundOf(at)].length) {
			w.fault("%v was parked at %d and runs again at %d, last released at %d", at, since, offset, last)
		}
		delete(w.parkedAt, at)
	}
	w.newest[at] = rec
}

// obeyed finds what is parked, or is not, against the last command about it, of
// those that are said to be finished.
func (w *world) obeyed(below int64) {
	for key, c := range w.asked {
		if held := w.held[key].Held; c.offset < below && held != (c.Op == parking.Park) {
			w.fault("key %q is held: %v, after %v", key, held, c)
		}
	}
	for at, since := range w.parkedAt {
		if first, ok := w.answered[w.roundOf(at)]; ok && first < below {
			w.fault("%v is parked since %d, and was answered at %d", at, since, first)
		}
		if last := w.released[at]; last > since && last < below {
			w.fault("%v was released at %d and is still parked since %d", at, last, since)
		}
	}
}

// command has the operator ask for something.
func (w *world) command(op parking.Op, at parking.Ticket, key []byte) {
	w.commands++
	e := parking.Entry{Kind: parking.Command, Op: op, Ticket: at, Key: key, Since: -1}
	w.append(e, false)
}

// release has the operator answer the letter of a ticket that is parked, or will
// be.
func (w *world) release(r round, key []byte) {
	w.commands++
	w.append(parking.Entry{Kind: parking.Command, Op: parking.Release, Ticket: r.at, Key: key, Redrives: r.redrives, Since: -1}, false)
}

// roundOf is the round that a ticket is in, as the log says.
func (w *world) roundOf(at parking.Ticket) round { return round{at, w.newest[at].Redrives} }

// anyLetter picks one of a record that is not settled.
func (w *world) anyLetter() (round, bool) {
	var all []round
	for r := range w.letters {
		if !w.settled[r.at] {
			all = append(all, r)
		}
	}
	if len(all) == 0 {
		return round{}, false
	}
	slices.SortFunc(all, func(a, b round) int { return cmp.Or(compare(a.at, b.at), cmp.Compare(a.redrives, b.redrives)) })
	return all[w.IntN(len(all))], true
}

// operate has the operator do something.
func (w *world) operate() {
	key := w.anyKey()
	switch w.IntN(7) {
	case 0:
		w.command(parking.Park, parking.Ticket{}, key)
	case 1, 2:
		w.command(parking.Release, parking.Ticket{}, key)
	case 3:
		if at, rec, ok := w.anyNewest(func(r written) bool { return r.Parked }); ok && w.IntN(2) == 0 {
			w.release(round{at, rec.Redrives}, rec.Key)
		} else if r, ok := w.anyLetter(); ok {
			w.release(r, w.letters[r].key)
		}
	case 4:
		if at, rec, ok := w.anyNewest(func(written) bool { return true }); ok {
			w.command(parking.Skip, at, rec.Key)
		}
	case 5:
		in := source{at: parking.Ticket{Life: "redrive", Offset: int64(w.IntN(1000))}, key: key}
		if len(w.injected) > 0 && w.IntN(3) == 0 {
			in = w.injected[w.IntN(len(w.injected))] // sent twice
		} else {
			in.at.Life += string(rune('0' + w.IntN(3)))
			if slices.ContainsFunc(w.injected, func(o source) bool { return o.at == in.at }) {
				return
			}
			w.injected = append(w.injected, in)
			w.fails[in.at] = w.howOften()
		}
		w.command(parking.Inject, in.at, in.key)
	case 6:
		w.append(parking.Entry{}, false) // something foreign
	}
}

// anyNewest picks a record that waits.
func (w *world) anyNewest(want func(written) bool) (at parking.Ticket, rec written, ok bool) {
	var all []parking.Ticket
	for at, rec := range w.newest {
		if want(rec) {
			all = append(all, at)
		}
	}
	if len(all) == 0 {
		return at, rec, false
	}
	slices.SortFunc(all, compare)
	at = all[w.IntN(len(all))]
	return at, w.newest[at], true
}

func compare(a, b parking.Ticket) int { return cmp.Or(cmp.Compare(a.Life, b.Life), a.Compare(b)) }

// releaseAll has the operator let everything go.
func (w *world) releaseAll() {
	for i := range w.keys {
		w.command(parking.Release, parking.Ticket{}, []byte{byte('a' + i)})
	}
	w.command(parking.Release, parking.Ticket{}, []byte{})
	for _, at := range slices.SortedFunc(maps.Keys(w.newest), compare) {
		w.fails[at] = 0
		w.release(w.roundOf(at), w.newest[at].Key)
	}
}

// crash ends the owner, or leaves it to find out that it is none any more.
func (w *world) crash() {
	w.crashes++
	old := w.owner
	w.tell("crash of %d", old.fence)
	if w.Float64() < w.takeover && len(w.zombies) < 2 {
		w.zombies = append(w.zombies, old)
	} else {
		w.bury(old)
		if w.IntN(20) == 0 && len(w.zombies) == 0 {
			w.truncate()
		}
	}
	w.owner = w.newOwner()
}

// bury ends an owner; what it has sent may land yet.
func (w *world) bury(o *owner) {
	var late []*sent
	for _, s := range o.sent {
		if !s.landed {
			late = append(late, s)
		}
	}
	if len(late) > 0 && w.IntN(2) == 0 {
		w.late = append(w.late, late)
	}
}

// truncate has an unclean election cut the source.
func (w *world) truncate() {
	w.late = nil
	if w.IntN(2) == 0 {
		w.recreate()
		return
	}
	cut := int64(w.IntN(w.records))
	w.tell("cut at %d", cut)
	if cut < w.committed.source {
		return // going back behind the frontier is the consumer's matter
	}
	epoch := w.src[len(w.src)-1].at.Epoch + 1
	for _, rec := range w.src[cut:] {
		w.cut[rec.at] = true
	}
	w.src = w.src[:cut]
	w.write(epoch)
	maps.DeleteFunc(w.committed.ahead, func(o int64, _ bool) bool { return o >= cut })
}

// recreate has the topic deleted and made anew. What waits of it goes on, what
// was only there is gone.
func (w *world) recreate() {
	w.tell("a new topic")
	for _, rec := range w.src {
		w.cut[rec.at] = true
	}
	w.life += "'"
	w.src = nil
	w.write(0)
	w.committed.source, w.committed.ahead = 0, nil
}

// turn does one step and reports whether there was one.
func (w *world) turn() bool {
	if !w.calm {
		if w.crashes < maxCrashes && w.Float64() < w.setting.crash {
			w.crash()
			return true
		}
		if w.Float64() < w.operator {
			w.operate()
		}
	}
	if len(w.late) > 0 && w.IntN(4) == 0 {
		w.landLate()
		return true
	}
	for i, z := range w.zombies {
		if w.IntN(3) == 0 {
			if !z.turn() || w.IntN(60) == 0 || z.lot != nil && z.lot.Superseded() && w.IntN(2) == 0 {
				w.bury(z)
				w.zombies = slices.Delete(w.zombies, i, i+1)
			}
			return true
		}
	}
	return w.owner.turn()
}

func (w *world) landLate() {
	i := w.IntN(len(w.late))
	s := w.late[i][0]
	w.append(s.append.Entry, s.skip)
	w.late[i] = w.late[i][1:]
	if len(w.late[i]) == 0 || w.IntN(4) == 0 {
		w.late = slices.Delete(w.late, i, i+1)
	}
}

// run works everything off and returns what was wrong.
func (w *world) run() []string {
	for idle, turns := 0, 0; idle < 40 && len(w.faults) == 0; turns++ {
		w.calm = w.calm || turns > maxTurns
		w.now += int64(w.IntN(2))
		if w.turn() {
			if w.appends > 200*w.records {
				return append(w.faults, "no end of appends")
			}
			continue
		}
		w.now += 5
		switch {
		case !w.calm:
			w.calm = true
		case len(w.zombies) > 0 || len(w.late) > 0:
		case w.owner.idle():
			return append(w.faults, w.verdict()...)
		default:
			idle++
			if idle%5 == 0 {
				w.obeyed(int64(len(w.log)))
				w.releaseAll()
			}
		}
	}
	if len(w.faults) == 0 {
		w.fault("stuck: %+v, %d copies wait", w.owner.lot.Stats(), len(w.newest))
	}
	return w.faults
}
