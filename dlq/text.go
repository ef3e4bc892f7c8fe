package dlq

import (
	"encoding/hex"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/slipway-go/slipway/internal/record"
)

// The times that can be written down: JSON knows no others.
var (
	earliest = time.Unix(0, 0).UTC()
	latest   = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
)

// bounded is a time that can be written down.
func bounded(t time.Time) time.Time {
	switch {
	case t.Before(earliest):
		return earliest
	case t.After(latest):
		return latest
	}
	return t.UTC()
}

// clean is text of at most n bytes, and valid UTF-8.
func clean(b []byte, n int) string {
	b = b[:min(len(b), n+utf8.UTFMax)] // nothing is spent on what is cut off
	return record.Cut(strings.ToValidUTF8(string(b), "\uFFFD"), n)
}

// readable is bytes for people: the text if it is one, else 0x and hex.
func readable(b []byte, n int) string {
	if utf8.Valid(b) && !strings.ContainsFunc(string(b[:min(len(b), n)]), unreadable) {
		return clean(b, n)
	}
	if len(b) > n/2 {
		return "0x" + hex.EncodeToString(b[:n/2]) + "…"
	}
	return "0x" + hex.EncodeToString(b)
}

// unreadable takes what no text has. Line breaks and tabs are text.
func unreadable(r rune) bool {
	return r != '\n' && r != '\r' && r != '\t' && unicode.IsControl(r)
}
