package compat

import (
	"slices"
	"strings"
	"unicode"
)

// amounts are the words by which a field says that it holds money.
var amounts = []string{
	"amount", "balance", "charge", "cost", "discount", "fee", "fare", "money", "payment", "price", "refund", "revenue",
	"salary", "subtotal", "tax", "tip", "total", "vat", "wage",
}

// measures are words that make one of the amounts something else.
var measures = []string{"count", "rate", "ratio", "percent", "percentage", "share", "factor", "weight", "seconds", "millis"}

// Money returns the fields that are named as money is and kept in floating
// point, which cannot hold 0.10: sums of it drift, and two programs that round
// in another order disagree. Minor units in a long, or a decimal, can.
func Money(s Schema) ([]Field, error) {
	all, err := Fields(s)
	return slices.DeleteFunc(all, func(f Field) bool { return !f.floating || !f.amount() }), err
}

// amount reports whether a field's own name is one of money.
func (f Field) amount() bool {
	name := f.Path[strings.LastIndex(f.Path, ".")+1:]
	words := wordsOf(name)
	return slices.ContainsFunc(words, func(w string) bool {
		return slices.Contains(amounts, strings.TrimSuffix(w, "s")) || slices.Contains(amounts, w)
	}) &&
		!slices.ContainsFunc(words, func(w string) bool { return slices.Contains(measures, w) })
}

// wordsOf splits a name at underscores and at capitals, in lower case.
func wordsOf(name string) []string {
	var b strings.Builder
	for i, r := range name {
		if i > 0 && unicode.IsUpper(r) {
			b.WriteByte(' ')
		}
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			r = ' '
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return strings.Fields(b.String())
}
