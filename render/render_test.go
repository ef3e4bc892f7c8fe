package render_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/render"
)

// files makes files of paths and contents.
func files(pairs ...string) []render.File {
	var all []render.File
	for i := 0; i < len(pairs); i += 2 {
		all = append(all, render.File{Path: pairs[i], Content: []byte(pairs[i+1])})
	}
	return all
}

// A tree is a directory that files were written to.
type tree struct {
	t   *testing.T
	dir string
}

func newTree(t *testing.T) tree {
	t.Helper()
	return tree{t, filepath.Join(t.TempDir(), "out")}
}

func (d tree) write(over render.Overwrite, fs []render.File) []render.Difference {
	d.t.Helper()
	changed, err := render.Write(d.dir, "rules", fs, over)
	if err != nil {
		d.t.Fatal(err)
	}
	return changed
}

func (d tree) put(path, text string) {
	d.t.Helper()
	if err := os.WriteFile(filepath.Join(d.dir, path), []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

// content is what files hold, but for the list.
func (d tree) content() map[string]string {
	d.t.Helper()
	all := make(map[string]string)
	names, err := filepath.Glob(filepath.Join(d.dir, "*"))
	if err != nil {
		d.t.Fatal(err)
	}
	more, _ := filepath.Glob(filepath.Join(d.dir, "*", "*"))
	for _, name := range append(names, more...) {
		rel, _ := filepath.Rel(d.dir, name)
		if data, err := os.ReadFile(name); err == nil && filepath.Base(rel)[0] != '.' {
			all[filepath.ToSlash(rel)] = string(data)
		}
	}
	return all
}

func TestCheckTellsWhatWritingWouldChange(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		before func(tree)
		want   []render.Difference
	}{
		"nothing is there": {func(tree) {}, []render.Difference{{Path: "a.yaml", State: render.Missing}, {Path: "b/c.yaml", State: render.Missing}}},
		"all is there":     {func(d tree) { d.write(render.Refuse, files("a.yaml", "a", "b/c.yaml", "c")) }, nil},
		"the contracts say something else": {
			func(d tree) { d.write(render.Refuse, files("a.yaml", "once", "b/c.yaml", "c")) },
			[]render.Difference{{Path: "a.yaml", State: render.Changed}},
		},
		"a file follows no longer": {
			func(d tree) { d.write(render.Refuse, files("a.yaml", "a", "b/c.yaml", "c", "gone.yaml", "g")) },
			[]render.Difference{{Path: "gone.yaml", State: render.Stale}},
		},
		"one that follows no longer was edited": {
			func(d tree) {
				d.write(render.Refuse, files("a.yaml", "a", "b/c.yaml", "c", "gone.yaml", "g"))
				d.put("gone.yaml", "mine")
			},
			[]render.Difference{{Path: "gone.yaml", State: render.Edited}},
		},
		"a file was edited": {
			func(d tree) {
				d.write(render.Refuse, files("a.yaml", "a", "b/c.yaml", "c"))
				d.put("a.yaml", "mine")
			},
			[]render.Difference{{Path: "a.yaml", State: render.Edited}},
		},
		"somebody else's file is in the way": {
			func(d tree) { d.write(render.Refuse, files("b/c.yaml", "c")); d.put("a.yaml", "mine") },
			[]render.Difference{{Path: "a.yaml", State: render.Foreign}},
		},
		"somebody else's file holds the same": {
			func(d tree) { d.write(render.Refuse, files("b/c.yaml", "c")); d.put("a.yaml", "a") }, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newTree(t)
			tt.before(d)
			got, err := render.Check(d.dir, "rules", files("a.yaml", "a", "b/c.yaml", "c"))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Check() (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWriteLosesNobodysWork(t *testing.T) {
	t.Parallel()
	d := newTree(t)
	d.write(render.Refuse, files("a.yaml", "a", "b.yaml", "b"))
	d.put("a.yaml", "edited")
	d.put("mine.yaml", "mine")
	next := files("a.yaml", "a2", "b.yaml", "b2", "mine.yaml", "m")
	_, err := render.Write(d.dir, "rules", next, render.Refuse)
	if !errors.Is(err, diag.RenderEdited) || !errors.Is(err, diag.RenderForeign) {
		t.Errorf("Write() = %v, want both files to be told of", err)
	}
	if diff := cmp.Diff(map[string]string{"a.yaml": "edited", "b.yaml": "b", "mine.yaml": "mine"}, d.content()); diff != "" {
		t.Errorf("a refused write changed something (-want +got):\n%s", diff)
	}
	d.write(render.Insist, next)
	if diff := cmp.Diff(map[string]string{"a.yaml": "a2", "b.yaml": "b2", "mine.yaml": "m"}, d.content()); diff != "" {
		t.Errorf("after a write that insists (-want +got):\n%s", diff)
	}
}

func TestWriteRemovesOnlyWhatItHasWritten(t *testing.T) {
	t.Parallel()
	d := newTree(t)
	d.write(render.Refuse, files("a.yaml", "a", "b.yaml", "b"))
	d.put("mine.yaml", "mine")
	changed := d.write(render.Refuse, files("a.yaml", "a"))
	if diff := cmp.Diff([]render.Difference{{Path: "b.yaml", State: render.Stale}}, changed); diff != "" {
		t.Errorf("Write() (-want +got):\n%s", diff)
	}
	if got := slices.Sorted(maps.Keys(d.content())); !slices.Equal(got, []string{"a.yaml", "mine.yaml"}) {
		t.Errorf("the directory has %v", got)
	}
	if changed := d.write(render.Refuse, files("a.yaml", "a")); len(changed) != 0 {
		t.Errorf("a second write changed %v", changed)
	}
}

func TestWriteLeavesNoEmptyDirectoriesBehind(t *testing.T) {
	t.Parallel()
	d := newTree(t)
	d.write(render.Refuse, files("gone/base/a.yaml", "1", "gone/own/b.yaml", "1"))
	d.put("gone/own/patch.yaml", "mine")
	d.write(render.Refuse, files("next/a.yaml", "1"))
	for name, want := range map[string]bool{"gone/base": false, "gone/own": true, "next": true} {
		if _, err := os.Stat(filepath.Join(d.dir, name)); (err == nil) != want {
			t.Errorf("%s: %v, want it there: %v", name, err, want)
		}
	}
}

// The temporary file's name is a link to where nothing is, so that writing fails with
// the very error that a file which is not there has.
func TestAFileThatCannotBeWrittenIsNotTakenForWritten(t *testing.T) {
	t.Parallel()
	d := newTree(t)
	d.write(render.Refuse, files("a.yaml", "1", "b.yaml", "1"))
	if err := os.Symlink("nowhere/x", filepath.Join(d.dir, ".b.yaml.new")); err != nil {
		t.Fatal(err)
	}
	_, err := render.Write(d.dir, "rules", files("a.yaml", "2", "b.yaml", "2"), render.Refuse)
	if !errors.Is(err, diag.RenderDirectory) || !strings.Contains(fmt.Sprint(err), filepath.Join(d.dir, "b.yaml")) {
		t.Errorf("write = %v, want %s for b.yaml", err, diag.RenderDirectory)
	}
	if got, err := os.ReadFile(filepath.Join(d.dir, "b.yaml")); err != nil || string(got) != "1" {
		t.Errorf("b.yaml holds %q, %v", got, err)
	}
}

func TestTwoTargetsShareADirectory(t *testing.T) {
	t.Parallel()
	d := newTree(t)
	d.write(render.Refuse, files("a.yaml", "a"))
	if _, err := render.Write(d.dir, "boards", files("b.json", "b"), render.Refuse); err != nil {
		t.Fatal(err)
	}
	if got, err := render.Check(d.dir, "rules", files("a.yaml", "a")); err != nil || len(got) != 0 {
		t.Errorf("Check() = %v, %v: the other target's files are not its concern", got, err)
	}
}

func TestAWriteThatEndedInTheMiddleIsCompleted(t *testing.T) {
	t.Parallel()
	d := newTree(t)
	d.write(render.Refuse, files("a.yaml", "a", "b.yaml", "b"))
	d.put("a.yaml", "a2") // and then the power went out
	if changed := d.write(render.Refuse, files("a.yaml", "a2", "b.yaml", "b2")); len(changed) != 1 || changed[0].Path != "b.yaml" {
		t.Errorf("Write() changed %v, want b.yaml", changed)
	}
}

func TestWhatCannotBeReadIsAProblemWithACode(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		before func(tree)
		want   diag.Code
	}{
		"a list of another form": {func(d tree) { d.put(".slipway-rules.sha256", "nonsense\n") }, diag.RenderList},
		"a list that climbs out": {func(d tree) {
			d.put(".slipway-rules.sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  ../x\n")
		}, diag.RenderList},
		"a directory in the way": {func(d tree) {
			if err := os.Mkdir(filepath.Join(d.dir, "a.yaml"), 0o750); err != nil {
				d.t.Fatal(err)
			}
		}, diag.RenderDirectory},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newTree(t)
			d.write(render.Refuse, files("b.yaml", "b"))
			tt.before(d)
			if _, err := render.Write(d.dir, "rules", files("a.yaml", "a"), render.Insist); !errors.Is(err, tt.want) {
				t.Errorf("Write() = %v, want %s", err, tt.want)
			}
		})
	}
}

func TestALinkLeadsNowhereOutside(t *testing.T) {
	t.Parallel()
	d := newTree(t)
	d.write(render.Refuse, nil)
	outside := t.TempDir()
	if err := os.Symlink(outside, filepath.Join(d.dir, "rules")); err != nil {
		t.Fatal(err)
	}
	if _, err := render.Write(d.dir, "rules", files("rules/a.yaml", "a"), render.Insist); err == nil {
		t.Error("Write() followed a link out of the directory")
	}
	if left, _ := os.ReadDir(outside); len(left) > 0 {
		t.Errorf("it wrote %v there", left)
	}
}

func TestAnUnknownTargetNamesTheKnown(t *testing.T) {
	t.Parallel()
	_, err := render.Find([]render.Target{{Name: "prometheus"}, {Name: "grafana"}}, "helm")
	if !errors.Is(err, diag.RenderTarget) {
		t.Errorf("Find() = %v, want %s", err, diag.RenderTarget)
	}
}
