package postgres

import (
	"strings"
	"sync"

	"github.com/slipway-go/slipway/diag"
)

// tailLines is how much of a program's output is kept to explain its end.
const tailLines = 20

// A tail is the last lines that a program wrote.
type tail struct {
	mu    sync.Mutex
	lines []string
}

func (t *tail) add(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.lines) == tailLines {
		t.lines = t.lines[1:]
	}
	t.lines = append(t.lines, line)
}

func (t *tail) reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lines = nil
}

// String returns the lines as one.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Join(t.lines, "; ")
}

// explain adds the lines to a diagnostic as evidence.
func (t *tail) explain(d diag.Diagnostic) diag.Diagnostic {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, line := range t.lines {
		d = d.WithEvidence("%s", line)
	}
	return d
}
