package typegen

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/diag"
)

// An expr is a Go type: a declared one or one that needs no declaration, with
// what stands before it, such as []*.
type expr struct {
	before string
	base   string
	decl   *decl // instead of base
}

func plain(base string) expr { return expr{base: base} }

func (e expr) String() string {
	if e.decl != nil {
		return e.before + e.decl.name
	}
	return e.before + e.base
}

// in is the type behind something: a star, [] or map[string].
func (e expr) in(before string) expr {
	e.before = before + e.before
	return e
}

// held reports whether a value of the type holds one of its declaration's
// within itself, rather than pointing to it.
func (e expr) held() bool { return e.decl != nil && e.before == "" }

// A decl is a type that is declared: a struct, or the text of an enum.
type decl struct {
	name     string // set when all declarations are known
	identity string // equal for two that may be one
	base     string // the name it should have
	space    string // what may be put before it
	topic    string // what else may be

	says    string // what it is in the schema
	part    bool   // which has no name of its own there
	doc     string
	enum    bool
	symbols []string
	fields  []field
	entry   Entry
}

// A field of a struct.
type field struct {
	name string
	typ  expr
	tag  string
	doc  string
	note string // what an any may hold
}

// reserved are the names that handles.gen.go declares.
var reserved = []string{"Handlers", "Unimplemented", "Mount", "Producers", "NewProducers"}

// A universe is all declarations of a package.
type universe struct {
	known  map[string]*decl // by identity
	decls  []*decl          // in the order they were met
	faults diag.List
}

func newUniverse() *universe { return &universe{known: map[string]*decl{}} }

// declare returns the declaration of an identity. If it is new, the caller is
// to fill it.
func (u *universe) declare(d decl) (known *decl, fresh bool) {
	if d, ok := u.known[d.identity]; ok {
		return d, false
	}
	u.known[d.identity] = &d
	u.decls = append(u.decls, &d)
	return &d, true
}

func (u *universe) fault(code diag.Code, e Entry, format string, args ...any) {
	u.faults.Add(diag.New(code, format, args...).At(e.Position))
}

// settle gives every declaration its name, and refuses what cannot have one.
func (u *universe) settle() {
	for _, qualify := range []func(*decl) string{
		func(d *decl) string { return d.base },
		func(d *decl) string { return d.space + d.base },
		func(d *decl) string { return strings.TrimSuffix(d.topic, d.base) + d.base },
	} {
		for _, group := range u.clashes() {
			for _, d := range group {
				d.name = qualify(d)
			}
		}
	}
	for _, group := range u.clashes() {
		var said []string
		for _, d := range group {
			said = append(said, fmt.Sprintf("%s of %s", d.says, d.entry.Topic))
		}
		slices.Sort(said)
		u.fault(diag.GenerateName, group[0].entry, "the Go name %s would be that of %s", group[0].name, strings.Join(slices.Compact(said), " and "))
	}
	slices.SortFunc(u.decls, func(a, b *decl) int { return cmp.Compare(a.name, b.name) })
	for _, d := range u.decls {
		if d.contains(d, map[*decl]bool{}) {
			u.fault(diag.GenerateType, d.entry, "%s of %s contains itself, so that no value of it ends", d.says, d.entry.Topic)
		}
	}
}

// clashes are the declarations that share a name, or have that of something
// else; at first all.
func (u *universe) clashes() [][]*decl {
	groups := map[string][]*decl{}
	var order []string
	for _, d := range u.decls {
		if groups[d.name] == nil {
			order = append(order, d.name)
		}
		groups[d.name] = append(groups[d.name], d)
	}
	var all [][]*decl
	for _, name := range order {
		if len(groups[name]) > 1 || name == "" || slices.Contains(reserved, name) {
			all = append(all, groups[name])
		}
	}
	return all
}

// contains reports whether a value of d holds one of another within itself.
func (d *decl) contains(other *decl, seen map[*decl]bool) bool {
	if seen[d] {
		return false
	}
	seen[d] = true
	return slices.ContainsFunc(d.fields, func(f field) bool {
		return f.typ.held() && (f.typ.decl == other || f.typ.decl.contains(other, seen))
	})
}

// fieldNames gives each field of a struct a name of its own: what comes second
// gets a number, which moves only if fields before it of the same name do.
func fieldNames(fields []field) {
	taken := map[string]bool{}
	for i := range fields {
		name := fields[i].name
		for n := 2; taken[fields[i].name]; n++ {
			fields[i].name = fmt.Sprintf("%s%d", name, n)
		}
		taken[fields[i].name] = true
	}
}
