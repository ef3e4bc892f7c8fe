//go:build kafka

package principal_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/dev/devtest"
	"github.com/slipway-go/slipway/internal/principal"
)

func TestMain(m *testing.M) { devtest.Main(m) }

// A question is a line for the judge, an answer what it said: text, or why not.
type question struct{ kind, text string }
type answer struct {
	text string
	ok   bool
}

// ask puts questions to Java and to Kafka's own class.
func ask(t *testing.T, questions []question) []answer {
	t.Helper()
	javac, err := exec.LookPath("javac")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("javac is missing (default-jdk-headless has it)")
		}
		t.Skip("javac is missing, which compiles the judge")
	}
	jar := kafkaClients(t)
	classes := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), javac, "-cp", jar, "-d", classes, filepath.Join("testdata", "Judge.java")).CombinedOutput(); err != nil {
		t.Fatalf("javac: %v\n%s", err, out)
	}
	var in bytes.Buffer
	for _, q := range questions {
		fmt.Fprintf(&in, "%s %s\n", q.kind, base64.StdEncoding.EncodeToString([]byte(q.text)))
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(filepath.Dir(javac), "java"), "-Xmx256m", "-cp", jar+string(os.PathListSeparator)+classes, "Judge")
	cmd.Stdin = &in
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("java: %v\n%s", err, stderr.Bytes())
	}
	lines := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if len(lines) != len(questions) {
		t.Fatalf("%d answers to %d questions", len(lines), len(questions))
	}
	answers := make([]answer, len(lines))
	for i, line := range lines {
		text, err := base64.StdEncoding.DecodeString(line[1:])
		if err != nil {
			t.Fatal(err)
		}
		answers[i] = answer{string(text), line[0] == '='}
	}
	return answers
}

// kafkaClients is the jar that has Kafka's rules. Where no real Kafka was fetched
// yet, starting one does.
func kafkaClients(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	find := func() []string {
		jars, err := filepath.Glob(filepath.Join(cache, "slipway", "kafka-*", "kafka-clients-*.jar"))
		if err != nil {
			t.Fatal(err)
		}
		return jars
	}
	jars := find()
	if len(jars) == 0 {
		devtest.Cluster(t)
		jars = find()
	}
	if len(jars) == 0 {
		t.Fatal("there is no kafka-clients in the cache of fetched libraries")
	}
	return jars[len(jars)-1]
}

func TestNamesAreThoseThatJavaWrites(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(6, 253))
	questions := make([]question, 20_000)
	for i := range questions {
		questions[i] = question{"name", string(randomName(rnd))}
	}
	var judged, unforeseen int
	for i, want := range ask(t, questions) {
		got, err := principal.Name([]byte(questions[i].text))
		switch {
		case errors.Is(err, diag.PrincipalUnforeseen):
			unforeseen++
		case err != nil || !want.ok || got != want.text:
			t.Errorf("%x: Name() = %q, %v; Java says %q (%t)", questions[i].text, got, err, want.text, want.ok)
		default:
			judged++
		}
	}
	t.Logf("%d names alike, %d not foretold", judged, unforeseen)
	if judged < 10_000 {
		t.Errorf("%d names were judged, want 10000", judged)
	}
}

func TestPrincipalsAreThoseThatKafkaMakes(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(371, 6))
	names := []string{"", "CN=x", "CN=svc-orders-prod", "CN=svc-orders-prod,OU=a,O=b", `CN=a\,b,O=c`, "CN=a\nb", "CN=a\n"}
	for len(names) < 400 {
		if name, err := principal.Name(randomName(rnd)); err == nil && utf8.ValidString(name) {
			names = append(names, name)
		}
	}
	sets := append([]string{}, ruleSets...)
	for len(sets) < 6000 {
		sets = append(sets, randomRules(rnd))
	}
	var questions []question
	for _, set := range sets {
		questions = append(questions, question{"rules", set})
		for range 25 {
			questions = append(questions, question{"apply", names[rnd.IntN(len(names))]})
		}
	}
	var tally struct{ rules, refused, unforeseen, applied, none int }
	var rules principal.Rules
	var parsed error
	for i, want := range ask(t, questions) {
		q := questions[i]
		if q.kind == "rules" {
			rules, parsed = principal.Parse(q.text)
			switch {
			case errors.Is(parsed, diag.PrincipalUnforeseen):
				tally.unforeseen++
			case parsed != nil:
				tally.refused++
			case !want.ok:
				t.Errorf("Parse(%q) is fine; Kafka says %s", q.text, want.text)
				parsed = errors.New("told")
			default:
				tally.rules++
			}
			continue
		}
		if parsed != nil {
			continue
		}
		got, err := rules.Apply(q.text)
		switch {
		case errors.Is(err, diag.PrincipalUnforeseen):
			tally.unforeseen++
		case errors.Is(err, diag.PrincipalNone) && !want.ok && strings.Contains(want.text, "NoMatchingRule"):
			tally.none++
		case err == nil && want.ok && got == want.text:
			tally.applied++
		default:
			t.Errorf("Apply(%q) = %q, %v; Kafka says %q (%t)", q.text, got, err, want.text, want.ok)
		}
	}
	t.Logf("%+v", tally)
	if tally.applied+tally.none < 10_000 || tally.rules < 1000 {
		t.Errorf("too little was judged: %+v", tally)
	}
}

// Whoever refuses rules that Kafka takes keeps somebody from working.
func TestRulesAreRefusedOnlyWhereKafkaRefusesThem(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(9, 9))
	var questions []question
	for range 6000 {
		questions = append(questions, question{"rules", randomRules(rnd)}, question{"apply", "CN=abab,OU=b,O=c"}, question{"apply", "CN=a"}, question{"apply", ""})
	}
	answers := ask(t, questions)
	refused := 0
	for i := 0; i < len(questions); i += 4 {
		_, err := principal.Parse(questions[i].text)
		if !errors.Is(err, diag.PrincipalRule) {
			continue
		}
		refused++
		taken := answers[i].ok
		for _, a := range answers[i+1 : i+4] {
			taken = taken && (a.ok || strings.Contains(a.text, "NoMatchingRule"))
		}
		matched := false
		for _, a := range answers[i+1 : i+4] {
			matched = matched || a.ok
		}
		if taken && matched && !strings.Contains(err.Error(), "the replacement") { // which fails only where the pattern matches
			t.Errorf("Parse(%q) = %v; Kafka takes it: %+v", questions[i].text, err, answers[i+1:i+4])
		}
	}
	t.Logf("%d of 6000 refused", refused)
}

func TestLettersChangeAsInJava(t *testing.T) {
	t.Parallel()
	rules := map[string]principal.Rules{}
	for kind, flag := range map[string]string{"lower": "L", "upper": "U"} {
		var err error
		if rules[kind], err = principal.Parse("RULE:.*[^x]?/$0/" + flag); err != nil {
			t.Fatal(err)
		}
	}
	var questions []question
	for r := rune(0); r <= 0xFFFF; r++ {
		if utf8.ValidRune(r) {
			questions = append(questions, question{"lower", string(r)}, question{"upper", string(r)})
		}
	}
	changed := 0
	for i, want := range ask(t, questions) {
		q := questions[i]
		got, err := rules[q.kind].Apply(q.text)
		if err == nil && got != want.text {
			t.Errorf("%s %U = %q, Java says %q", q.kind, []rune(q.text)[0], got, want.text)
		}
		if err == nil && got != q.text {
			changed++
		}
	}
	t.Logf("%d letters changed", changed)
	if changed < 200 {
		t.Errorf("%d letters changed", changed)
	}
}
