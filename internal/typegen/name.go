package typegen

import (
	"slices"
	"strings"
	"unicode"
)

// initialisms are written in capitals throughout, as Go does.
var initialisms = []string{
	"ACL", "API", "ASCII", "CPU", "CSS", "DNS", "EOF", "GUID", "HTML", "HTTP", "HTTPS", "ID", "IP", "JSON", "QPS",
	"RAM", "RPC", "SKU", "SLA", "SMTP", "SQL", "SSH", "TCP", "TLS", "TTL", "UDP", "UI", "UID", "URI", "URL", "UTF8",
	"UUID", "VAT", "VM", "XML",
}

// exported is the Go name of something in a schema or contract: order_id is
// OrderID, RESERVED is Reserved, order-created.v2 is OrderCreatedV2.
func exported(name string) string {
	var b strings.Builder
	for _, w := range words(name) {
		if upper := strings.ToUpper(w); slices.Contains(initialisms, upper) {
			b.WriteString(upper)
			continue
		}
		runes := []rune(w)
		if !slices.ContainsFunc(runes, unicode.IsLower) {
			runes = []rune(strings.ToLower(w))
		}
		runes[0] = unicode.ToUpper(runes[0])
		b.WriteString(string(runes))
	}
	text := b.String()
	if first := []rune(text); len(first) == 0 || !unicode.IsUpper(first[0]) {
		return "X" + text // a digit, or a letter that has no capital
	}
	return text
}

// words splits a name at what is no letter or digit, and where a capital
// follows a small letter or begins a word behind capitals: HTTPServer.
func words(name string) []string {
	var all []string
	var word []rune
	end := func() {
		if len(word) > 0 {
			all = append(all, string(word))
			word = nil
		}
	}
	runes := []rune(name)
	for i, r := range runes {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			end()
			continue
		}
		if i > 0 && unicode.IsUpper(r) {
			before := runes[i-1]
			if unicode.IsLower(before) || unicode.IsDigit(before) || i+1 < len(runes) && unicode.IsUpper(before) && unicode.IsLower(runes[i+1]) {
				end()
			}
		}
		word = append(word, r)
	}
	end()
	return all
}

// topicName is the Go name of a topic or entry. The first version goes without
// a number, so that most names are short; later ones have it, so that no name
// changes when the next version comes.
func topicName(name string) string { return exported(strings.TrimSuffix(name, ".v1")) }

// lastSegment is the Go name of the last part of a namespace.
func lastSegment(namespace string) string {
	if namespace == "" {
		return ""
	}
	return exported(namespace[strings.LastIndexByte(namespace, '.')+1:])
}
