package principal

import (
	"encoding/asn1"
	"encoding/hex"
	"strings"
	"unicode/utf8"

	"github.com/slipway-go/slipway/diag"
)

// maxName is the longest distinguished name that is read, in bytes. Java has no
// bound; no certificate that anybody issued comes near this one.
const maxName = 64 << 10

// keywords are the attributes that RFC 2253 has a word for. All others are
// written as their number, with the value in hexadecimal.
var keywords = map[string]string{
	"2.5.4.3": "CN", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST", "2.5.4.10": "O", "2.5.4.11": "OU", "2.5.4.9": "STREET",
	"0.9.2342.19200300.100.1.25": "DC", "0.9.2342.19200300.100.1.1": "UID",
}

// An attribute is a type and its value, still encoded.
type attribute struct {
	Type  asn1.ObjectIdentifier
	Value asn1.RawValue
}

// Name writes a distinguished name, such as a certificate's RawSubject, as
// Java's X500Principal.getName does: the last component first, and what has a
// meaning of its own escaped. It refuses names that Javas of different versions
// write differently.
func Name(der []byte) (string, error) {
	if len(der) > maxName {
		return "", unforeseen("the name is %d bytes long, at most %d are read", len(der), maxName)
	}
	var components []asn1.RawValue
	if rest, err := asn1.Unmarshal(der, &components); err != nil || len(rest) > 0 {
		return "", unforeseen("what should be a distinguished name is none")
	}
	out := make([]string, len(components))
	for i, c := range components {
		text, err := component(c)
		if err != nil {
			return "", err
		}
		out[len(out)-1-i] = text
	}
	return strings.Join(out, ","), nil
}

// component writes a set of attributes, in the order they are encoded in.
func component(raw asn1.RawValue) (string, error) {
	var set []attribute
	rest, err := asn1.UnmarshalWithParams(raw.FullBytes, &set, "set")
	if err != nil || len(rest) > 0 || len(set) == 0 {
		return "", unforeseen("a component of the name is not a set of attributes")
	}
	var out []string
	for _, a := range set {
		text, err := a.text()
		if err != nil {
			return "", err
		}
		out = append(out, text)
	}
	return strings.Join(out, "+"), nil
}

func (a attribute) text() (string, error) {
	word, known := keywords[a.Type.String()]
	if !known || a.Value.Class != asn1.ClassUniversal {
		if !known {
			word = a.Type.String()
		}
		return word + "=#" + hex.EncodeToString(a.Value.FullBytes), nil
	}
	switch a.Value.Tag {
	case asn1.TagUTF8String:
		if !utf8.Valid(a.Value.Bytes) {
			return "", unforeseen("the value of %s is not UTF-8, though it says so", word)
		}
	case asn1.TagPrintableString, asn1.TagIA5String, asn1.TagT61String, asn1.TagGeneralString:
		if !ascii(a.Value.Bytes) {
			return "", unforeseen("the value of %s is not ASCII in a string type that is older than UTF-8: Javas of different versions read it differently", word)
		}
	case asn1.TagBMPString:
		return "", unforeseen("the value of %s is a BMPString: Javas of different versions read it differently", word)
	default:
		return word + "=#" + hex.EncodeToString(a.Value.FullBytes), nil
	}
	return word + "=" + escape(string(a.Value.Bytes)), nil
}

func ascii(text []byte) bool {
	for _, b := range text {
		if b >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// escape writes a backslash before what has a meaning in a name, and before
// spaces and carriage returns at its ends.
func escape(value string) string {
	var b strings.Builder
	for _, r := range value {
		switch {
		case strings.ContainsRune(`,=+<>#;"\`, r):
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == 0:
			b.WriteString(`\00`)
		default:
			b.WriteRune(r)
		}
	}
	const white = " \r"
	text := b.String()
	inner := strings.TrimLeft(text, white)
	lead := text[:len(text)-len(inner)]
	core := strings.TrimRight(inner, white)
	return spaced(lead) + core + spaced(inner[len(core):])
}

func spaced(white string) string {
	var b strings.Builder
	for i := range len(white) {
		b.WriteByte('\\')
		b.WriteByte(white[i])
	}
	return b.String()
}

func unforeseen(format string, args ...any) diag.Diagnostic {
	return diag.New(diag.PrincipalUnforeseen, format, args...)
}
