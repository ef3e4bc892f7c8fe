package config

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

// A Config says what a configuration is put together from.
type Config struct {
	// Contract is the service's, which says what keys there are. Required. It is
	// laid out for the environment that Environ names, if it is not already.
	Contract *contract.Service

	// Dir is a mounted directory with common.yaml and <environment>.yaml, both
	// laid over Files. Defaults to the variable CONFIG_PATH; if that is not set
	// either, there is none.
	Dir string

	// Environ is the environment as os.Environ returns it. Of ENVIRONMENT in it
	// follows which files count, of CONFIG_PATH and SECRETS_PATH which directories
	// are read.
	Environ []string

	// Every is how often files and sources are looked at by [Loader.Follow].
	//
	// Defaults to 1 second.
	Every time.Duration

	// Files has config/common.yaml and config/<environment>.yaml, if there are
	// any.
	Files fs.FS

	// Flags are values from the command line, by key. Commas divide lists. Secrets
	// are refused.
	Flags map[string]string

	// Set are values that the program sets itself, by key.
	Set map[string]string

	// Sources are others, the highest first.
	Sources []Source
}

// A Loader puts configurations together, now and whenever something changes.
// It is safe for concurrent use.
type Loader struct {
	cfg      Config
	env      map[string]string
	name     string // the environment's
	keys     []Key
	index    map[string]Key
	root     *branch
	variable []layer
	warnings diag.List

	mu      sync.Mutex
	sources []*followed
	parsed  map[string]*parsedFile
}

var environmentName = regexp.MustCompile(`^[a-z0-9]{1,12}$`)

// New returns a loader. It reads nothing yet, but judges what the contract
// declares, see [Check].
func New(cfg Config) (*Loader, error) {
	l := &Loader{cfg: cfg, env: environ(cfg.Environ), parsed: map[string]*parsedFile{}}
	l.cfg.Every = cmp.Or(cfg.Every, time.Second)
	l.cfg.Dir = cmp.Or(cfg.Dir, l.env["CONFIG_PATH"])
	l.name = l.env["ENVIRONMENT"]
	if l.name != "" && !environmentName.MatchString(l.name) {
		return nil, diag.New(diag.ConfigEnvironment, "ENVIRONMENT is %.20q", l.name).WithFix("use at most 12 lower-case letters and digits")
	}
	if l.name != "" && cfg.Contract.Env != l.name {
		laid, list := cfg.Contract.In(l.name)
		if err := list.Err(); err != nil {
			return nil, err
		}
		l.cfg.Contract = laid
	}
	if err := Check(l.cfg.Contract).Err(); err != nil {
		return nil, err
	}
	l.keys = KeysOf(l.cfg.Contract)
	l.index = byName(l.keys)
	l.root = grow(l.keys)
	l.variable, l.warnings = variables(l.keys, l.env)
	if dir := l.env["SECRETS_PATH"]; dir != "" {
		l.sources = append(l.sources, &followed{Source: Directory(dir)})
	}
	for _, s := range cfg.Sources {
		l.sources = append(l.sources, &followed{Source: s})
	}
	return l, nil
}

func byName(keys []Key) map[string]Key {
	index := make(map[string]Key, len(keys))
	for _, k := range keys {
		index[k.Name] = k
	}
	return index
}

// Load reads every layer. The error has every fault of every layer, as a
// [diag.List]. A source that cannot be read is one, unless an earlier Load has
// read it: then what it gave is kept, and the values warn of it.
func (l *Loader) Load(ctx context.Context) (*Values, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return required(l.load(ctx, true))
}

// Preview is [Loader.Load] where not all is at hand that a service has: what is
// required may be without a value.
func (l *Loader) Preview(ctx context.Context) (*Values, diag.List, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	v, err := l.load(ctx, true)
	if err != nil {
		return nil, nil, err
	}
	return v, slices.Clone(v.missing), nil
}

func required(v *Values, err error) (*Values, error) {
	if err != nil {
		return nil, err
	}
	if err := v.missing.Err(); err != nil {
		return nil, err
	}
	return v, nil
}

// load reads every layer; of the sources, unless all are asked, those that may
// have changed.
func (l *Loader) load(ctx context.Context, all bool) (*Values, error) {
	m := &merge{keys: l.index, won: map[string]cell{}}
	warnings := slices.Clone(l.warnings)
	for _, given := range texts(l.cfg.Set) {
		m.lay(layer{LayerSet, "set by the program", []Given{given}})
	}
	for _, given := range texts(l.cfg.Flags) {
		m.lay(layer{LayerFlag, "flag --set " + given.Key, []Given{given}})
	}
	for _, one := range l.variable {
		m.lay(one)
	}
	for _, s := range l.sources {
		given, fault := s.read(ctx, all)
		if fault.Severity == diag.Warning {
			warnings.Add(fault)
		} else if fault.Code != "" {
			m.list.Add(fault)
		}
		m.lay(layer{LayerSource, "source " + s.Name(), given})
	}
	for _, file := range l.documents(&m.list, &warnings) {
		m.lay(file)
	}
	if m.list.Failed() {
		m.list.Sort()
		return nil, m.list
	}
	v := resolve(l.cfg.Contract, l.keys, m.won)
	if err := ordered(l.cfg.Contract, v).Err(); err != nil {
		return nil, err
	}
	v.warnings = warnings
	return v, nil
}

// texts are values by key, in order.
func texts(values map[string]string) (given []Given) {
	for _, key := range slices.Sorted(maps.Keys(values)) {
		given = append(given, Given{Key: key, Text: values[key]})
	}
	return given
}

// documents are the layers of all files: those of the mounted directory above
// those beside the contract.
func (l *Loader) documents(list, warnings *diag.List) (all []layer) {
	if l.cfg.Dir != "" {
		docs, faults := mounted(l.cfg.Dir, l.name)
		*list = append(*list, faults...)
		all = l.files(docs, list)
	}
	docs, faults := embedded(l.cfg.Files, l.name)
	*list = append(*list, faults...)
	within := l.files(docs, list)
	for _, file := range within {
		*warnings = append(*warnings, l.exposed(file.given)...)
	}
	return append(all, within...)
}

// exposed warns of secrets in files that are part of the program, and of the
// repository it is built from.
func (l *Loader) exposed(given []Given) (list diag.List) {
	for _, g := range given {
		k := l.index[g.Key]
		own := l.cfg.Contract.Config[g.Key] != nil
		if !k.Secret || g.Text == "" || !own && masked(g.Text) == g.Text { // an address alone is no secret
			continue
		}
		list.Add(diag.Warn(diag.ConfigSecretInFile, "%s is a secret, and the file is part of the program", g.Key).At(g.At).
			WithFix("remove it here and set %s, or let SECRETS_PATH or another source give it; what was committed is known: change it", k.Variables[0]))
	}
	return list
}

// ordered judges what values say of each other.
func ordered(svc *contract.Service, v *Values) (list diag.List) {
	for _, name := range slices.Sorted(maps.Keys(svc.Consumes)) {
		first, longest := fmt.Sprintf("%s.%s.retry.first", entries, name), fmt.Sprintf("%s.%s.retry.max", entries, name)
		if v.find(first) < 0 || v.Duration(first) <= v.Duration(longest) || !v.Has(first) && !v.Has(longest) {
			continue
		}
		list.Add(diag.New(diag.ConfigValue, "%s is %s, and %s is %s", first, v.Text(first), longest, v.Text(longest)).
			WithEvidence("they come from %s and %s", v.cell(first).where, v.cell(longest).where).
			WithFix("make the first wait no longer than the longest"))
	}
	return list
}
