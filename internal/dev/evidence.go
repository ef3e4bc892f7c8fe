package dev

import (
	"os"
	"strings"

	"github.com/slipway-go/slipway/diag"
)

// evidenceLines is how much of a log is shown.
const evidenceLines = 8

// withLines adds the last lines of a text as evidence.
func withLines(d diag.Diagnostic, text string) diag.Diagnostic {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for _, line := range lines[max(0, len(lines)-evidenceLines):] {
		if line != "" {
			d = d.WithEvidence("%s", line)
		}
	}
	return d
}

// withLog adds a log's name and its last lines as evidence.
func withLog(d diag.Diagnostic, path string) diag.Diagnostic {
	return withLines(d.WithEvidence("the log is %s", path), readTail(path))
}

// readTail returns the end of a file, nothing if it cannot be read.
func readTail(path string) string {
	const enough = 32 << 10
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return ""
	}
	buf := make([]byte, min(info.Size(), enough))
	n, _ := f.ReadAt(buf, info.Size()-int64(len(buf)))
	return string(buf[:n])
}
