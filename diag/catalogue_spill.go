package diag

// Records on disk while the cluster is away: SLP-SPL.
const (
	SpillUnusable Code = "SLP-SPL-001"
	SpillInUse    Code = "SLP-SPL-002"
	SpillDamaged  Code = "SLP-SPL-003"
	SpillBegan    Code = "SLP-SPL-004"
	SpillFailed   Code = "SLP-SPL-005"
	SpillStuck    Code = "SLP-SPL-006"
)

var spillEntries = []Entry{
	{SpillUnusable, "the spill directory cannot be used", "SPILL_PATH, or a directory in it, is missing with its parent, is a link or no directory, belongs to another user, can be written by everybody, or the disk refuses. Records with everything in them would lie there.", "Point SPILL_PATH at a directory of the service's own on a disk that is mounted for writing. It is created with mode 0700 if only its last element is missing; of an existing one, take away the write permission for others (chmod o-w)."},
	{SpillInUse, "another process uses the spill directory", "Records of one directory are given back by one process, or they would be written twice and out of order. Another process holds its lock: an instance of the same service, or one that has not ended yet.", "Give every instance a directory of its own, or wait until the other process has ended: its lock ends with it, however it ends."},
	{SpillDamaged, "records on disk are not what was written", "A file in the spill directory is cut short or has changed bytes. What lies before the damage is given back, what lies behind it in that file is not, and is kept in a file that ends in .bad. A file cut short after a crash is usual: the last append was under way, and nobody was told that it had succeeded. Anything else is the disk's doing, or somebody's.", "Nothing, if the message says cut short and the process had crashed. Otherwise look after the disk, and compare the .bad file with what the senders know; delete it when that is done."},
	{SpillBegan, "records go to disk", "The topic's buffer is full, or the cluster acknowledges nothing, and the contract says away: spill. From now on every record of the topic goes through the spill directory, until all that is in it has been written to the cluster.", "Look at the brokers. Watch kafka.producer.spill.bytes and its age against the contract's spill: when one of them is reached, sends fail."},
	{SpillFailed, "the disk refused", "A record could not be put on disk, or marked there as written. The sender was told so; a mark that is missing means that its record is written again after a restart, with the same id.", "See the error: a disk that is full or read-only, too many open files, a device that fails. It is tried anew with the next record, in a new file."},
	{SpillStuck, "records on disk cannot be written", "The cluster answers, and refuses what is to be written to it, or the files on disk cannot be read. The records stay on disk, in their order, and are tried again.", "See the error: a right that is missing (run slipway plan), a topic that is gone or takes smaller messages than before, a disk that fails."},
}
