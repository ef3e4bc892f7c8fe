// Package spill keeps records on disk while the cluster is away, and gives them
// back in order.
//
// A queue is a directory that one process owns (flock). It holds segments of
// appended frames, each with its length and a CRC-32C; a segment that is full is
// closed and another begun. What [Queue.Append] has returned for is on disk as
// the fsync policy says: always, at an interval, or never. After a failed write
// or fsync the segment is never written again (the kernel may have dropped the
// page): the frames that are not known to be on disk are appended to a new one.
//
// At opening the segments are read and checked. A torn tail is cut off, with the
// cut bytes kept beside it; a damaged frame in the middle quarantines its
// segment's rest. Nothing is deleted that has not been given back and
// acknowledged, and nothing damaged is ever given back.
//
// The queue is bounded in bytes and age. When it is full Append says so and the
// caller is told; records that are too old are counted and reported, never
// dropped in silence.
package spill
