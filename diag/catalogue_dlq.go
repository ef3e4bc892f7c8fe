package diag

// What can keep dead letters from being read, sent back or deleted.
const (
	DLQFilter     Code = "SLP-DLQ-001"
	DLQReference  Code = "SLP-DLQ-002"
	DLQNoTopic    Code = "SLP-DLQ-003"
	DLQNoLetter   Code = "SLP-DLQ-004"
	DLQBadHeader  Code = "SLP-DLQ-005"
	DLQLoop       Code = "SLP-DLQ-006"
	DLQNoRetry    Code = "SLP-DLQ-007"
	DLQUnfinished Code = "SLP-DLQ-008"
	DLQDenied     Code = "SLP-DLQ-009"
	DLQStalled    Code = "SLP-DLQ-010"
	DLQSend       Code = "SLP-DLQ-011"
	DLQTooLarge   Code = "SLP-DLQ-012"
	DLQNotParked  Code = "SLP-DLQ-013"
	DLQPurge      Code = "SLP-DLQ-014"
	DLQKey        Code = "SLP-DLQ-015"
	DLQHeld       Code = "SLP-DLQ-016"
	DLQUndecoded  Code = "SLP-DLQ-017"
)

var dlqEntries = []Entry{
	{DLQFilter, "the filter is not understood", "A filter is an expression in CEL over the fields of a letter, and gives true or false. It has an error of syntax, a name that is no field, or types that do not fit.", "correct it at the place that is marked; slipway dlq list --help shows the fields and examples"},
	{DLQReference, "a letter's place is not understood", "A letter is named by its place: topic/partition/offset, as slipway dlq list --records shows it.", "copy the place from slipway dlq list --records -o name"},
	{DLQNoTopic, "there is no such dead-letter topic", "No contract of the estate has a dead-letter topic that fits, or the cluster does not have it yet. A service gets one for each topic that it consumes with retry.then dead-letter or park.", "name the consumed topic with --topic or the service with --service; run slipway plan to see whether the topic is still to be created"},
	{DLQNoLetter, "there is no such letter", "Nothing stands at this place of the dead-letter topic: it was purged, retention deleted it, or it has not been written yet.", "run slipway dlq list --records to see what is there"},
	{DLQBadHeader, "the evidence of a letter cannot be believed", "The headers that say where the record died are missing or say what cannot be, so it is not known which partition of the retry topic is the right one. Whoever may write the topic can write any header; nothing is sent where they alone say.", "inspect the letter to see what its headers say; a record that is still wanted can be produced again by its owner"},
	{DLQLoop, "a letter came back too often", "The letter was sent back several times already and died each time. Sending it again will most likely do the same.", "find out why it dies with slipway dlq inspect; --force sends it all the same"},
	{DLQNoRetry, "there is nowhere to send it", "Letters go back through the retry topic of their entry, so that only the group that failed gets them. The cluster does not have it yet; or the entry is read by a share group, which has none.", "run slipway plan to see what is still to be created, and slipway apply; what a share group gave up has to be produced again by its owner"},
	{DLQUnfinished, "another redrive was killed on its way", "A redrive of these letters with another selection was killed while it was sending. What it sent last may not be remembered, so letters could be handled twice.", "repeat that redrive's command, which finishes it without sending anything twice; or pass --abandon to leave it as it is"},
	{DLQDenied, "the cluster does not allow it", "Dead letters are read and sent back by the service's redrive principal. It needs READ on the dead-letter topic, WRITE on the retry topic and READ on its own group; for purge, DELETE on the dead-letter topic.", "log in as the redrive principal, or grant what the message names; slipway plan shows the rights that are missing"},
	{DLQStalled, "a dead-letter topic cannot be read to its end", "The cluster gave nothing for a while although more was written. A broker is away, or a transaction stands open at the end of the topic.", "look at the cluster, and run the command again"},
	{DLQSend, "a command could not be written", "The retry topic did not take a command. Whatever was acknowledged before is remembered.", "run the same command again: it goes on where it stopped, and what was sent twice is handled once"},
	{DLQTooLarge, "a letter is too large to be sent back", "The record with what a command adds to it is larger than max.message.bytes of the retry topic.", "raise max.message.bytes of the retry topic, then send the letter again"},
	{DLQNotParked, "the letter does not say that its key is parked", "Only a parked key can go on without its head. This letter's record was given up, and its key has gone on already.", "use slipway dlq redrive to have the record handled again"},
	{DLQPurge, "letters could not be deleted", "The cluster did not delete the letters of every partition.", "act on the message and run the command again; what is deleted already stays deleted"},
	{DLQKey, "the partition of a key is not known", "A key is parked in the partition that its records are in. Its topic has no owner in the estate who says how keys are placed, and no letter with this key was found.", "name the partition with --partition"},
	{DLQHeld, "parked keys would be held for ever", "The letter of a parked key names the ticket that it waits behind. Without the letter nobody can release the key or let it go on.", "release the keys with slipway dlq redrive, or let them go on with slipway dlq skip; --force deletes their letters all the same"},
	{DLQUndecoded, "a value cannot be shown decoded", "The value names a schema of the registry, and does not fit it or is of a format that Slipway shows as bytes alone. That may be why the record is a dead letter.", "look at the bytes with --as hex, and at who wrote them"},
}
