package arch_test

import (
	"fmt"
	"go/ast"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// testName finds the tests that a row names, in backquotes, with or without
// the package before it.
var testName = regexp.MustCompile("`(?:[\\w/.-]+\\.)?((?:Test|Fuzz|Example)[A-Z_]\\w*)`")

func TestEveryGuaranteeNamesATestThatExists(t *testing.T) {
	t.Parallel()
	const file = "docs/guarantees.md"
	tests := map[string]bool{}
	var text string
	for _, s := range tree(t) {
		if s.path == file {
			text = string(s.text)
		}
		if s.ast == nil || !s.isTest() {
			continue
		}
		for _, d := range s.ast.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil {
				tests[f.Name.Name] = true
			}
		}
	}
	if text == "" {
		t.Fatalf("%s is missing", file)
	}
	for _, fault := range faultyRows(text, tests) {
		t.Errorf("%s:%s", file, fault)
	}
}

// faultyRows returns what is wrong with the rows of a document's tables, the
// headings left out.
func faultyRows(text string, tests map[string]bool) []string {
	var faults []string
	var rows int
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		heading := i+1 < len(lines) && isRule(lines[i+1])
		if !strings.HasPrefix(line, "|") || isRule(line) || heading {
			continue
		}
		rows++
		names := testName.FindAllStringSubmatch(line, -1)
		if len(names) == 0 {
			faults = append(faults, fmt.Sprintf("%d: the row names no test", i+1))
		}
		for _, name := range names {
			if !tests[name[1]] {
				faults = append(faults, fmt.Sprintf("%d: %s does not exist", i+1, name[1]))
			}
		}
	}
	if rows == 0 {
		faults = append(faults, "1: no table has a row")
	}
	return faults
}

// isRule reports whether a line separates a table's heading from its rows.
func isRule(line string) bool {
	return strings.HasPrefix(line, "|") && strings.Contains(line, "-") && strings.Trim(line, "|-: ") == ""
}

func TestAGuaranteeWithoutItsTestIsNoticed(t *testing.T) {
	t.Parallel()
	doc := func(rows ...string) string {
		return strings.Join(slices.Concat([]string{"# Guarantees", "", "| promise | test |", "|---|:--|"}, rows), "\n")
	}
	for name, tt := range map[string]struct {
		text string
		want []string
	}{
		"named and there": {doc("| order | `TestOrder`, `lane.TestLane` |"), nil},
		"not there":       {doc("| order | `TestOrder`, `TestGone` |"), []string{"5: TestGone does not exist"}},
		"unnamed":         {doc("| order | by design |"), []string{"5: the row names no test"}},
		"empty":           {doc(), []string{"1: no table has a row"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := faultyRows(tt.text, map[string]bool{"TestOrder": true, "TestLane": true})
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("faults differ:\n%s", diff)
			}
		})
	}
}
