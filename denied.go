package slipway

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

// ErrNotAuthorized reports that the cluster refused the service something that
// its contract gives it the right to. Which right it is, and what to do, says
// the [NotAuthorizedError] in the same chain.
var ErrNotAuthorized = errors.New("not authorized")

// A NotAuthorizedError is a right that the service's principal lacks on the
// cluster. It never means that a record was lost: what needs the right waits,
// is not tried more often than now and then, and goes on by itself within
// seconds of the grant. A handler that returns it (from a [Producer], say) has
// not failed: its record waits without an attempt being counted.
type NotAuthorizedError struct {
	Principal    string // as the contract derives it: User:svc-orders-prod
	Operation    string // READ or WRITE
	ResourceType string // TOPIC, GROUP or TRANSACTIONAL_ID
	Resource     string // its name on the cluster
	Entry        string // what of the contract implies the right: consumes/orders.created.v1
	Fix          string // what grants it
	Err          error  // what the cluster answered

	at diag.Position
}

// Error names who may not do what, and what the cluster said, which may be of
// another resource: a producer that may write no topic at all is told of the
// cluster.
func (e *NotAuthorizedError) Error() string {
	return fmt.Sprintf("%s may not %s %s %s (%s): %v",
		e.Principal, e.Operation, e.ResourceType, e.Resource, cmp.Or(e.Entry, "not in the contract"), e.Err)
}

// Is makes the error an [ErrNotAuthorized], and what other denials are.
func (e *NotAuthorizedError) Is(target error) bool {
	return target == ErrNotAuthorized || target == error(diag.KafkaDenied)
}

// Unwrap returns the cluster's answer and the diagnostic.
func (e *NotAuthorizedError) Unwrap() []error { return []error{e.Err, e.Diagnostic()} }

// Diagnostic is the error as slipway's commands show it.
func (e *NotAuthorizedError) Diagnostic() diag.Diagnostic {
	return diag.New(diag.RuntimeNotAuthorized, "%s may not %s %s %s", e.Principal, e.Operation, e.ResourceType, e.Resource).
		At(e.at).WithEvidence("%v", e.Err).WithFix("%s", e.Fix)
}

// A right is one that a service needs: an operation on a resource.
type right struct{ operation, kind, name string }

const (
	ofTopic        = "TOPIC"
	ofGroup        = "GROUP"
	ofTransactions = "TRANSACTIONAL_ID"
)

func toRead(topic string) right  { return right{"READ", ofTopic, topic} }
func toWrite(topic string) right { return right{"WRITE", ofTopic, topic} }
func toJoin(group string) right  { return right{"READ", ofGroup, group} }
func toTransact(id string) right { return right{"WRITE", ofTransactions, id} }

// refusedKinds are refusals, by the kind of resource that they are about. A cluster
// that refuses a producer its id means that it may write no topic: nobody asks
// for more there.
var refusedKinds = map[*kerr.Error]string{
	kerr.TopicAuthorizationFailed:           ofTopic,
	kerr.ClusterAuthorizationFailed:         ofTopic,
	kerr.GroupAuthorizationFailed:           ofGroup,
	kerr.TransactionalIDAuthorizationFailed: ofTransactions,
}

// refusedKind is the kind of resource of which err says that a right to it
// lacks; "" for any other error.
func refusedKind(err error) string {
	answer, ok := errors.AsType[*kerr.Error](err)
	if !ok {
		return ""
	}
	return refusedKinds[answer]
}

// refused returns what err means if the cluster refuses a right: the first of
// those that it may be about and whose kind it names. It notes the refusal. It
// is nil for any other error.
func (l *link) refused(err error, about ...right) *NotAuthorizedError {
	if known, ok := errors.AsType[*NotAuthorizedError](err); ok {
		return known // noted when it was made
	}
	kind := refusedKind(err)
	i := slices.IndexFunc(about, func(r right) bool { return r.kind == kind })
	if i < 0 {
		return nil
	}
	answer, _ := errors.AsType[*kerr.Error](err)
	return l.denials.note(l, about[i], answer)
}

// named is err, as a [NotAuthorizedError] if it is the refusal of a right.
func (l *link) named(err error, about ...right) error {
	if refused := l.refused(err, about...); refused != nil {
		return refused
	}
	return err
}

// lacking makes the error of a right.
func (l *link) lacking(r right, answer error) *NotAuthorizedError {
	entry := l.entryOf(r)
	e := &NotAuthorizedError{
		Principal: l.contract.Principal(), Operation: r.operation, ResourceType: r.kind, Resource: r.name, Entry: entry, Err: answer,
	}
	env := l.env.Name
	if entry == "" {
		e.Fix = fmt.Sprintf("have the contract of %s say that it uses %s, and run slipway apply -e %s", l.contract.Name, r.name, env)
		return e
	}
	e.at = l.contract.Position(entry)
	e.Fix = fmt.Sprintf("run slipway apply -e %s: %s of the contract gives %s this right, and the cluster does not have it", env, entry, e.Principal)
	return e
}

// entryOf is the entry of the contract that implies a right, "" for none.
func (l *link) entryOf(r right) string {
	for _, name := range l.consumes() {
		if slices.Contains(l.needs(l.contract.Consumes[name]), r) {
			return "consumes/" + name
		}
	}
	if topic := l.probeTopic(); topic != "" && l.has("") && r == toWrite(topic) {
		return "workload/probe"
	}
	for _, name := range l.produces() {
		transacts := r.kind == ofTransactions && l.contract.Produces[name].Via == contract.Transaction
		if transacts || r == toWrite(l.physical(name)) {
			return "produces/" + name
		}
	}
	return ""
}

// needs are the rights without which an entry of the contract is not consumed.
// To trim the retry topic is not among them.
func (l *link) needs(c *contract.Consume) []right {
	rights := []right{toRead(l.physical(c.Topic))}
	if c.Grouped() {
		rights = append(rights, toJoin(l.contract.GroupID(c)))
	}
	if c.Retries() {
		retry := l.contract.RetryTopic(c)
		rights = append(rights, toRead(retry), toWrite(retry))
	}
	if c.DeadLetters() {
		rights = append(rights, toWrite(l.contract.DeadLetterTopic(c)))
	}
	return rights
}
