package arch_test

import (
	"go/ast"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestTestsDoNotSleep(t *testing.T) {
	t.Parallel()
	for _, s := range tree(t) {
		if s.ast == nil || !s.isTest() && s.dir() != "slipwaytest" {
			continue
		}
		ast.Inspect(s.ast, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok && isTimeSleep(sel) {
				t.Errorf("%s:%d: time.Sleep; use testing/synctest, or wait for what is meant", s.path, s.line(n))
			}
			return true
		})
	}
}

// isTimeSleep does not ask whether the call stands in a synctest bubble, where
// it costs nothing: <-time.After(d) does the same there, and the rule stays one
// that a reader can hold a file against at a glance.
func isTimeSleep(sel *ast.SelectorExpr) bool {
	pkg, ok := sel.X.(*ast.Ident)
	return ok && pkg.Name == "time" && sel.Sel.Name == "Sleep"
}

// strangers match what has no place in the project: directories and tools of
// the machine it was written on, mirrors it was built from, unfinished work.
// They are spelled so that this file does not match itself.
var strangers = map[string]*regexp.Regexp{
	"a directory of one machine": regexp.MustCompile(`(^|[^\w.~-])/(ro` + `ot|wo` + `rk)/`),
	"a home directory":           regexp.MustCompile(`/ho` + `me/[a-z]`),
	"the host of a registry": regexp.MustCompile(
		`(proxy\.gol` + `ang\.org|sum\.gol` + `ang\.org|repo1?\.maven|maven\.apache\.org/maven2|registry\.npm` + `js|deb\.deb` + `ian\.org|pyp` + `i\.org)`),
	"how it was written": regexp.MustCompile(
		`(?i)\b(cla` + `ude|chat` + `gpt|sub-?age` + `nts?|language mod` + `el|helper sess` + `ion|AI (assis` + `tant|age` + `nt))\b`),
	"unfinished work": regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X)\b|(?i:not impl` + `emented)|panic\("to` + `do`),
}

func TestNoFileMentionsWhatIsNotTheProjects(t *testing.T) {
	t.Parallel()
	for _, s := range tree(t) {
		if path.Base(s.path) == "go.sum" || strings.Contains(s.path, "/testdata/fuzz/") {
			continue
		}
		for what, re := range strangers {
			for _, at := range re.FindAllIndex(s.text, 3) {
				line := 1 + strings.Count(string(s.text[:at[0]]), "\n")
				t.Errorf("%s:%d: %q is %s", s.path, line, s.text[at[0]:at[1]], what)
			}
		}
	}
}

// A rule that never matches anything is no rule.
func TestStrangersAreRecognised(t *testing.T) {
	t.Parallel()
	for what, text := range map[string]string{
		"a directory of one machine": "see /wo" + "rk/main",
		"a home directory":           "/ho" + "me/anna/x",
		"the host of a registry":     "https://proxy.gol" + "ang.org/x",
		"how it was written":         "written by a sub" + "agent",
		"unfinished work":            "// TO" + "DO: later",
	} {
		var got []string
		for name, re := range strangers {
			if re.MatchString(text) {
				got = append(got, name)
			}
		}
		if !slices.Equal(got, []string{what}) {
			t.Errorf("%q is recognised as %q, want %q", text, got, what)
		}
	}
	for _, text := range []string{"a framework/x", "https://slipway.example/ro" + "ot/x", "user agents", "go.work"} {
		for name, re := range strangers {
			if re.MatchString(text) {
				t.Errorf("%q is recognised as %s", text, name)
			}
		}
	}
}

// A file that is longer than this holds more than one noun.
func TestNoFileIsTooLongToRead(t *testing.T) {
	t.Parallel()
	const limit = 700
	for _, s := range tree(t) {
		if s.ast == nil || ast.IsGenerated(s.ast) {
			continue
		}
		if n := strings.Count(string(s.text), "\n"); n > limit {
			t.Errorf("%s has %d lines, at most %d", s.path, n, limit)
		}
	}
}
