package parking

// A rule is one that a test has switched off, to see that the model check
// misses it. In a running service it is always none.
type rule uint8

const (
	none           rule = iota
	overtaking          // a source record does not queue behind its key
	anyOrder            // followers run before their head
	marksIgnored        // a settled source record is handled again
	noFence             // what zombies wrote is read
	readingAhead        // a head runs before the source was read past it
	nextBeforeMark      // the next ticket runs before the mark is acknowledged
	markForgotten       // a mark is finished before the source has passed it
	commandTwice        // a command acts on what was written after it
	twoHeads            // a head is given out again while it runs
	trimAnything        // what a zombie wrote is appended again
	commandLost         // a command is finished before what it asks for is in the log
	holdTwice           // a command about a key acts on what was written after it
	skipEarly           // a head is skipped before the source has been finished past it
	restTooEarly        // the source rests before it was read past every ticket
	unpinned            // a settled key is forgotten before its own copies were read
)
