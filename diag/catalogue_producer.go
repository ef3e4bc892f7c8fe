package diag

// Producing: SLP-PRD.
const (
	ProducerTimeout   Code = "SLP-PRD-001"
	ProducerBuffer    Code = "SLP-PRD-002"
	ProducerKeyless   Code = "SLP-PRD-003"
	ProducerUnrelayed Code = "SLP-PRD-004"
	ProducerReplicas  Code = "SLP-PRD-005"
	ProducerDropped   Code = "SLP-PRD-006"
	ProducerAway      Code = "SLP-PRD-007"

	ProducerSpillDir Code = "SLP-PRD-030"
	ProducerSpillVia Code = "SLP-PRD-031"
	ProducerDueVia   Code = "SLP-PRD-032"
)

var producerEntries = []Entry{
	{ProducerTimeout, "the timeout of a producer is too short", "A record waits for its linger, then for one request: ten seconds that the broker has for replication and ten for the network. A shorter timeout would give records up before their first attempt is over, and nobody would know whether they were written.", "Make timeout longer, or linger shorter. A call that cannot wait gives Send a context that ends earlier."},
	{ProducerBuffer, "a producer's buffer is smaller than one value", "The largest value that the contract allows would never fit into the buffer, so sending it would wait for ever.", "Make produces/<topic>/buffer larger, or max smaller."},
	{ProducerKeyless, "a tombstone for a topic without a key", "A tombstone deletes a key. The topic's contract names none, or the topic is not compacted, so that the deleted key's records would stay for as long as all others.", "Give the topic key and compact: true, or send an event that says what was deleted."},
	{ProducerUnrelayed, "nothing relays a topic with via: outbox", "The contract says that values of the topic go through the outbox, and the program opens none: what is put into the table would stay there.", "Open the outbox with outbox.Open before App.Run, or write via: direct."},
	{ProducerReplicas, "a topic has no replica to spare", "As many replicas of a partition are in sync as the cluster needs for a write, or fewer: with the next broker that goes away, writes fail with NOT_ENOUGH_REPLICAS until one is back. What was acknowledged is safe.", "Look at the brokers that are away, or slow. Three replicas with min.insync.replicas 2 have one to spare; two with two have none."},
	{ProducerDropped, "records were dropped", "The cluster was away, the buffer full, and the contract says away: sample, so records were given up. Each one was an error at its sender and is counted in channel_write_dropped_total.", "Bring the cluster back. If no record may be lost, write away: block or away: spill, or use the outbox."},
	{ProducerAway, "the cluster acknowledges nothing", "Records of the topic wait for longer than they should for an acknowledgement. What the contract's away says happens to those that come now.", "Look at the brokers, the network and the topic's leaders. Alert on channel_buffer_full_ratio before the buffer is full."},
	{ProducerSpillDir, "no directory to keep records in", "away: spill and records that are to be delivered later need a place on disk, and only whoever runs the service knows one that outlives it.", "Set SPILL_PATH to a directory of the instance's own, on a persistent volume if a lost pod must not lose records; slipway up sets it. Or write away: block."},
	{ProducerSpillVia, "away: spill where nothing is to spill", "With via: outbox the records wait in the database while the cluster is away, with via: transaction they are written together with the offset of what was handled. On a disk beside that they would be part of neither.", "Remove away, or write via: direct."},
	{ProducerDueVia, "a due time where it cannot be kept", "With via: transaction a record is written together with the offset of what was handled, now and not later.", "Use via: outbox, which keeps the time in its table, or via: direct."},
}
