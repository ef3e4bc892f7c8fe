package principal_test

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/principal"
)

// common encodes the name of a certificate that pki issues.
func common(t *testing.T, cn string) []byte {
	t.Helper()
	der, err := asn1.Marshal(pkix.Name{CommonName: cn}.ToRDNSequence())
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// The names are those that Kafka's own class was asked for; the suite with the
// tag kafka asks it for thousands more.
func TestAPrincipalIsWhatKafkaMakesOfAName(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ rules, from, want string }{
		"no rules take nothing":                      {"", "CN=a", "SLP-PKI-072"},
		"default takes the whole name":               {"DEFAULT", "CN=a,O=b", "CN=a,O=b"},
		"the common name":                            {"RULE:^CN=([^,]*).*$/$1/,DEFAULT", "CN=svc-orders-prod,O=b", "svc-orders-prod"},
		"what no rule takes goes to the next":        {"RULE:^CN=([^,]*).*$/$1/,DEFAULT", "O=b", "O=b"},
		"lower case":                                 {"RULE:^CN=(.*?),.*$/$1/L", "CN=Alice,O=b", "alice"},
		"upper case":                                 {"RULE:^CN=(.*?),.*$/$1/U", "CN=Alice,O=b", "ALICE"},
		"an empty match behind the whole one":        {"RULE:.*/x/", "CN=a", "xx"},
		"the rest stays where the match ends sooner": {"RULE:CN=(.*?)(,.*)?/$1/", "CN=a,O=b", "a,O=b"},
		"a group that is not is text":                {"RULE:(.*)/$1@$2/", "CN=a", "CN=a@$2@$2"},
		"as many digits as groups":                   {"RULE:(.+)/$12/", "CN=a", "CN=a2"},
		"a slash in the replacement":                 {`RULE:CN=(.*)/a\/$1/`, "CN=b", "a/b"},
		"a named group":                              {"RULE:CN=(?<who>.+)/${who}!/", "CN=b", "b!"},
		"quoted text":                                {`RULE:\QCN=\E(\w+).*/$1/`, "CN=b,O=c", "b"},
		"a dot takes no line break":                  {"RULE:^CN=(.*)$/$1/", "CN=a\nb", "SLP-PKI-072"},
		"a dollar before a last line break":          {"RULE:^CN=([^,]*)$/$1/", "CN=a\n", "SLP-PKI-071"},
		"letters of which Javas differ":              {"RULE:^CN=(.*)$/$1/L", "CN=İ", "SLP-PKI-071"},
		"nothing matched beside a wide character":    {"RULE:[^b]*?/x/", "😀", "SLP-PKI-071"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rules, err := principal.Parse(tt.rules)
			if err != nil {
				t.Fatal(err)
			}
			got, err := rules.Apply(tt.from)
			if err != nil {
				got = string(diag.Of(err)[0].Code)
			}
			if got != tt.want {
				t.Errorf("Apply(%q) = %q (%v), want %q", tt.from, got, err, tt.want)
			}
		})
	}
}

func TestRulesThatNobodyCanUseAreRefused(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]diag.Code{
		"DEFAULTS":                       diag.PrincipalRule,
		"RULE:^CN=(.*)$/$1":              diag.PrincipalRule,
		"RULE:^CN=(.*)$/$1/X":            diag.PrincipalRule,
		"RULE:^CN=.*$/$1/":               diag.PrincipalRule,
		"RULE:^CN=(.*$/$1/":              diag.PrincipalRule,
		"RULE:^CN=.*)$/x/":               diag.PrincipalRule,
		"RULE:^CN=[a$/x/":                diag.PrincipalRule,
		"RULE:^CN=[z-a]$/x/":             diag.PrincipalRule,
		"RULE:*/x/":                      diag.PrincipalRule,
		"RULE:a{3,2}/x/":                 diag.PrincipalRule,
		"RULE:a{x}/x/":                   diag.PrincipalRule,
		"RULE:.*/$/":                     diag.PrincipalRule,
		"RULE:(.*)/$2$3/":                diag.PrincipalRule,
		"RULE:(.*)/$99999999999/":        diag.PrincipalRule,
		"RULE:(.*)/${who}/":              diag.PrincipalRule,
		`RULE:^CN=(?=a)(.*)$/$1/`:        diag.PrincipalUnforeseen,
		`RULE:^(?i)cn=(.*)$/$1/`:         diag.PrincipalUnforeseen,
		`RULE:^CN=(.)\1$/$1/`:            diag.PrincipalUnforeseen,
		`RULE:^CN=(.*+)$/$1/`:            diag.PrincipalUnforeseen,
		`RULE:^CN=(a*)*$/$1/`:            diag.PrincipalUnforeseen,
		`RULE:^CN=[a[bc]]$/x/`:           diag.PrincipalUnforeseen,
		`RULE:^CN=[a&&b]$/x/`:            diag.PrincipalUnforeseen,
		`RULE:^CN=[]a]$/x/`:              diag.PrincipalUnforeseen,
		`RULE:^CN=[a-\d]$/x/`:            diag.PrincipalUnforeseen,
		`RULE:^CN=[\d-a]$/x/`:            diag.PrincipalUnforeseen,
		`RULE:^CN=\ud83d$/x/`:            diag.PrincipalUnforeseen,
		`RULE:\bCN.*/x/`:                 diag.PrincipalUnforeseen,
		`RULE:^*CN/x/`:                   diag.PrincipalUnforeseen,
		"RULE:a{999}b{999}{2}/x/":        diag.PrincipalRule,
		"RULE:((a{99}){99}){99}/x/":      diag.PrincipalUnforeseen,
		"DEFAULT\u2028":                  diag.PrincipalUnforeseen,
		strings.Repeat("DEFAULT,", 4096): diag.PrincipalRule,
	} {
		if _, err := principal.Parse(text); !errors.Is(err, want) || len(diag.Of(err)) != 1 {
			t.Errorf("Parse(%.40q) = %v, want %s", text, err, want)
		}
	}
}

func TestNamesThatJavasWriteDifferentlyAreRefused(t *testing.T) {
	t.Parallel()
	name := func(tag int, value string) []byte {
		rdn := [][]struct {
			Type  asn1.ObjectIdentifier
			Value asn1.RawValue
		}{{{asn1.ObjectIdentifier{2, 5, 4, 3}, asn1.RawValue{Tag: tag, Bytes: []byte(value)}}}}
		type set []struct {
			Type  asn1.ObjectIdentifier
			Value asn1.RawValue
		}
		inner, err := asn1.MarshalWithParams(set(rdn[0]), "set")
		if err != nil {
			t.Fatal(err)
		}
		der, err := asn1.Marshal([]asn1.RawValue{{FullBytes: inner}})
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	for what, der := range map[string][]byte{
		"a BMPString":            name(asn1.TagBMPString, "\x00a"),
		"T61 beyond ASCII":       name(asn1.TagT61String, "\xe9"),
		"IA5 beyond ASCII":       name(asn1.TagIA5String, "\xe9"),
		"not UTF-8":              name(asn1.TagUTF8String, "\xff"),
		"no name":                []byte("CN=a"),
		"something behind it":    append(name(asn1.TagUTF8String, "a"), 0),
		"components of no shape": {0x30, 0x02, 0x31, 0x00},
		"too much":               make([]byte, 1<<20),
	} {
		if got, err := principal.Name(der); !errors.Is(err, diag.PrincipalUnforeseen) {
			t.Errorf("%s: Name() = %q, %v", what, got, err)
		}
	}
	if got, err := principal.Name(name(asn1.TagT61String, "a b ")); err != nil || got != `CN=a b\ ` {
		t.Errorf("Name() = %q, %v", got, err)
	}
}

// Common names of 1 to 64 letters, digits, dots, hyphens and underscores are what
// pki signs.
func TestNoTwoNamesThatAreIssuedAreOnePrincipal(t *testing.T) {
	t.Parallel()
	const alphabet = "ABCXYZabcxyz0189._-"
	rnd := rand.New(rand.NewPCG(1, 2))
	seen := map[string]bool{}
	var names []string
	for len(names) < 20_000 {
		cn := []byte(oneOf(rnd, "svc-", "kafka-", "a", "CN", "x.", "ADMIN-"))
		for range 1 + rnd.IntN(58) {
			cn = append(cn, alphabet[rnd.IntN(len(alphabet))])
		}
		if seen[string(cn)] {
			continue
		}
		seen[string(cn)] = true
		name, err := principal.Name(common(t, string(cn)))
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	for _, set := range []string{"DEFAULT", "RULE:^CN=([^,]*).*$/$1/,DEFAULT", "RULE:^CN=(.*?)(,.*)?$/$1/", `RULE:^CN=([\w.-]+)$/$1/`} {
		rules, err := principal.Parse(set)
		if err != nil {
			t.Fatal(err)
		}
		if err := rules.Distinct(names...); err != nil {
			t.Errorf("%s: %v", set, err)
		}
	}
	lower, err := principal.Parse("RULE:^CN=(.*)$/$1/L")
	if err != nil {
		t.Fatal(err)
	}
	if err := lower.Distinct("CN=Admin", "CN=b", "CN=admin", "CN=b", "O=c"); !errors.Is(err, diag.PrincipalClash) || len(diag.Of(err)) != 1 {
		t.Errorf("Distinct() = %v, want one %s", err, diag.PrincipalClash)
	}
}

func FuzzParse(f *testing.F) {
	for _, set := range ruleSets {
		f.Add(set, "CN=svc-orders-prod,OU=a,O=b")
	}
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 50 {
		f.Add(randomRules(rnd), randomText(rnd))
	}
	f.Fuzz(func(t *testing.T, text, name string) {
		if len(text) > 500 || len(name) > 500 {
			return
		}
		rules, err := principal.Parse(text)
		if err != nil {
			if len(diag.Of(err)) == 0 {
				t.Errorf("Parse(%q) = %v, without a code", text, err)
			}
			return
		}
		got, err := rules.Apply(name)
		again, _ := rules.Apply(name)
		if err != nil && len(diag.Of(err)) == 0 || got != again {
			t.Errorf("Apply(%q) = %q, %v, then %q", name, got, err, again)
		}
	})
}

func FuzzName(f *testing.F) {
	rnd := rand.New(rand.NewPCG(5, 6))
	for range 100 {
		f.Add(randomName(rnd))
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		if got, err := principal.Name(der); err == nil && !utf8.ValidString(got) {
			t.Errorf("Name(%x) = %q", der, got)
		}
	})
}
