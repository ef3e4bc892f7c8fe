package scaffold

import (
	"maps"
	"path/filepath"
	"slices"
)

// WriteContract writes a contract that was made elsewhere, with the files it names,
// by their paths relative to dir. There is no program with it: what it shall do is
// not in a contract.
func WriteContract(dir, service string, files map[string][]byte) (Result, error) {
	var all []file
	for _, name := range slices.Sorted(maps.Keys(files)) {
		all = append(all, file{name, files[name]})
	}
	if err := put(dir, all); err != nil {
		return Result{}, err
	}
	var steps []string
	if dir = filepath.Clean(dir); dir != "." {
		steps = append(steps, "cd "+quoted(dir))
	}
	return Result{Service: service, Dir: dir, Files: paths(all), Steps: append(steps, "slipway validate")}, nil
}
