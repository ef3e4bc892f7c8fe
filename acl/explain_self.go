package acl

import (
	"fmt"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/contract"
)

// A Proof is what a cluster tells a client of the client's own rights on one
// resource, without anybody's having to read ACLs. It holds whatever the rules
// are, super.users and allow.everyone.if.no.acl.found included.
type Proof struct {
	Operations []Operation // that it may do, sorted
	Told       []Operation // that the answer is about, sorted; of others it says nothing
}

// Outcome tells what the proof says of an operation. Who may not DESCRIBE
// cannot get at a resource at all: whatever needs it first is refused too, and
// only a DENY of DESCRIBE alone could have left the right itself.
func (p Proof) Outcome(op Operation) Outcome {
	told := func(op Operation) bool { return slices.Contains(p.Told, op) }
	may := func(op Operation) bool { return slices.Contains(p.Operations, op) }
	switch {
	case told(op) && may(op):
		return Allowed
	case told(op):
		return Refused
	case slices.Contains(implying[Describe], op) && told(Describe) && !may(Describe):
		return Refused
	}
	return Unknown
}

// ExplainSelf answers a request of a client about itself. The estate may be
// nil: a service can ask where there are no contracts.
func ExplainSelf(r *contract.Resolved, cluster string, q Request, p Proof) Explanation {
	e := Explanation{Request: q, Outcome: p.Outcome(q.Operation), Source: FromProof}
	e.Text = p.text(q, e.Outcome)
	if r != nil {
		contracts := newCalledFor(r, cluster)
		e.Calls = contracts.allowing(q)
		e.Advice = contracts.advice(e)
		e.Notes = contracts.renamed(q)
	}
	e.Notes = append(e.Notes, p.notes(q, e.Outcome)...)
	return e
}

func (p Proof) text(q Request, v Outcome) string {
	told := slices.Contains(p.Told, q.Operation)
	switch {
	case v == Unknown:
		return fmt.Sprintf("the cluster tells a client only of %s on a %s", list(p.Told), noun(q.ResourceType))
	case v == Refused && !told:
		return "the cluster refuses DESCRIBE, which " + string(q.Operation) + " would imply"
	}
	return fmt.Sprintf("the cluster says that this login may do: %s", list(p.Operations))
}

func (p Proof) notes(q Request, v Outcome) []string {
	var notes []string
	switch {
	case q.ResourceType == TransactionalID && q.Operation != Describe && v == Unknown:
		notes = append(notes, "DESCRIBE is allowed, which WRITE implies: so WRITE is likely, and not proven. To prove it a producer would have to begin, and would fence one that lives; that is never done here. Ask with an administrator's login and --as")
	case q.ResourceType == Topic && v == Refused && !slices.Contains(p.Operations, Describe):
		notes = append(notes, hiddenTopic(q, true))
	}
	if q.ResourceType == Topic && q.Operation == Write && v == Refused {
		notes = append(notes, "if it may write no other topic either, an idempotent producer gets CLUSTER_AUTHORIZATION_FAILED when it asks for its id, before it names a topic")
	}
	return notes
}

func list(ops []Operation) string {
	if len(ops) == 0 {
		return "nothing"
	}
	words := make([]string, len(ops))
	for i, op := range ops {
		words[i] = string(op)
	}
	return strings.Join(words, ", ")
}
