package lag

// A Status says whether somebody needs to look at a partition or a group.
type Status string

// The statuses, the least grave first.
const (
	OK     Status = "OK"
	Unsure Status = "?"      // too few samples to tell
	Warn   Status = "WARN"   // moves, but the lag does not shrink
	Rewind Status = "REWIND" // the committed offset went back
	Stall  Status = "STALL"  // held by a member that does not move
	Stop   Status = "STOP"   // has lag and nobody to read it
	Err    Status = "ERR"    // the committed offset is not in the log
)

var gravity = map[Status]int{OK: 0, Unsure: 1, Warn: 2, Rewind: 3, Stall: 4, Stop: 5, Err: 6}

// Bad reports whether records are not being read as they should be: everything
// from [Rewind] on. A [Warn] is worth a look; it is not bad yet.
func (s Status) Bad() bool { return gravity[s] >= gravity[Rewind] }

// Worst is the gravest of some statuses, [OK] of none: a group is as well as
// its sickest partition.
func Worst(all ...Status) Status {
	worst := OK
	for _, s := range all {
		if gravity[s] > gravity[worst] {
			worst = s
		}
	}
	return worst
}
