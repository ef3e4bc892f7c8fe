package plan_test

import (
	"strings"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/contract"
)

// An access is one operation on one resource.
type access struct {
	kind acl.ResourceType
	name string
	op   acl.Operation
}

func (a access) String() string { return string(a.op) + " " + string(a.kind) + " " + a.name }

// An oracle says who may do what by the words of the design and nothing of the
// code that derives rights: names are put together here, and every right is
// stated a second time.
type oracle struct {
	may    map[string]map[access]bool // by user
	auth   map[string]contract.Auth   // by user
	topics []string                   // that rights are on, in any order
	groups []string
	txns   []string // one for each service
}

func consult(r *contract.Resolved) *oracle {
	o := &oracle{may: map[string]map[access]bool{}, auth: map[string]contract.Auth{}}
	for _, svc := range r.Services {
		o.service(svc)
	}
	return o
}

func (o *oracle) allow(user string, kind acl.ResourceType, name string, ops ...acl.Operation) {
	for _, op := range append(ops, acl.Describe) { // each of them implies it
		o.may[user][access{kind, name, op}] = true
	}
	switch kind {
	case acl.Topic:
		o.topics = append(o.topics, name)
		for _, op := range ops {
			if op == acl.Write {
				o.may[user][access{acl.Cluster, acl.ClusterName, acl.IdempotentWrite}] = true
			}
		}
	case acl.Group:
		o.groups = append(o.groups, name)
	}
}

func (o *oracle) service(svc *contract.Service) {
	me := "svc-" + svc.Name + "-dev"
	o.may[me], o.auth[me] = map[access]bool{}, svc.Auth
	o.txns = append(o.txns, me+".0")
	for topic := range svc.Topics { // to own one is no right on it
		o.topics = append(o.topics, topic)
	}
	exact := false
	for topic, p := range svc.Produces {
		o.allow(me, acl.Topic, topic, acl.Write)
		if p.Via == contract.Transaction {
			exact = true
			o.allow(me, acl.TransactionalID, me+".0", acl.Write)
		}
	}
	for _, c := range svc.Consumes {
		o.allow(me, acl.Topic, c.Topic, acl.Read)
		if c.As == contract.Table {
			continue
		}
		group := strings.TrimSuffix(me+"."+c.Group, ".")
		o.allow(me, acl.Group, group, acl.Read)
		derived := group + "." + c.Topic
		dead := c.Retry.Then != contract.Stop
		waits := c.As == contract.Stream && !exact && (dead || len(c.Retry.Delays) > 0 || c.Retry.Backoff != nil)
		if waits {
			o.allow(me, acl.Topic, derived+".retry", acl.Read, acl.Write, acl.Delete)
		}
		if dead {
			o.allow(me, acl.Topic, derived+".dlq", acl.Write)
			o.redrive(svc, derived, waits)
		}
	}
}

func (o *oracle) redrive(svc *contract.Service, derived string, waits bool) {
	who := "svc-" + svc.Name + "-dev-redrive"
	if o.may[who] == nil {
		o.may[who], o.auth[who] = map[access]bool{}, svc.Auth
	}
	o.allow(who, acl.Group, who, acl.Read)
	o.allow(who, acl.Topic, derived+".dlq", acl.Read, acl.Delete)
	if waits {
		o.allow(who, acl.Topic, derived+".retry", acl.Write)
	}
}
