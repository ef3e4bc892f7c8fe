package postgres

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/slipway-go/slipway/diag"
)

// installed are where distributions put the programs of each version; they are
// not in PATH there.
var installed = []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin", "/usr/local/opt/postgresql@*/bin"}

// programs are those that are run.
var programs = []string{"postgres", "initdb", "createdb"}

// find returns the directory of Postgres's programs.
func find(dir string) (string, error) {
	if dir != "" {
		if complete(dir) {
			return dir, nil
		}
		return "", diag.New(diag.PostgresMissing, "%s holds no Postgres server", dir)
	}
	for _, pattern := range installed {
		dirs, _ := filepath.Glob(pattern) // the patterns are good
		slices.SortFunc(dirs, func(a, b string) int { return versionOf(b) - versionOf(a) })
		for _, dir := range dirs {
			if complete(dir) {
				return dir, nil
			}
		}
	}
	if path, err := exec.LookPath("initdb"); err == nil && complete(filepath.Dir(path)) {
		return filepath.Dir(path), nil
	}
	return "", diag.New(diag.PostgresMissing, "no Postgres server is installed")
}

// versionOf reads the number in a distribution's path.
func versionOf(dir string) int {
	digits := strings.Map(func(c rune) rune {
		if c < '0' || c > '9' {
			return -1
		}
		return c
	}, dir)
	n, _ := strconv.Atoi(digits) // none is the oldest
	return n
}

func complete(dir string) bool {
	return !slices.ContainsFunc(programs, func(name string) bool {
		info, err := os.Stat(filepath.Join(dir, name))
		return err != nil || info.IsDir()
	})
}
