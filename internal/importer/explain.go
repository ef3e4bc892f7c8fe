package importer

import (
	"fmt"
	"strings"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/plan"
)

// An explainer says why things could not be expressed.
type explainer struct {
	*builder
	estate  *estate
	by      map[string]*service // principal → its contract
	grouped map[string]bool     // principals that read in some group
	called  map[acl.Binding]bool
}

// right says why no contract calls for a right, and what to do about it.
func (x explainer) right(bound acl.Binding) Item {
	item := Item{Code: diag.ImportRight, Principal: bound.Principal, What: bound.String()}
	for _, judge := range []func(acl.Binding) (diag.Code, string, string){x.whose, x.form, x.kind, x.topic, x.group, x.transaction} {
		if code, why, do := judge(bound); why != "" {
			item.Code, item.Why, item.Do = code, why, do
			return item
		}
	}
	item.Why = fmt.Sprintf("no contract calls for %s on a %s", bound.Operation, bound.ResourceType)
	item.Do = "leave it to those who administer the cluster, or remove it"
	return item
}

func (x explainer) whose(bound acl.Binding) (diag.Code, string, string) {
	user, isUser := strings.CutPrefix(bound.Principal, "User:")
	switch {
	case user == anyName:
		return diag.ImportPrincipal, "it is everybody's, and a contract is one service's", "find out who relies on it, write that into their contracts, apply, and remove it"
	case isUser && user == anonymous:
		return diag.ImportPrincipal, "it is whoever does not log in", "let its clients log in as users of their own, and remove it"
	case !isUser || !adoptable(user):
		return diag.ImportPrincipal, "a contract cannot adopt a principal of this form", "let the service log in by a name without spaces, colons and * (see ssl.principal.mapping.rules for certificates)"
	case x.redriver(user) && x.estate.redriven(user):
		return diag.ImportRight, "it goes beyond what working on dead letters takes", "remove it"
	case x.redriver(user):
		return diag.ImportPrincipal, "Slipway calls those so who work on a service's dead letters, and no contract of the import has any", "remove it if the service is gone"
	}
	return "", "", ""
}

// redriven reports whether a redrive user is that of a service with dead
// letters.
func (e *estate) redriven(user string) bool {
	for _, s := range e.services {
		for _, r := range s.readings {
			if r.letters && user == s.identity+"-redrive" {
				return true
			}
		}
	}
	return false
}

func (x explainer) form(bound acl.Binding) (diag.Code, string, string) {
	switch {
	case bound.Permission == acl.Deny:
		return diag.ImportRight, "contracts only allow: what they do not call for is refused anyway", "remove it together with the wide right that it narrows"
	case bound.Host != acl.AnyHost:
		return diag.ImportRight, "it holds for one host only, and the rights of a contract hold wherever the service runs", "grant it for every host, keep hosts apart by network policy, and import again"
	case wide(bound) && x.opt.Expand:
		return diag.ImportWide, "it covers more than one name or operation; what is used was guessed from what there is", "apply the contracts, watch the service for a while, and remove it"
	case wide(bound):
		return diag.ImportWide, "it covers more than one name or operation, and a contract names what is used", "write what is used into the contract by hand, or import again with --expand-prefixes, which guesses"
	case bound.ResourceType == acl.Topic && strings.Contains(bound.Name, anyName):
		return diag.ImportRight, "Kafka takes this name literally: it is no pattern, and no topic is called so", "remove it; a right by prefix has the pattern PREFIXED and the name without *"
	}
	return "", "", ""
}

func (x explainer) kind(bound acl.Binding) (diag.Code, string, string) {
	implied := func(op acl.Operation) bool {
		also := bound
		also.Operation = op
		return x.has[also]
	}
	switch {
	case bound.Operation == describe && (implied(acl.Read) || implied(acl.Write) || implied(acl.Delete)):
		return diag.ImportRight, "READ, WRITE and DELETE imply it", "nothing; it can be removed"
	case bound.Operation == idempotentWrite:
		return diag.ImportRight, "idempotent producing needs no right of its own since Kafka 2.8", "nothing; it can be removed"
	case bound.Operation == clusterAction:
		return diag.ImportRight, "it is what brokers do among themselves, and no service's", "remove it, unless this is a broker"
	}
	return "", "", ""
}

// topic explains READ and WRITE on one topic.
func (x explainer) topic(bound acl.Binding) (diag.Code, string, string) {
	if bound.ResourceType != acl.Topic || bound.Operation != acl.Read && bound.Operation != acl.Write {
		return "", "", ""
	}
	logical, prefixed := strings.CutPrefix(bound.Name, x.at.prefix)
	_, exists := x.in.Topics[bound.Name]
	s := x.by[bound.Principal]
	switch {
	case !prefixed:
		return diag.ImportTopic, fmt.Sprintf("the environment's topics begin with %s", x.at.prefix), "import it into the environment that it belongs to"
	case !topicName(logical):
		return diag.ImportTopic, "Kafka cannot have a topic of this name", "remove it"
	case x.in.live() && !exists:
		return diag.ImportTopic, "the topic does not exist", "remove it, or create the topic and import again"
	case x.collided[logical] != "":
		return diag.ImportTopic, fmt.Sprintf("metrics cannot tell it from %s: both are %s there", x.collided[logical], strings.ReplaceAll(logical, ".", "_")), "move one of them to another name"
	case s != nil && x.bare[s.name] != "" && x.derived(bound.Name):
		return diag.ImportTopic, x.bare[s.name], "write retry into the consume entry by hand, and see what a plan says"
	case bound.Operation == acl.Read && x.grouped[bound.Principal]:
		return diag.ImportGroup, "in which group it is read could not be expressed", "see what is said of the groups of this principal"
	}
	return "", "", ""
}

// group explains READ on one group.
func (x explainer) group(bound acl.Binding) (diag.Code, string, string) {
	if bound.ResourceType != acl.Group || bound.Operation != acl.Read {
		return "", "", ""
	}
	s, owner := x.by[bound.Principal], x.estate.joined[bound.Name]
	switch {
	case bound.Name == plan.LockGroup(x.opt.Env):
		return diag.ImportRight, "applies exclude each other by this group", "nothing: it is the right of whoever applies"
	case !holdable(bound.Name) || x.redriver(bound.Name):
		return diag.ImportGroup, "a contract cannot adopt a group of this name", "move the service to a group of another name: slipway group migrate"
	case owner != nil && owner.principal != bound.Principal:
		return diag.ImportGroup, fmt.Sprintf("%s may join it too, and a group is of one service; it reads more of what the group has committed, or comes first by name", owner.principal),
			"give each of them a group of its own: slipway group migrate copies the positions"
	case s == nil || len(s.readable) == 0:
		return diag.ImportGroup, "the principal may read no topic by name that a contract could have", "remove it if the group is not used, or grant READ on its topics by name"
	case owner == nil:
		return diag.ImportGroup, fmt.Sprintf("a contract has one name for its groups, here %s, and a point and a suffix for each further one", s.group),
			"move it to such a name: slipway group migrate copies the positions"
	}
	return diag.ImportGroup, "it has committed in no topic that the principal may read, and another group of the principal has", "remove it if the group is not used, or write it into the contract"
}

func (x explainer) transaction(bound acl.Binding) (diag.Code, string, string) {
	if bound.ResourceType != acl.TransactionalID {
		return "", "", ""
	}
	s := x.by[bound.Principal]
	switch {
	case bound.Pattern != acl.Prefixed:
		return diag.ImportTransactional, "contracts call for a prefix of transactional ids, because each instance has its own", "grant WRITE by prefix, and import again"
	case bound.Operation != acl.Write:
		return "", "", ""
	case s == nil || len(s.produces) == 0:
		return diag.ImportTransactional, "the principal produces nothing that could be expressed", "remove it, or grant WRITE on its topics by name"
	}
	return diag.ImportTransactional, "a contract has one prefix of transactional ids, and no two services may have overlapping ones", "let the service use one prefix of its own, such as " + s.identity + "."
}
