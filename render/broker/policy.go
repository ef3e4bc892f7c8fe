package broker

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

func (c *Cluster) rights() []Setting {
	return []Setting{
		{"authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer", "ACLs in KRaft's metadata. AclAuthorizer kept them in ZooKeeper and is gone; without an authorizer everybody may do everything."},
		{"allow.everyone.if.no.acl.found", "false", "What no ACL allows is denied. true would open each topic that nobody has written an ACL for yet."},
		{"super.users", strings.Join(c.SuperUsers, ";"), "No ACL holds these back, so there are no more than needed: the nodes, and who grants the first rights (slipway acl bootstrap)."},
	}
}

func (c *Cluster) topics(n Node) []Setting {
	d := c.Entry.Defaults
	replicas, minimum := strconv.Itoa(d.Replicas), strconv.Itoa(d.MinInsyncReplicas)
	settings := []Setting{
		{"num.partitions", strconv.Itoa(d.Partitions), "Of a topic that does not say; " + c.from("/defaults/partitions") + "."},
		{"default.replication.factor", replicas, "Of a topic that does not say; " + c.from("/defaults/replicas") + "."},
		{"min.insync.replicas", minimum, fmt.Sprintf("A record is acknowledged (acks=all) once %s of its %s replicas have it, so %d broker(s) may be away without anything being lost or refused; %s.", minimum, replicas, d.Replicas-d.MinInsyncReplicas, c.from("/defaults/min.insync.replicas"))},
		{"unclean.leader.election.enable", "false", "A replica that lacks acknowledged records never leads: better no answer for a while than records that are gone."},
	}
	if !n.Broker {
		return settings
	}
	settings = append(settings,
		Setting{"auto.create.topics.enable", "false", "Topics come from contracts; a misspelt name is an error, and not a new topic."},
		Setting{"offsets.topic.replication.factor", replicas, "What groups have committed is worth as much as the records."},
		Setting{"transaction.state.log.replication.factor", replicas, "Transactions survive the broker that coordinates them."},
		Setting{"transaction.state.log.min.isr", minimum, "As min.insync.replicas: the default of 2 would stop transactions where there is one replica, and says less than intended where there are five."},
		Setting{"share.coordinator.state.topic.replication.factor", replicas, "What share groups have acknowledged survives a broker."},
		Setting{"share.coordinator.state.topic.min.isr", minimum, "As min.insync.replicas."})
	return settings
}

// The bounds are for what a stranger can ask for before anybody knows who it is,
// and for what one client can take from all others. Rates of produced and fetched
// bytes are quotas, which contracts have and slipway apply sets.
const (
	handshakesASecond = 200
	requestBytes      = 64 << 20
	queuedBytes       = 256 << 20
)

func (c *Cluster) bounds(n Node) []Setting {
	settings := []Setting{
		{"connection.failed.authentication.delay.ms", "1000", "Who is refused waits a second for the answer, so passwords are guessed slowly."},
		{"socket.request.max.bytes", strconv.Itoa(max(requestBytes, 2*c.largest())), "The longest request that is read, at least twice the largest message of a topic; the default of 100 MiB lets a stranger's length field take as much."},
		{"queued.max.request.bytes", strconv.Itoa(max(queuedBytes, 4*c.largest())), "Requests that wait take no more memory than this; by default there is no bound."},
	}
	for _, l := range n.Listeners {
		if l.Name == controllerListener || l.Name == internalListener {
			continue
		}
		settings = append(settings, Setting{prefix(l) + "max.connection.creation.rate", strconv.Itoa(handshakesASecond),
			"Handshakes a second: a fleet that reconnects all at once is taken in turn, and does not starve the brokers' own traffic."})
	}
	if n.Broker {
		settings = append(settings, Setting{"replica.fetch.max.bytes", strconv.Itoa(max(1<<20, c.largest())), "No smaller than the largest message of a topic, or its replicas would fetch it alone each time."})
	}
	return settings
}

// largest is the size of the largest record that a contract allows.
func (c *Cluster) largest() int { return cmp.Or(c.message, 1<<20) }
