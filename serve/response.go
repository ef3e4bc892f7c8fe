package serve

import (
	"bufio"
	"io"
	"net"
	"net/http"
)

// A response notes the status of what is written through it. All that the
// writer beneath can do it can do as well.
type response struct {
	http.ResponseWriter
	status int // 0 until it is written
}

// result is the status that the caller has got.
func (w *response) result(panicked bool) int {
	switch {
	case w.status != 0:
		return w.status
	case panicked:
		return http.StatusInternalServerError // the connection is cut, which says no more
	default:
		return http.StatusOK
	}
}

// WriteHeader implements [http.ResponseWriter].
func (w *response) WriteHeader(status int) {
	if w.status == 0 && (status >= http.StatusOK || status == http.StatusSwitchingProtocols) {
		w.status = status // others only announce it
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements [io.Writer].
func (w *response) Write(p []byte) (int, error) {
	w.begun()
	return w.ResponseWriter.Write(p)
}

// ReadFrom implements [io.ReaderFrom], by which a file goes out without being
// copied.
func (w *response) ReadFrom(r io.Reader) (int64, error) {
	w.begun()
	return io.Copy(w.ResponseWriter, r)
}

// Flush implements [http.Flusher].
func (w *response) Flush() {
	w.begun()
	_ = http.NewResponseController(w.ResponseWriter).Flush() // a writer that cannot has nothing to hold back
}

// Hijack implements [http.Hijacker].
func (w *response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffer, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err == nil && w.status == 0 {
		w.status = http.StatusSwitchingProtocols
	}
	return conn, buffer, err
}

// Unwrap is for [http.ResponseController].
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// begun notes that the response goes out without a status of its own.
func (w *response) begun() {
	if w.status == 0 {
		w.status = http.StatusOK
	}
}
