//go:build kubernetes

package kubernetes_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/yaml"
)

// checkov is the release that judges.
const checkov = "3.3.30"

// A finding is what a judge of manifests says of an object.
type finding struct {
	judge, check string
	object       string // kind/name
	tree         string
	said         string
}

// An exception is a finding that is as it should be, with the reason in writing.
type exception struct {
	judge, check, trees string
	used                bool
}

// Nothing that Checkov or kube-score finds is left as it is without a reason, and no
// reason outlives what it is for.
func TestEveryFindingIsJustified(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	names := manifests(t, dir)
	all := append(scored(t, dir, names), checked(t, dir, names)...)
	exceptions := exceptions(t)
	for _, f := range all {
		if i := slices.IndexFunc(exceptions, func(e *exception) bool { return e.holds(f) }); i >= 0 {
			exceptions[i].used = true
			continue
		}
		t.Errorf("%s: %s of %s: %s: %s", f.judge, f.check, f.tree, f.object, f.said)
	}
	for _, e := range exceptions {
		if !e.used {
			t.Errorf("exceptions.md justifies %s of %s for %s, which finds nothing", e.check, e.judge, e.trees)
		}
	}
}

// manifests writes what teams apply together into a file each, and returns its name by
// file: each tree that stands for itself, and each overlay with all of its components.
func manifests(t *testing.T, dir string) map[string]string {
	t.Helper()
	names := map[string]string{}
	for name, objects := range applied(t) {
		var text strings.Builder
		for _, o := range objects {
			data, err := yaml.Marshal(o)
			if err != nil {
				t.Fatal(err)
			}
			text.WriteString("---\n" + string(data))
		}
		file := fmt.Sprintf("%03d.yaml", len(names))
		names[file] = name
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return names
}

// applied are the objects of all golden trees, as they come to be together.
func applied(t *testing.T) map[string][]object {
	t.Helper()
	all, components := map[string][]object{}, map[string][]string{} // by overlay
	for _, tr := range trees(t) {
		if tr.onto == "" {
			all[tr.String()] = tr.built(t)
			continue
		}
		components[tr.onto] = append(components[tr.onto], tr.path)
	}
	for onto, paths := range components {
		ns, _ := documents(t, filepath.Join(onto, "kustomization.yaml"))[0]["namespace"].(string)
		whole := tree{target: "kustomize", path: overlay(t, onto, types.Kustomization{Components: paths, Namespace: ns})}
		all["all components on "+tree{path: onto}.String()] = whole.built(t)
	}
	return all
}

// scored is what kube-score finds. Each tree is judged for itself: a service is to be
// found with its policies and its budget.
func scored(t *testing.T, dir string, names map[string]string) []finding {
	t.Helper()
	score, err := program(t.Context(), "score", "kube-score", "github.com/zegl/kube-score/cmd/kube-score")
	if err != nil {
		t.Fatal(err)
	}
	var all []finding
	for file, tree := range names {
		out, err := run(t.Context(), dir, score, "score", "--output-format=json", "--kubernetes-version=v1.34", "--exit-one-on-warning=false", file)
		if out == "" {
			t.Fatal(err) // it fails with findings, too
		}
		var objects []struct {
			Type   struct{ Kind string } `json:"type_meta"`
			Object struct{ Name string } `json:"object_meta"`
			Checks []struct {
				Check    struct{ ID string }
				Grade    int
				Skipped  bool
				Comments []struct{ Path, Summary string }
			}
		}
		if err := json.Unmarshal([]byte(out), &objects); err != nil {
			t.Fatalf("kube-score says %s: %v", out, err)
		}
		for _, o := range objects {
			for _, c := range o.Checks {
				if !c.Skipped && c.Grade < 7 { // almost good, at least
					all = append(all, finding{"kube-score", c.Check.ID, o.Type.Kind + "/" + o.Object.Name, tree, fmt.Sprint(c.Comments)})
				}
			}
		}
	}
	return all
}

// checked is what Checkov finds.
func checked(t *testing.T, dir string, names map[string]string) []finding {
	t.Helper()
	program, err := installed(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	out, err := run(t.Context(), dir, program, "--directory=.", "--framework=kubernetes", "--output=json", "--quiet", "--compact", "--skip-download", "--soft-fail")
	if err != nil {
		t.Fatal(err)
	}
	var report struct {
		Results struct {
			Failed []struct {
				ID       string `json:"check_id"`
				Name     string `json:"check_name"`
				Resource string
				File     string `json:"file_path"`
			} `json:"failed_checks"`
			Errors []string `json:"parsing_errors"`
		}
		Summary struct{ Passed int }
	}
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatalf("checkov says %s: %v", out, err)
	}
	if report.Summary.Passed < 5*len(names) || len(report.Results.Errors) > 0 { // more than half of them have a pod
		t.Errorf("checkov has passed %d checks of %d trees, and could not read %v", report.Summary.Passed, len(names), report.Results.Errors)
	}
	var all []finding
	for _, f := range report.Results.Failed {
		parts := strings.Split(f.Resource, ".") // kind.namespace.name
		all = append(all, finding{"Checkov", f.ID, parts[0] + "/" + parts[len(parts)-1], names[path.Base(f.File)], f.Name})
	}
	return all
}

// installed installs Checkov into the user's cache, once, and returns its path.
func installed(ctx context.Context) (string, error) {
	building.Lock()
	defer building.Unlock()
	cache, err := cache()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "checkov-"+checkov)
	program, done := filepath.Join(dir, "bin", "checkov"), filepath.Join(dir, "installed")
	if _, err := os.Stat(done); err == nil {
		return program, nil
	}
	fmt.Fprintf(os.Stderr, "checkov %s is installed, once\n", checkov)
	if err := install(ctx, dir, "checkov=="+checkov); err != nil {
		return "", err
	}
	return program, os.WriteFile(done, nil, 0o600)
}

// exceptions reads the table of exceptions.md: judge, check, trees and reason.
func exceptions(t *testing.T) []*exception {
	t.Helper()
	text, err := os.ReadFile("exceptions.md")
	if err != nil {
		t.Fatal(err)
	}
	var all []*exception
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 4 || strings.HasPrefix(line, "|---") || strings.HasPrefix(line, "| Judge") {
			continue
		}
		for i := range cells {
			cells[i] = strings.Trim(strings.TrimSpace(cells[i]), "`")
		}
		if cells[3] == "" {
			t.Errorf("%s of %s has no reason", cells[1], cells[0])
		}
		all = append(all, &exception{judge: cells[0], check: cells[1], trees: cells[2]})
	}
	return all
}

// holds reports whether a finding is what an exception is for.
func (e *exception) holds(f finding) bool {
	return e.judge == f.judge && e.check == f.check && strings.HasSuffix(f.tree, strings.TrimPrefix(e.trees, "*"))
}
