// Package frontier knows how far a partition has been finished.
//
// Records of a partition begin in the order of their offsets and finish in any
// order. The frontier is the lowest offset that has not finished: the only
// offset that may be committed, because everything below it is done and the
// record at it is not. Offsets may have gaps (compaction, transaction markers):
// only what began counts.
//
// What is finished ahead of the frontier would be repeated after a restart. It
// is therefore written into the metadata of the commit, see [Metadata], as far
// as there is room. The map is a help and never the truth: without it records
// are handled again, so whatever cannot be read is ignored.
//
// # How it is kept
//
// Beginning takes a lock, once for a fetched batch; finishing takes none. A
// record gets a sequence number and is finished by one atomic OR into a bitmap
// of 1,024 records, found through a ring of bitmaps. Bitmaps are not used
// twice: a record finished a second time, much later, must not touch a younger
// one. Offsets are kept as runs of consecutive ones, so a log without gaps
// costs a bit for each record. The frontier itself moves when somebody looks.
//
// # Going back
//
// A record that begins at an offset that is not above the last one means that
// the log was cut (an unclean election) or that reading was set back. From that
// offset on a new life begins: the records of the old life at and above it are
// forgotten, and finishing them does nothing. Those below it are kept, because
// they are the same in both lives and nobody will fetch them again. The
// frontier is the lowest unfinished record of what remains, so it may go back.
package frontier
