package observability_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/render"
	"github.com/slipway-go/slipway/render/monitoring"
)

// estates are what rules and dashboards are rendered of, by name, with the
// environment.
var estates = map[string]struct{ dir, env string }{
	"shop":       {filepath.Join("..", "examples", "shop"), "dev"},
	"everything": {filepath.Join("..", "render", "monitoring", "testdata", "everything"), "prod"},
}

// input is what a target knows of an estate.
func input(t *testing.T, name string) render.Input {
	t.Helper()
	e := estates[name]
	estate, problems := contract.Load(os.DirFS(e.dir), ".")
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	return render.Input{Estate: estate, Environment: e.env}
}

// write renders what watches an estate by Prometheus into a directory.
func write(t *testing.T, name, dir string) {
	t.Helper()
	target := monitoring.Prometheus()
	files, err := target.Files(input(t, name))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := render.Write(dir, target.Name, files, render.Refuse); err != nil {
		t.Fatal(err)
	}
}
