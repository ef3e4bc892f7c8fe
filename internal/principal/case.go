package principal

import (
	"strings"
	"unicode"
)

// toLower is Java's toLowerCase(Locale.ENGLISH), for letters of which all its
// versions make the same.
func toLower(text string) (string, bool) {
	return strings.Map(unicode.ToLower, text), !strings.ContainsFunc(text, peculiar)
}

// toUpper is Java's toUpperCase(Locale.ENGLISH), likewise.
func toUpper(text string) (string, bool) {
	return strings.Map(unicode.ToUpper, text), !strings.ContainsFunc(text, peculiar)
}

// peculiar reports whether a letter may become several, depends on its
// neighbours, or is younger than the oldest Java that Kafka runs on. What is not
// known to be plain counts as such.
func peculiar(r rune) bool {
	switch {
	case r <= unicode.MaxASCII, r >= 'À' && r <= 'þ' && r != 'ß', r >= 'Ѐ' && r <= 'џ':
		return false
	}
	return !unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Arabic, unicode.Hebrew, unicode.Devanagari)
}
