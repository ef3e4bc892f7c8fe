package acl

import (
	"slices"
	"strings"

	"github.com/slipway-go/slipway/contract"
)

// topic advises on a topic that a service was refused: to read, to write, to
// delete records of, or to see at all.
func (a *adviser) topic(svc *contract.Service, d Denial) Advice {
	t, known := a.topics[d.Name]
	switch {
	case strings.HasPrefix(d.Name, "__"):
		return keep("it is a topic of Kafka's own")
	case !known:
		return keep("no contract of environment %s has this topic: declare it under topics of its owner, or in external.yaml, before anyone may use it", a.estate.Env)
	case t.derived != "":
		return derivedTopic(svc, t, d)
	case d.Operation == Delete:
		return keep("services delete no records: the topic's retention does").about(svc, "consumes")
	}
	read, write := t.forReading(svc), t.forWriting(svc)
	switch {
	case d.Operation == Read:
		return read
	case d.Operation == Write:
		return write
	case read.Verdict == Declare && write.Verdict == Declare: // DESCRIBE: a client looked for it
		return declare(svc, "consumes", "add %s to consumes of %s, or to produces if it writes it", t.name, svc.Name)
	case write.Verdict == Declare:
		return write
	default:
		return read
	}
}

func derivedTopic(svc *contract.Service, t knownTopic, d Denial) Advice {
	retry := t.derived == "retry topic"
	switch {
	case t.owner != svc:
		return keep("it is the %s of %s for %s, which is nobody else's", t.derived, t.owner.Name, t.name).about(t.owner, "consumes")
	case retry:
		return Advice{Verdict: Declare, Service: svc.Name, Position: t.position,
			Text: "the contract has no waits for " + t.name + ", and so no retry topic: give its entry in consumes retry: {delays: …}, or roll out the service with the contract as it is"}
	case d.Operation == Write || d.Operation == Describe:
		return Advice{Verdict: Declare, Service: svc.Name, Position: t.position,
			Text: "the contract has no dead letters for " + t.name + ": give its entry in consumes retry: {then: dead-letter}, or roll out the service with the contract as it is"}
	default:
		return keep("a service only writes its dead letters: slipway dlq works on them as %s", svc.RedrivePrincipal()).about(svc, "consumes")
	}
}

func (t knownTopic) forReading(svc *contract.Service) Advice {
	if t.readers != nil && !slices.Contains(t.readers, svc.Name) && t.owner != svc {
		return t.closed("readers of %s are %s: if %s shall be one, add it there, and %s to consumes of %s", t.name, join(t.readers), svc.Name, t.name, svc.Name)
	}
	return declare(svc, "consumes", "add %s to consumes of %s", t.name, svc.Name)
}

func (t knownTopic) forWriting(svc *contract.Service) Advice {
	if (t.owner != nil || t.writers != nil) && !slices.Contains(t.writers, svc.Name) {
		return t.closed("writers of %s are %s: if %s shall be one, add it there, and %s to produces of %s", t.name, join(t.writers), svc.Name, t.name, svc.Name)
	}
	return declare(svc, "produces", "add %s to produces of %s", t.name, svc.Name)
}

// closed is advice on a topic whose owner has named who may use it.
func (t knownTopic) closed(format string, args ...any) Advice {
	advice := keep(format, args...)
	advice.Position = t.position
	if t.owner != nil {
		advice.Service = t.owner.Name
	}
	return advice
}

// group advises on a consumer group that a service may not be in.
func (a *adviser) group(svc *contract.Service, d Denial) Advice {
	base := svc.GroupID(&contract.Consume{})
	suffix, suffixed := strings.CutPrefix(d.Name, base+".")
	owner := a.groups[d.Name]
	switch {
	case owner != nil && owner != svc:
		return keep("it is the group of %s: a second service in it would take records away from the first", owner.Name).about(owner, "consumes")
	case d.Name == svc.RedriveUser():
		return keep("it is the group of whoever redrives, %s", svc.RedrivePrincipal()).about(svc, "consumes")
	case d.Name == base:
		return declare(svc, "consumes", "the contract reads nothing in a group: add the topic to consumes of %s", svc.Name)
	case suffixed:
		return declare(svc, "consumes", "give the entry in consumes of %s that reads in it group: %s", svc.Name, suffix)
	case strings.HasPrefix(d.Name, "slipway-apply-"):
		return keep("it is the lock of whoever applies contracts")
	case a.estate.External != nil && slices.Contains(a.estate.External.Groups, d.Name):
		return keep("external.yaml says that the group is of others")
	case svc.Adopt != nil && svc.Adopt.Group != "":
		return keep("the service's group is %s (adopt.group): its client should use that one", base).about(svc, "adopt/group")
	default:
		return declare(svc, "adopt", "the service's group is %s, which its client should use; to keep this one instead, write adopt: {group: …} with its name in %s", base, svc.Name)
	}
}

// transactional advises on a transactional id that a service may not use.
func (a *adviser) transactional(svc *contract.Service, d Denial) Advice {
	prefix := svc.TransactionalPrefix()
	for _, other := range a.estate.Services {
		if other != svc && strings.HasPrefix(d.Name, other.TransactionalPrefix()) {
			return keep("the id is one of %s: whoever uses it ends the transactions of that service", other.Name).about(other, "produces")
		}
	}
	switch {
	case strings.HasPrefix(d.Name, prefix):
		return declare(svc, "produces", "write via: transaction at what it sends in transactions, in produces of %s", svc.Name)
	case svc.Adopt != nil && svc.Adopt.TransactionalPrefix != "":
		return keep("the service's transactional ids begin with %s (adopt.transactionalPrefix): its client should use such a one", prefix).about(svc, "adopt/transactionalPrefix")
	default:
		return declare(svc, "adopt", "the service's transactional ids begin with %s, as its client's should; to keep others, write adopt: {transactionalPrefix: …} in %s", prefix, svc.Name)
	}
}
