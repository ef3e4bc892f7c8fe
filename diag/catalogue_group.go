package diag

// What looking at consumer groups, and moving them, can stumble on.
const (
	GroupUnknown         Code = "SLP-GRP-001"
	GroupHasMembers      Code = "SLP-GRP-002"
	GroupStale           Code = "SLP-GRP-003"
	GroupForeign         Code = "SLP-GRP-004"
	GroupUnverified      Code = "SLP-GRP-005"
	GroupNoPartition     Code = "SLP-GRP-006"
	GroupTaken           Code = "SLP-GRP-007"
	GroupRetryWaiting    Code = "SLP-GRP-008"
	GroupSnapshotInvalid Code = "SLP-GRP-009"
	GroupCommitRefused   Code = "SLP-GRP-010"
	GroupShare           Code = "SLP-GRP-011"
	GroupNothing         Code = "SLP-GRP-012"
	GroupUntimed         Code = "SLP-GRP-013"
	GroupTarget          Code = "SLP-GRP-014"
)

var groupEntries = []Entry{
	{GroupUnknown, "there is no such group", "Nobody is a member of the group and it has no committed offsets: its name is misspelt, it never ran, or its offsets expired (7 days after the last member left, by default).", "Correct the name; slipway group lag without a name shows the groups of all contracts."},
	{GroupHasMembers, "the group has members", "A member commits its own position over whatever it is moved to, so only a group that is at rest can be moved.", "Stop the service (all instances), wait until its session has ended, and run the command again."},
	{GroupStale, "the group has moved meanwhile", "Between the preview and the change something committed offsets of the group.", "Run the command again and read the new preview."},
	{GroupForeign, "the snapshot is of other topics", "The snapshot was taken on another cluster, or a topic was deleted and made anew since: its offsets mean other records there.", "Restore by the times of the records with --by-time, which repeats rather than skips, or restore on the cluster it was taken on."},
	{GroupUnverified, "the group is not where it was moved to", "The offsets were accepted, and reading them back shows others: another process commits for the group.", "Find out who commits for this group, stop it, and run the command again."},
	{GroupNoPartition, "a topic or a partition does not exist", "The topic is not on the cluster, or has fewer partitions than were named.", "Correct the name; kafka-topics.sh --list and slipway plan show what there is."},
	{GroupTaken, "the group has positions already", "The group that positions are to be copied to has some of its own, which would be lost.", "Choose a name that is free, or pass --replace if its positions are not needed."},
	{GroupRetryWaiting, "records still wait in a retry topic", "The retry topic is worked off by this group under this name only. What waits there would be left behind.", "Let the service run until nothing waits (slipway group drain shows how far it is), release or skip what is parked, then run the command again."},
	{GroupSnapshotInvalid, "the file is no snapshot of a group", "It was not written by slipway group snapshot, was cut short, or comes from a newer version.", "Name a file that slipway group snapshot, or a change of a group, has written."},
	{GroupCommitRefused, "the cluster did not move some partitions", "Kafka answers partition by partition. Those not listed were moved.", "Repair the cause that is told beside each, for example a missing right to READ the topic, and run the command again."},
	{GroupShare, "a share group cannot do that", "A share group keeps a start offset and the state of records in flight, and no metadata: there is no position that could be carried over to or from another kind of group.", "Use seek, snapshot or restore on the share group itself."},
	{GroupNothing, "there is nothing to move", "The group has no committed offsets in what was named.", "Name topics with --topic to give the group its first positions."},
	{GroupUntimed, "the times of some records are not known", "The record at a position could not be read: the right to READ the topic is missing, or the time was over.", "Give the administrator READ on the topic; without it the lag is told in records only, and a snapshot can be restored by offsets only."},
	{GroupTarget, "the place to go to is not understood", "A place is earliest, latest, an offset, a number of records or a time forth or back, or a date.", "Write it like earliest, latest, 1200, +100, -100, -2h, 2026-05-01 or 2026-05-01T12:00:00Z."},
}
