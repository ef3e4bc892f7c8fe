package contract

import (
	"bytes"
	"errors"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/slipway-go/slipway/diag"
)

// syntaxHints tell in our reader's words what the YAML module means.
var syntaxHints = []struct{ says, message, fix string }{
	{"mapping values are not allowed", "a second colon follows a value here", `put a value that contains ": " in quotes, and check the indentation of the line`},
	{"did not find expected key", "this line is not indented like its neighbours", "give all keys of one mapping the same indentation"},
	{"could not find expected ':'", "a key without a colon", "write key: value, and check the line before"},
	{"found unexpected end of stream", "a quote or a bracket that was opened here is never closed", "close it"},
	{"did not find expected ',' or", "a bracket that was opened is not closed, or a comma is missing", "close the list with ] or the mapping with }"},
	{"did not find expected node content", "a value is missing, or a list or mapping is not closed", "write the value, or close the list with ] and the mapping with }"},
	{"cannot start any token", "a value cannot begin with this character", "put the value in quotes"},
}

// syntaxFault turns an error of the YAML module into a diagnostic. What is
// missing at the end of the file is told at its last line.
func syntaxFault(file string, data []byte, err error) diag.Diagnostic {
	pos := diag.Position{File: file}
	message := err.Error()
	if le, ok := errors.AsType[*yaml.LoadError](err); ok {
		message = le.Message
		pos.Line, pos.Column = le.Mark.Line, le.Mark.Column
		if strings.HasPrefix(le.ContextMsg, "while scanning a quoted") {
			pos.Line, pos.Column = le.ContextMark.Line, le.ContextMark.Column
		}
		if end := endOf(data); pos.Line > end.line {
			pos.Line, pos.Column = end.line, end.column
		}
	}
	switch {
	case strings.Contains(err.Error(), errTooDeep.Error()):
		return diag.New(diag.ContractTooLarge, "%v", errTooDeep).At(pos)
	case strings.Contains(message, "unknown anchor"):
		return diag.New(diag.ContractAnchor, "%s", message).At(pos)
	}
	for _, h := range syntaxHints {
		if strings.Contains(message, h.says) {
			return diag.New(diag.ContractSyntax, "%s", h.message).At(pos).WithFix("%s", h.fix).WithEvidence("YAML: %s", message)
		}
	}
	return diag.New(diag.ContractSyntax, "%s", message).At(pos)
}

// endOf is the place behind the last character that is not a line end. What
// is missing is told there.
func endOf(data []byte) place {
	data = bytes.TrimRight(data, "\r\n")
	last := data[bytes.LastIndexByte(data, '\n')+1:]
	return place{bytes.Count(data, []byte("\n")) + 1, utf8.RuneCount(last) + 1}
}
