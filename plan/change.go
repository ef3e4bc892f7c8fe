package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/internal/kafka"
)

// An Action is what a change does.
type Action string

// The actions. Only what was named to be deleted is.
const (
	Create Action = "create"
	Update Action = "update"
	Delete Action = "delete"
)

// A Kind is what a change is about.
type Kind string

// The kinds, in the order they are applied.
const (
	KindTopic     Kind = "topic"
	KindUser      Kind = "user"
	KindQuota     Kind = "quota" // before the rights: who has these may run
	KindACL       Kind = "acl"
	KindGroup     Kind = "group"   // its settings on the brokers
	KindSubject   Kind = "subject" // its compatibility level
	KindSchema    Kind = "schema"  // a version of the subject
	KindConnector Kind = "connector"
)

// applyOrder is the order of what is created and changed. Deletions come after
// all of it, in the reverse order.
var applyOrder = []Kind{KindTopic, KindUser, KindQuota, KindACL, KindGroup, KindSubject, KindSchema, KindConnector}

// A Class says what a change means for what runs.
type Class string

// The classes, the harmless one first.
const (
	Safe        Class = "safe"        // nothing that runs can notice
	Disruptive  Class = "disruptive"  // running services can
	Destructive Class = "destructive" // records are deleted
	Impossible  Class = "impossible"  // Kafka cannot do it
)

// A Field is one property with its value before and after. Before is empty
// where something is created.
type Field struct {
	Name   string `json:"name"`
	Before string `json:"before,omitempty"`
	After  string `json:"after"`
}

// A Change is one difference between what contracts call for and what is. A
// creation has a field for each property; an update has exactly one, so that
// each has a class of its own.
type Change struct {
	Action  Action   `json:"action"`
	Kind    Kind     `json:"kind"`
	Name    string   `json:"name"`
	Role    Role     `json:"role,omitempty"` // of a topic: what it is for
	Class   Class    `json:"class"`
	Service string   `json:"service"`
	Fields  []Field  `json:"fields,omitempty"`
	Reasons []Reason `json:"reasons"`

	// Note is what to know before the change is made, or what to do in its
	// place if it cannot be made. Of safe changes only those have one that end
	// what may have done harm already.
	Note string `json:"note,omitempty"`

	// Allow is what --allow must name for the change to be made; empty if it
	// needs no leave, or can have none.
	Allow string `json:"allow,omitempty"`

	// Impact is what the change meets on the cluster at the moment, such as how
	// many bytes lie in a topic. It is different from look to look, and no part
	// of [Plan.Hash].
	Impact []string `json:"impact,omitempty"`

	item item
}

// item is what apply needs to make the change; the one for its kind is set.
type item struct {
	topic   Topic
	user    User
	binding acl.Binding
	quota   kafka.Quota
	group   kafka.GroupConfig
	subject Subject

	connector   Connector
	credentials []kafka.Credential // of a user that is deleted

	// after are topics without which this one must not grow.
	after []string
}

// String tells the change in one line, without its reasons.
func (c Change) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s", c.sign(), c.Kind, c.Name)
	if c.Action == Update {
		for _, f := range c.Fields {
			fmt.Fprintf(&b, " %s %s → %s", f.Name, cmp.Or(f.Before, "(none)"), f.After)
		}
	} else if c.Kind != KindACL {
		for i, f := range c.Fields {
			fmt.Fprintf(&b, "%s%s=%s", []string{" ", ", "}[min(i, 1)], f.Name, f.After)
		}
	}
	fmt.Fprintf(&b, " [%s]", c.Class)
	return b.String()
}

func (c Change) sign() string {
	switch {
	case c.Class == Impossible:
		return "!"
	case c.Action == Create:
		return "+"
	case c.Action == Delete:
		return "-"
	default:
		return "~"
	}
}

// compare is the order in which changes are shown and applied.
func (c Change) compare(o Change) int {
	return cmp.Or(
		cmp.Compare(c.turn(), o.turn()),
		cmp.Compare(c.rank(), o.rank()),
		cmp.Compare(c.Name, o.Name),
		cmp.Compare(c.Action, o.Action),
		slices.CompareFunc(c.Fields, o.Fields, func(a, b Field) int { return cmp.Compare(a.Name, b.Name) }),
	)
}

// turn is when the changes of a kind are made.
func (c Change) turn() int {
	at := slices.Index(applyOrder, c.Kind)
	if c.Action == Delete {
		return 2*len(applyOrder) - at
	}
	return at
}

// rank puts retry topics that grow before everything else, and so before their
// sources: a record of a new partition must find where to wait.
func (c Change) rank() int {
	if c.growsRetries() {
		return 0
	}
	return 1
}

func (c Change) grows() bool {
	return c.Kind == KindTopic && c.Action == Update && c.item.topic.Partitions > 0
}

func (c Change) reassigns() bool {
	return c.Kind == KindTopic && c.Action == Update && c.item.topic.Replicas > 0
}

func (c Change) growsRetries() bool { return c.grows() && c.Role == Retries }
