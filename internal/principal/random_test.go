package principal_test

import (
	"encoding/asn1"
	"math/rand/v2"
	"strings"
)

// ruleSets are what people write, and what looks like it.
var ruleSets = []string{
	"DEFAULT", "", "RULE:^CN=([^,]*).*$/$1/,DEFAULT", "RULE:^CN=(.*?),OU=ServiceUsers.*$/$1/",
	"RULE:^CN=(.*?),OU=(.*?),O=(.*?),L=(.*?),ST=(.*?),C=(.*?)$/$1@$2/L",
	"RULE:^.*[Cc][Nn]=([a-zA-Z0-9.]*).*$/$1/L, RULE:^CN=(.*?)(?:,.*)?$/$1/U ,DEFAULT",
	"RULE:.*/x/", "RULE:(.*)/$1/", "RULE:CN=(.*?)(,.*)?/$1/", "RULE:.*/$1/", "RULE:(.*)/$2/", "RULE:(.*)/$2@$3/", "RULE:(.*)/$10/",
	`RULE:^CN=([^\/]*)\/.*$/$1/`, `RULE:(.*)/a\/b\$1$1/`, "RULE:(?<who>.*)/${who}!/", "RULE:a,b/x/,DEFAULT", "RULE:^CN=(.*)$/$1",
	"RULE:^CN=(.*)$/$1/X", "DEFAULTS", "default", ",,DEFAULT,,", " DEFAULT , DEFAULT ", "RULE:(CN|OU|O)=([^,]*)(,|)/$2./", `RULE:\QCN=\E(\w+).*/$1/`,
}

// oneOf returns one of several, at random.
func oneOf[T any](rnd *rand.Rand, all ...T) T { return all[rnd.IntN(len(all))] }

// randomName encodes a distinguished name: mostly of usual attributes, with all
// that has to be escaped, several values in one component, odd string types.
func randomName(rnd *rand.Rand) []byte {
	type attribute struct {
		Type  asn1.ObjectIdentifier
		Value asn1.RawValue
	}
	type set []attribute
	oids := []asn1.ObjectIdentifier{
		{2, 5, 4, 3}, {2, 5, 4, 3}, {2, 5, 4, 3}, {2, 5, 4, 6}, {2, 5, 4, 7}, {2, 5, 4, 8}, {2, 5, 4, 9}, {2, 5, 4, 10}, {2, 5, 4, 11}, {2, 5, 4, 5}, {2, 5, 4, 12},
		{1, 2, 840, 113549, 1, 9, 1}, {0, 9, 2342, 19200300, 100, 1, 25}, {0, 9, 2342, 19200300, 100, 1, 1}, {1, 3, 6, 1, 4, 1, 99999, 7}, {2, 999, 3},
	}
	var rdns []set
	for range rnd.IntN(5) {
		var s set
		for range oneOf(rnd, 1, 1, 1, 2, 3) {
			tag := oneOf(rnd, 12, 12, 12, 12, 12, 12, 12, 19, 19, 22, 20, 27, 30, 28, 18, 2)
			value := []byte(randomText(rnd))
			if tag == 2 {
				value = []byte{byte(rnd.IntN(100))}
			}
			s = append(s, attribute{oneOf(rnd, oids...), asn1.RawValue{Tag: tag, Bytes: value}})
		}
		rdns = append(rdns, s)
	}
	raw := make([]asn1.RawValue, len(rdns))
	for i, s := range rdns {
		der, err := asn1.MarshalWithParams([]attribute(s), "set")
		if err != nil {
			panic(err)
		}
		raw[i].FullBytes = der
	}
	der, err := asn1.Marshal(raw)
	if err != nil {
		panic(err)
	}
	return der
}

func randomText(rnd *rand.Rand) string {
	var b strings.Builder
	if rnd.IntN(4) == 0 {
		return oneOf(rnd, "svc-orders-prod", "kafka-0.example.com", "admin-prod", "Alice", "CN=x", "a,OU=b")
	}
	for range rnd.IntN(8) {
		b.WriteString(oneOf(rnd, "a", "b", "C", "N", "=", ",", "+", "\"", "\\", "<", ">", "#", ";", " ", " ", "\r", "\n", "\x00", "\t", "/", "$", "@", ".", "1", "é", "Ω", oneOf(rnd, "漢", "😀", "\u0085", "\u2028", "ß", "İ", "Σ", "Ж")))
	}
	return b.String()
}

// randomRules builds rules from pieces of regular expressions, most of which
// Java takes.
func randomRules(rnd *rand.Rand) string {
	var all []string
	for range oneOf(rnd, 1, 1, 2) {
		var b strings.Builder
		b.WriteString(oneOf(rnd, "^CN=", "^CN=", "CN=", "(CN|OU)=", "", "", "^", ".*"))
		for range 1 + rnd.IntN(4) {
			b.WriteString(oneOf(rnd, "(.*)", "(.*?)", "([^,]*)", "(.+)", ".*", ".", "a", "b", "(a|ab)", "(a|b)*", "(ab)+?", "(,.*)?", "(?:,OU=([^,]+))?", "[a-z]+", "[^=]", `\w+`, `\s*`, `\S`, `\d`,
				"|", "|CN=", `\.`, `\/`, "x{2}", "[a-c]{1,3}", "{", "*", "++", "(", ")", "[", "]", "$", `\x41`, `\u00e9`, `\p{Alpha}+`, `[\w.-]+`, "[-a]", "[a-]", "[]a]", "[a&&b]", `\b`, "(?i)", "(?=a)", "[^\\\\,]*", "é", "=", ",", "#"))
		}
		b.WriteString(oneOf(rnd, "$", ".*$", "", "(.*)$", "(,.*|)$", ",O=(.*)"))
		b.WriteByte('/')
		for range rnd.IntN(4) {
			b.WriteString(oneOf(rnd, "$1", "$1", "$1", "$2", "$0", "$3", "$12", "-", "@", "x", `\$`, `\/`, `\\`, "$", "é", "${a}"))
		}
		b.WriteString(oneOf(rnd, "/", "/", "/", "/L", "/U", "", "/l", "/LU"))
		all = append(all, "RULE:"+b.String())
	}
	return strings.Join(append(all, oneOf(rnd, "DEFAULT", "DEFAULT", "", " ")), oneOf(rnd, ",", ", ", " ,"))
}
