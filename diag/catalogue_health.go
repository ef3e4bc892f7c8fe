package diag

// Codes of health: what keeps a running service from its work, beside what the
// parts concerned have codes of their own for.
const (
	HealthClusterAway  Code = "SLP-HLT-001"
	HealthNoLeader     Code = "SLP-HLT-002"
	HealthTooFewInSync Code = "SLP-HLT-003"
	HealthTopicGone    Code = "SLP-HLT-004"
	HealthNotJoined    Code = "SLP-HLT-005"
	HealthBreakerOpen  Code = "SLP-HLT-006"
	HealthNoDelivery   Code = "SLP-HLT-007"
	HealthCheckFailed  Code = "SLP-HLT-008"
	HealthProbeFailed  Code = "SLP-HLT-009"
	HealthNoFetch      Code = "SLP-HLT-010"
	HealthNoGRPC       Code = "SLP-HLT-011"
)

var healthEntries = []Entry{
	{HealthClusterAway, "The cluster does not answer",
		"No broker has answered the question for the metadata of the service's topics. The brokers are down, or the network between is. A service that was ready before stays ready and is degraded: no other instance could do better.",
		"Look at the brokers, and at the network from the service to them. The service goes on by itself; do not restart it."},
	{HealthNoLeader, "A partition has no leader",
		"All in-sync replicas of a partition are away, so that it can be neither read nor written.",
		"Bring the brokers back that have the partition's replicas: kafka-topics.sh --describe --unavailable-partitions lists them."},
	{HealthTooFewInSync, "A partition has too few in-sync replicas to be written",
		"Fewer replicas of a partition are in sync than a write needs to be acknowledged. min.insync.replicas is taken to be one below the number of replicas: a service may not ask for it.",
		"Bring the brokers back that have the partition's other replicas. What is sent waits, or takes the way that the contract's away names."},
	{HealthTopicGone, "A topic of the contract does not exist any more",
		"The topic was there when the service started and the cluster does not know it now: it was deleted.",
		"Run slipway apply, which creates it anew, and find out who deleted it: its records are gone."},
	{HealthNotJoined, "The service is not in its consumer group",
		"The group was not joined yet, or the membership was lost and not regained for a minute: other members hold up the rebalance, or the coordinator is away.",
		"Run slipway group show for the group's state and members. A member whose handlers do not return holds up all others."},
	{HealthBreakerOpen, "A breaker is open",
		"What the handler of an entry needs has failed as often as the contract's breaker allows. The entry rests, nothing is lost, and single records are tried until one succeeds.",
		"Look at what the handler calls: its errors are in the service's log."},
	{HealthNoDelivery, "The cluster acknowledges nothing of a topic",
		"Records that were sent wait for ten seconds or more for an acknowledgement, and the contract's away decides what becomes of the next ones.",
		"Look at the checks of the cluster and of the topic beside this one. If both are well, look at the service's log for what brokers answer."},
	{HealthCheckFailed, "A check of the service's own fails",
		"The service has added a check to its health, and it returns an error or does not return.",
		"The reason is the service's own: ask its owner, or look at where it calls Check."},
	{HealthProbeFailed, "The record of the writing probe was not acknowledged",
		"The contract says workload.probe: write, and the small record that the service writes to its own probe topic every ten seconds was not acknowledged within two.",
		"Look at the checks of the cluster and of the probe topic beside this one; slipway apply creates the topic and grants the right."},
	{HealthNoGRPC, "The code serves gRPC and the contract has no port for it",
		"rpc.Serve was called, and workload.grpc is absent, so that nobody would find the server.",
		"Write workload: {grpc: 9090} into slipway.yaml, or do not call rpc.Serve."},
	{HealthNoFetch, "Nothing was fetched for a while",
		"No broker has answered a fetch for half a minute, though partitions are assigned that are not paused.",
		"Look at the checks of the cluster and of the topics beside this one. If they are well, look at the service's log for what brokers answer."},
}
