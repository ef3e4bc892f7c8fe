package protect

import (
	"fmt"
	"regexp"
	"runtime"
	"strings"
)

const (
	maxDump  = 8 << 20 // of all goroutines
	maxStack = 16 << 10
)

// hold calls run. Meanwhile a dump of all goroutines shows the subject, a
// pointer, among hold's arguments, and so which goroutine works for it. That
// costs next to nothing, while to ask the runtime for a goroutine's number would
// cost six microseconds.
//
//go:noinline
func hold(subject any, run func()) {
	run()
	runtime.KeepAlive(subject) // or the argument shown might be a stale one
}

// stacks is a dump of all goroutines by what they work for, made when it is
// first asked for.
type stacks struct{ of map[string]string }

var held = regexp.MustCompile(`protect\.hold\(\{0x[0-9a-f]+\??, (0x[0-9a-f]+)\??\}`)

// working returns the stack of the goroutine that works for a subject, "" if it
// is not in the dump.
func (d *stacks) working(subject any) string {
	if d.of == nil {
		d.of = make(map[string]string)
		for stack := range strings.SplitSeq(dumpAll(), "\n\n") {
			for _, subject := range held.FindAllStringSubmatch(stack, -1) {
				d.of[subject[1]] = stack[:min(len(stack), maxStack)]
			}
		}
	}
	return d.of[fmt.Sprintf("%p", subject)]
}

func dumpAll() string {
	for size := 64 << 10; ; size *= 4 {
		buf := make([]byte, min(size, maxDump))
		if n := runtime.Stack(buf, true); n < len(buf) || len(buf) == maxDump {
			return string(buf[:n])
		}
	}
}
