package proc

import (
	"bufio"
	"errors"
	"io"
	"os"
	"strings"
	"time"
)

// cutMark ends a line that was longer than allowed.
const cutMark = " … (cut)"

// An output carries a child's lines to a function. A nil output carries none.
type output struct {
	read, write *os.File
	limit       int
	emit        func(string)
	delivered   chan struct{}
}

// begin starts to read, if the child started; the child holds its own copy of
// the writing end.
func (o *output) begin(started bool) {
	if o == nil {
		return
	}
	o.write.Close()
	if !started {
		o.read.Close()
		return
	}
	o.delivered = make(chan struct{})
	go func() {
		defer close(o.delivered)
		defer o.read.Close()
		lines(o.read, o.limit, o.emit)
	}()
}

// end waits until every line was delivered. Who still holds the pipe a moment
// later is no member of the group and is not listened to.
func (o *output) end() {
	if o == nil {
		return
	}
	o.read.SetReadDeadline(time.Now().Add(leftover))
	<-o.delivered
}

// lines gives each line of r to emit, cut to limit bytes.
func lines(r io.Reader, limit int, emit func(string)) {
	in := bufio.NewReaderSize(r, limit)
	for {
		piece, err := in.ReadSlice('\n')
		line := strings.TrimRight(string(piece), "\r\n")
		if errors.Is(err, bufio.ErrBufferFull) {
			line += cutMark
		}
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = in.ReadSlice('\n')
		}
		if line != "" || err == nil {
			emit(line)
		}
		if err != nil {
			return
		}
	}
}
