package contract

import (
	"errors"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/diag"
)

// The names of the files.
const (
	ServiceFile  = "slipway.yaml"
	ClustersFile = "clusters.yaml"
	ExternalFile = "external.yaml"
)

// ParseClusters reads the platform team's file and judges it alone. The
// clusters are nil if the file could not be read at all.
func ParseClusters(fsys fs.FS, file string) (*Clusters, diag.List) {
	root, _, list := readDocument(fsys, file)
	if root == nil || misnamed(file, root, clustersKind, &list) {
		return nil, list
	}
	c := &Clusters{source: source{file: file, root: root, tree: root}, Environments: map[string]map[string]Binding{}}
	d := &decoder{file: file, root: root}
	clustersType().read(d, root, c)
	for env, aliases := range c.bindings {
		c.Environments[env] = map[string]Binding{}
		for alias, b := range *aliases {
			c.Environments[env][alias] = *b
		}
	}
	list = append(list, d.list...)
	list = append(list, c.check()...)
	list.Sort()
	return c, list
}

// devClusters is what an estate without a clusters.yaml has: environment dev
// on the embedded cluster.
func devClusters() *Clusters {
	return &Clusters{
		Environments: map[string]map[string]Binding{"dev": {DefaultAlias: {Cluster: Embedded}}},
		TopicNaming:  regexp.MustCompile(DefaultTopicNaming),
	}
}

// ParseExternal reads the file that lists what others own. The result is nil
// if the file could not be read at all.
func ParseExternal(fsys fs.FS, file string) (*External, diag.List) {
	root, _, list := readDocument(fsys, file)
	if root == nil || misnamed(file, root, externalKind, &list) {
		return nil, list
	}
	e := &External{source: source{file: file, root: root, tree: root, schemas: map[string]string{}}}
	d := &decoder{file: file, root: root}
	externalType().read(d, root, e)
	list = append(list, d.list...)
	for name, t := range e.Topics {
		if t.Schema != nil {
			element := "topics/" + name + "/schema"
			list = append(list, t.Schema.settle(e.Position(element))...)
			list = append(list, e.source.readSchema(fsys, t.Schema, element)...)
		}
	}
	for name, r := range e.Readers {
		element := "readers/" + name + "/schema"
		list = append(list, r.Schema.settle(e.Position(element))...)
		list = append(list, e.source.readSchema(fsys, &r.Schema, element)...)
	}
	list.Sort()
	return e, list
}

// Load reads every contract in dir and below, with the clusters.yaml and the
// external.yaml in dir itself. Hidden directories, node_modules, vendor and
// testdata are skipped, and links are not followed. Without a clusters.yaml
// the estate has one environment, dev, on the embedded cluster. With an
// estate.yaml in dir, the contracts that it lists are read from where they were
// pulled to, each only if it is the one that estate.lock names.
//
// The estate is never nil. It holds what could be read even if the list has
// errors, so that [Estate.Validate] can say more.
func Load(fsys fs.FS, dir string) (*Estate, diag.List) {
	e := &Estate{Clusters: devClusters(), External: &External{}}
	var list diag.List
	err := fs.WalkDir(fsys, path.Clean(dir), func(file string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			list.Add(unread(file, entry, err))
			return skipDir(entry)
		case entry.IsDir() && file != path.Clean(dir) && skipped(entry.Name()):
			return fs.SkipDir
		case !entry.IsDir():
			list = append(list, e.load(fsys, path.Clean(dir), file)...)
		}
		return nil
	})
	if err != nil && !errors.Is(err, fs.SkipDir) {
		list.Add(diag.New(diag.ContractUnreadable, "search %s: %v", dir, err))
	}
	list = append(list, e.pulled(fsys, path.Clean(dir))...)
	if len(e.Services) == 0 && !list.Failed() {
		list.Add(diag.New(diag.EstateEmpty, "there is no %s in %s or below", ServiceFile, path.Clean(dir)))
	}
	slices.SortStableFunc(e.Services, func(a, b *Service) int { return strings.Compare(a.Name, b.Name) })
	list.Sort()
	return e, list
}

// unread is the fault of a file or a directory that the search does not get into.
func unread(file string, entry fs.DirEntry, err error) diag.Diagnostic {
	if entry == nil || !entry.IsDir() || !errors.Is(err, fs.ErrPermission) {
		return diag.New(diag.ContractUnreadable, "read %s: %v", file, err).At(diag.Position{File: file})
	}
	return diag.New(diag.ContractUnreadable, "search directory %s: permission denied, so contracts below it would be missed", file).At(diag.Position{File: file}).
		WithFix("give who runs this the right to list the directory (chmod o+rx, or chmod g+rx and its group), or move it out of the estate")
}

func skipDir(entry fs.DirEntry) error {
	if entry != nil && entry.IsDir() {
		return fs.SkipDir
	}
	return nil
}

func skipped(name string) bool {
	return strings.HasPrefix(name, ".") || name == "node_modules" || name == "vendor" || name == "testdata"
}

// load adds one file to the estate, if it is one of ours.
func (e *Estate) load(fsys fs.FS, dir, file string) diag.List {
	var list diag.List
	switch name := path.Base(file); {
	case name == ServiceFile:
		s, faults := Parse(fsys, file)
		list = faults
		e.partial = e.partial || s == nil || loses(faults)
		if s != nil && s.Name != "" {
			s.source.readConfig(fsys)
			e.Services = append(e.Services, s)
		}
	case name != ClustersFile && name != ExternalFile:
	case path.Dir(file) != dir:
		list.Add(diag.Warn(diag.EstateMisplaced, "%s is not read: it is not in %s", file, dir).At(diag.Position{File: file}))
	case name == ClustersFile:
		c, faults := ParseClusters(fsys, file)
		list = faults
		if c != nil {
			e.Clusters = c
		}
	default:
		x, faults := ParseExternal(fsys, file)
		list = faults
		if x != nil {
			e.External = x
		}
		e.partial = e.partial || x == nil || loses(faults)
	}
	return list
}

// loses reports whether the faults of a file mean that topics or services in
// it may have gone unread.
func loses(list diag.List) bool {
	return slices.ContainsFunc(list, func(d diag.Diagnostic) bool {
		switch d.Code {
		case diag.ContractUnknownKey, diag.ContractDuplicateKey, diag.ContractName, diag.ContractType,
			diag.ContractAnchor, diag.ContractTag, diag.ContractFaults, diag.ContractRequired, diag.ContractValue:
			return d.Severity == diag.Error
		}
		return false
	})
}
