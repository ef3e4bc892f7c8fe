// Package retrylog reads and writes retry topics.
//
// A partition of a retry topic belongs to whoever owns the partition of the
// same number of the source topic. Nobody subscribes to it: it is read by a
// client of its own with partitions given by hand, written with the partition
// given by hand, looked into by offset, and trimmed. What the records mean is
// not known here.
//
// # What is certain
//
// An append is written once, in the order of the calls for its partition, and
// acknowledged by all in-sync replicas. The client never gives up a record
// that it may have sent, so an append fails early only when it is certain that
// nothing was written ([ErrNotWritten]); any other error says that the record
// may be in the log, or come into it, or neither. Whoever appends again has to
// live with both.
//
// # Reading
//
// One goroutine reads all partitions and hands their records over in the order
// of offsets. A partition whose fetch fails is taken out, told of, and tried
// again after a while: the client on its own would ask a broker that denies it
// as fast as it answers. Offsets that are gone are told of too ([GapError]),
// before the first record behind the gap.
package retrylog
