package history

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// maxLine bounds one line, so that a file which is no history is refused
// instead of being read into memory.
const maxLine = 1 << 20

// ErrTorn reports that a history ends in the middle of a line, as it does when
// its writer was killed. The events returned beside it are complete.
var ErrTorn = errors.New("last line is torn")

// Parse reads a history written by a [Recorder]. It always returns the events
// up to the first line it could not read; [ErrTorn] is the one error after
// which they may be used as they are.
func Parse(r io.Reader) ([]Event, error) {
	var events []Event
	lines := bufio.NewReaderSize(r, maxLine)
	for n := 1; ; n++ {
		line, err := lines.ReadSlice('\n')
		last := errors.Is(err, io.EOF)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			return events, fmt.Errorf("read history: line %d is longer than %d bytes", n, maxLine)
		case err != nil && !last:
			return events, fmt.Errorf("read history: line %d: %w", n, err)
		}
		if len(bytes.TrimSpace(line)) > 0 {
			e, err := parse(line)
			if err != nil && last {
				return events, fmt.Errorf("read history: line %d: %w", n, ErrTorn)
			}
			if err != nil {
				return events, fmt.Errorf("read history: line %d: %w", n, err)
			}
			events = append(events, e)
		}
		if last {
			return events, nil
		}
	}
}

// A line is one event as written: a JSON object whose one member is named for
// the kind of the event.
type line struct {
	Send   *Send   `json:"send,omitempty"`
	Read   *Read   `json:"read,omitempty"`
	Effect *Effect `json:"effect,omitempty"`
	Commit *Commit `json:"commit,omitempty"`
	Assign *Assign `json:"assign,omitempty"`
	Revoke *Revoke `json:"revoke,omitempty"`
	Fault  *Fault  `json:"fault,omitempty"`
	Final  *Final  `json:"final,omitempty"`
}

func writeLine(w io.Writer, e Event) error {
	text, err := json.Marshal(e.line())
	if err != nil {
		return fmt.Errorf("write history: %w", err)
	}
	if _, err := w.Write(append(text, '\n')); err != nil {
		return fmt.Errorf("write history: %w", err)
	}
	return nil
}

// parse is strict: a member it does not know would be an observation that the
// check never sees.
func parse(text []byte) (Event, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	var l line
	if err := dec.Decode(&l); err != nil {
		return nil, err
	}
	if dec.InputOffset() < int64(len(bytes.TrimRight(text, " \t\r\n"))) {
		return nil, errors.New("more than one value")
	}
	events := l.events()
	if len(events) != 1 {
		return nil, fmt.Errorf("%d events in one line, want 1", len(events))
	}
	return events[0], nil
}

func (l line) events() []Event {
	var events []Event
	events = appendEvent(events, l.Send)
	events = appendEvent(events, l.Read)
	events = appendEvent(events, l.Effect)
	events = appendEvent(events, l.Commit)
	events = appendEvent(events, l.Assign)
	events = appendEvent(events, l.Revoke)
	events = appendEvent(events, l.Fault)
	return appendEvent(events, l.Final)
}

func appendEvent[E Event](events []Event, e *E) []Event {
	if e == nil {
		return events
	}
	return append(events, *e)
}
