package up

import (
	"strings"
	"sync"

	"github.com/slipway-go/slipway/diag"
)

// maxEvidence is how many lines of a compiler or a service are shown.
const maxEvidence = 20

// A tail keeps a few of the lines of something that wrote many.
type tail struct {
	mu    sync.Mutex
	lines []string
}

// first keeps the line if it is one of the first.
func (t *tail) first(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.lines) < maxEvidence {
		t.lines = append(t.lines, line)
	}
}

// last keeps the line and forgets the oldest one.
func (t *tail) last(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.lines) == maxEvidence {
		t.lines = append(t.lines[:0], t.lines[1:]...)
	}
	t.lines = append(t.lines, line)
}

// forget drops all lines.
func (t *tail) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lines = nil
}

// spaced has spaces for tabs, which whoever shows text from outside spells out.
func spaced(line string) string { return strings.ReplaceAll(line, "\t", "    ") }

// show adds the lines to a diagnostic as evidence, without empty ones.
func (t *tail) show(d diag.Diagnostic) diag.Diagnostic {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, line := range t.lines {
		if strings.TrimSpace(line) != "" {
			d = d.WithEvidence("%s", line)
		}
	}
	return d
}
