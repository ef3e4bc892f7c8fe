package contract

import (
	"io/fs"
	"iter"
	"maps"
	"path"
	"slices"
	"strings"
)

// configDir is the directory of configuration files beside a contract.
const configDir = "config"

// ConfigFiles yields the configuration files beside the contract, such as
// common.yaml and prod.yaml, in order of their names, with their content as it was
// when the estate was loaded. A contract that was parsed alone has none. What is in
// them is judged by package config, and not part of [Service.Hash].
func (s *Service) ConfigFiles() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, name := range slices.Sorted(maps.Keys(s.source.config)) {
			if !yield(name, s.source.config[name]) {
				return
			}
		}
	}
}

// readConfig keeps the configuration files beside a contract. What cannot be read
// is left out here: package config says what is wrong with it.
func (s *source) readConfig(fsys fs.FS) {
	dir := path.Join(path.Dir(s.file), configDir)
	files, err := fs.ReadDir(fsys, dir)
	if err != nil {
		return
	}
	for _, f := range files {
		if !f.Type().IsRegular() || !strings.HasSuffix(f.Name(), ".yaml") {
			continue
		}
		data, err := readFile(fsys, path.Join(dir, f.Name()))
		if err != nil {
			continue
		}
		if s.config == nil {
			s.config = map[string]string{}
		}
		s.config[f.Name()] = string(data)
	}
}
