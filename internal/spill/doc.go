// Package spill keeps records on disk while the cluster is away, or until they
// are due, and gives them back in order.
//
// A queue is a directory that one process owns (flock). It holds segments of
// appended frames, each with its length and a CRC-32C that covers its place too;
// a segment that is full is closed and another begun, and none is continued
// after an opening. One goroutine writes: it takes together what waits to be
// appended, in one write and one fsync. What [Queue.Append] has said yes to is on
// disk as the policy says: always, at an interval, or never. After a failed write
// or fsync the segment is never written again (the kernel may have dropped the
// page): the frames that are not known to be on disk are appended to a new one,
// whose head says how far the one before counts.
//
// Frames are given back in their order, each once for every opening, and
// acknowledged one by one or in ranges, in any order. Beside a segment lies a
// file of such marks. A mark that is lost costs a record that comes twice. A
// segment of which everything is acknowledged is deleted.
//
// At opening the segments are read and checked. What lies in a segment behind a
// torn or damaged frame is never given back and never deleted: once the rest of
// the segment is acknowledged, it is kept in a file that ends in .bad.
//
// The queue is bounded in bytes. When it is full Append says so; nothing is given
// up that somebody was told is safe.
package spill
