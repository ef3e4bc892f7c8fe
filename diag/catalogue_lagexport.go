package diag

// What exporting the lag of groups can stumble on.
const (
	LagDenied   Code = "SLP-LAG-001"
	LagUnseen   Code = "SLP-LAG-002"
	LagNoGroups Code = "SLP-LAG-003"
	LagListen   Code = "SLP-LAG-004"
)

var lagEntries = []Entry{
	{LagDenied, "the exporter may not see a group or a topic", "The login lacks DESCRIBE on it. Until it has the right, the exporter has no series for it.", "Grant DESCRIBE on every group that is exported and on every topic that it reads, retry topics included: docs/lag.md has the commands. Nothing more is needed."},
	{LagUnseen, "a group or a topic could not be looked at", "The broker that coordinates the group or leads a partition did not answer. What it would have told is not exported, rather than what was true before.", "Nothing, if a broker is restarting: the next look tries again. Else look after the broker that the evidence names."},
	{LagNoGroups, "there are no groups to export", "No contract reads from this cluster in a consumer group, and none was named.", "Name the directory of the estate, the environment with -e and the cluster with -c, or name groups with --group."},
	{LagListen, "metrics cannot be served at this address", "Another process listens there, or the address is none of this machine.", "Choose another with --listen, as in --listen 127.0.0.1:9310."},
}
