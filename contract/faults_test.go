package contract_test

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestEveryFaultIsToldWithPlaceCauseAndFix loads and validates each estate of
// testdata/faults and compares what is told with its last file.
func TestEveryFaultIsToldWithPlaceCauseAndFix(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/faults/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal(len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			want := ""
			if last := archive.Files[len(archive.Files)-1]; last.Name == "want" {
				want = string(last.Data)
				archive.Files = archive.Files[:len(archive.Files)-1]
			}
			got := render(judge(archive))
			if *update {
				archive.Files = append(archive.Files, txtar.File{Name: "want", Data: []byte(got)})
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func judge(archive *txtar.Archive) diag.List {
	fsys := fstest.MapFS{}
	for _, f := range archive.Files {
		fsys[f.Name] = &fstest.MapFile{Data: f.Data}
	}
	return judgeFS(fsys)
}

func judgeFS(fsys fs.FS) diag.List {
	e, list := contract.Load(fsys, ".")
	list = append(list, e.Validate()...)
	list.Sort()
	return list
}

// render writes a list as a reader sees it.
func render(list diag.List) string {
	var b strings.Builder
	for _, d := range list {
		fmt.Fprintf(&b, "%s: %s[%s]: %s\n", d.Position, d.Severity, d.Code, diag.Escape(d.Message))
		for _, e := range d.Evidence {
			fmt.Fprintf(&b, "  evidence: %s\n", diag.Escape(e))
		}
		fmt.Fprintf(&b, "  fix: %s\n", d.Remedy())
	}
	return b.String()
}
