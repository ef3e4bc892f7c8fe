package cli

import (
	"fmt"
	"io"
)

// progressStep is how many changes are made between two looks at the bar.
const progressStep = 25

// A progress tells somebody at a terminal how far long work has come.
type progress struct {
	to          io.Writer // nil if nobody is there
	done, total int
}

// progress is silent off a terminal, where programs read, and for work that is
// over before it could be read.
func (a *app) progress(total int) *progress {
	if !a.sys.ErrTerminal || !a.view.ForPeople() || total <= progressStep {
		return &progress{}
	}
	return &progress{to: a.sys.Err, total: total}
}

func (p *progress) step() {
	p.done++
	if p.to != nil && p.done%progressStep == 0 {
		fmt.Fprintf(p.to, "\rapplied %d of %d changes", p.done, p.total)
	}
}

// end takes the line away.
func (p *progress) end() {
	if p.to != nil {
		fmt.Fprint(p.to, "\r\x1b[K")
	}
}
