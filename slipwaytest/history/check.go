package history

import (
	"fmt"
	"math"
	"time"
)

// maxIndefinite is the share of sends without an outcome above which a history
// proves nothing.
const maxIndefinite = 0.05

// Check judges a history. The events may come in any order, so histories of
// several processes are simply concatenated.
func Check(events []Event) Verdict {
	c := &checker{topicOf: map[string]*topic{}, groupOf: map[groupKey]*group{}, found: map[Kind]*Finding{}}
	c.indexSends(events)
	c.indexRest(events)
	for _, t := range c.topics {
		c.checkTopic(t)
	}
	for _, g := range c.groups {
		c.checkGroup(g)
	}
	c.checkEnd()
	return c.verdict()
}

// never is the time of what did not happen.
const never = math.MaxInt64

// A checker holds a history by topic and by group of a topic. Slices beside
// the maps keep the order of first appearance, so that the same history gives
// the same bytes.
type checker struct {
	topics  []*topic
	topicOf map[string]*topic
	groups  []*group
	groupOf map[groupKey]*group
	faults  map[string]int
	counts  Counts
	found   map[Kind]*Finding
	unknown []string
}

type groupKey struct{ topic, group string }

// A topic is what is known of one topic's records.
type topic struct {
	name    string
	records []record
	index   map[string]int32 // by id
	keys    map[string]int32
	spots   []spot
	read    bool // somebody read it
	final   *Final
	drained bool // a group's Final names it
}

// A record is one id of a topic.
type record struct {
	id      string
	key     string
	keyN    int32
	seq     int64
	outcome Outcome
	sent    bool // a Send names it
	seen    bool // a Read or an Effect names it
	read    bool // a Read names it
	placed  bool // met already while walking the log
}

// A spot is one place at which a record was met.
type spot struct {
	Place
	rec int32
}

func (c *checker) topic(name string) *topic {
	t := c.topicOf[name]
	if t == nil {
		t = &topic{name: name, index: map[string]int32{}, keys: map[string]int32{}}
		c.topicOf[name] = t
		c.topics = append(c.topics, t)
	}
	return t
}

func (t *topic) record(id string) int32 {
	n, ok := t.index[id]
	if !ok {
		n = int32(len(t.records))
		t.index[id] = n
		t.records = append(t.records, record{id: id, keyN: -1})
	}
	return n
}

// exists reports whether the record must be there for everybody: it was
// acknowledged, or its outcome is open and somebody saw it.
func (r *record) exists() bool {
	return r.sent && (r.outcome == OK || r.outcome == Indefinite && r.seen)
}

func (c *checker) indexSends(events []Event) {
	for _, e := range events {
		if s, ok := e.(Send); ok {
			c.send(s)
		}
	}
	for _, t := range c.topics {
		for i := range t.records {
			c.counts.Sends++
			switch t.records[i].outcome {
			case OK:
				c.counts.Acked++
			case Failed:
				c.counts.Failed++
			default:
				c.counts.Indefinite++
			}
		}
	}
}

func (c *checker) send(s Send) {
	t := c.topic(s.Topic)
	n := t.record(s.ID)
	r := &t.records[n]
	if !r.sent {
		r.sent, r.key, r.seq = true, s.Key, s.Seq
		r.keyN = t.keyNumber(s.Key)
	}
	if r.outcome != OK && s.Outcome != Indefinite {
		r.outcome = s.Outcome
	}
	if s.Place != nil {
		t.spots = append(t.spots, spot{*s.Place, n})
	}
}

func (t *topic) keyNumber(key string) int32 {
	n, ok := t.keys[key]
	if !ok {
		n = int32(len(t.keys))
		t.keys[key] = n
	}
	return n
}

func (c *checker) indexRest(events []Event) {
	for _, e := range events {
		switch e := e.(type) {
		case Read:
			c.read(e)
		case Effect:
			c.effect(e)
		case Commit:
			c.counts.Commits++
			g := c.group(e.Topic, e.Group)
			g.commits = append(g.commits, e)
		case Assign:
			c.counts.Assigns++
			c.group(e.Topic, e.Group).own(e.Worker, e.Partition, tenure{at: e.At.UnixNano()})
		case Revoke:
			c.counts.Revokes++
			c.group(e.Topic, e.Group).own(e.Worker, e.Partition, tenure{at: e.At.UnixNano(), over: true})
		case Fault:
			if c.faults == nil {
				c.faults = map[string]int{}
			}
			c.faults[e.Name]++
		case Final:
			c.final(e)
		}
	}
}

func (c *checker) read(e Read) {
	c.counts.Reads++
	t := c.topic(e.Topic)
	t.read = true
	n := t.record(e.ID)
	r := &t.records[n]
	if r.sent && e.Key != r.key {
		c.add(Misrouted, "%v read by %q under key %q", ref{t, n}, e.Reader, e.Key)
	}
	r.seen, r.read = true, true
	t.spots = append(t.spots, spot{e.Place, n})
}

func (c *checker) effect(e Effect) {
	c.counts.Effects++
	g := c.group(e.Topic, e.Group)
	n := g.topic.record(e.ID)
	g.topic.records[n].seen = true
	if e.Place != nil {
		g.topic.spots = append(g.topic.spots, spot{*e.Place, n})
	}
	g.attempts = append(g.attempts, newAttempt(n, e))
}

func (c *checker) final(e Final) {
	t := c.topic(e.Topic)
	if e.Group == "" {
		t.final = &e
		return
	}
	t.drained = true
	c.group(e.Topic, e.Group).final = &e
}

// checkEnd asks whether the history is complete enough for a clean bill.
func (c *checker) checkEnd() {
	n := c.counts
	if n.Sends == 0 {
		c.doubt("nothing was sent")
	}
	if share := float64(n.Indefinite) / float64(max(n.Sends, 1)); share > maxIndefinite {
		c.doubt("%d of %d sends (%.1f %%) have no outcome, more than %.0f %%",
			n.Indefinite, n.Sends, 100*share, 100*maxIndefinite)
	}
	for _, t := range c.topics {
		switch {
		case t.final == nil && t.read:
			c.doubt("topic %q was read, but nobody says to its end", t.name)
		case t.final == nil && !t.drained:
			c.doubt("nobody says that topic %q was drained", t.name)
		}
	}
}

func (c *checker) doubt(format string, args ...any) {
	c.unknown = append(c.unknown, fmt.Sprintf(format, args...))
}

// add notes one more case of a kind. The text is only made for a witness.
func (c *checker) add(kind Kind, format string, args ...any) {
	f := c.found[kind]
	if f == nil {
		f = &Finding{Kind: kind}
		c.found[kind] = f
	}
	f.Count++
	if f.Count <= MaxWitnesses {
		f.Witnesses = append(f.Witnesses, fmt.Sprintf(format, args...))
	}
}

func (c *checker) verdict() Verdict {
	v := Verdict{Result: Pass, Findings: []Finding{}, Unknowns: []string{}, Counts: c.counts}
	v.Counts.Faults = c.faults
	if len(c.unknown) > 0 {
		v.Result, v.Unknowns = Unknown, c.unknown
	}
	for _, kind := range Kinds() {
		if f := c.found[kind]; f != nil {
			v.Result, v.Findings = Fail, append(v.Findings, *f)
		}
	}
	return v
}

// A ref names a record in a witness.
type ref struct {
	topic *topic
	rec   int32
}

func (r ref) String() string {
	rec := &r.topic.records[r.rec]
	if !rec.sent || rec.seq == 0 {
		return fmt.Sprintf("%s %q", r.topic.name, rec.id)
	}
	return fmt.Sprintf("%s %q (key %q, number %d)", r.topic.name, rec.id, rec.key, rec.seq)
}

// A stamp is a time in a witness.
type stamp int64

func (s stamp) String() string { return time.Unix(0, int64(s)).UTC().Format("15:04:05.000000000") }
