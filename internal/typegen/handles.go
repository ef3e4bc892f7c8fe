package typegen

import (
	"strings"

	"github.com/slipway-go/slipway/diag"
)

const (
	runtimePackage = "github.com/slipway-go/slipway"
	bytesType      = "[]byte"
)

// A handle is what the code does with one entry.
type handle struct {
	Entry
	name string // of the method or field
	typ  string // of the value
}

// handles are entries with their Go names, which must differ.
func (u *universe) handles(entries []Entry, types map[string]expr) []handle {
	var all []handle
	taken := map[string]string{}
	for _, e := range entries {
		h := handle{e, topicName(e.Name), bytesType}
		if t, ok := types[e.Name]; ok {
			h.typ = t.String()
		}
		if other, twice := taken[h.name]; twice {
			u.fault(diag.GenerateName, e, "%s and %s would both be %s in Go", other, e.Name, h.name)
		}
		taken[h.name] = e.Name
		all = append(all, h)
	}
	return all
}

// handlesFile writes the interface, Mount and the producers.
func handlesFile(pkg, service string, consumes, produces []handle) ([]byte, error) {
	f := file{imports: map[string]bool{runtimePackage: true}}
	f.about = "Package " + pkg + " is what the contract of " + service + " says, in Go: the types of its values, its handlers, its producers."
	if len(consumes) > 0 {
		f.imports["context"], f.imports["errors"] = true, true
		f.handlers(service, consumes)
	}
	if len(produces) > 0 {
		f.producers(service, produces)
	}
	if len(consumes)+len(produces) == 0 {
		f.imports = nil
	}
	return f.done(pkg)
}

func (f *file) handlers(service string, consumes []handle) {
	f.printf("\n")
	f.doc("", "Handlers handles what the contract of "+service+" consumes: a method for each entry. What a method returns decides what becomes of its record, see [slipway.Handle]. Embed [Unimplemented], so that a program compiles when its contract gains an entry.")
	f.printf("type Handlers interface {\n")
	for i, h := range consumes {
		if i > 0 {
			f.printf("\n")
		}
		f.doc("\t", "On"+h.name+" handles the entry "+h.Name+h.of()+".")
		f.printf("\tOn%s(ctx context.Context, m *slipway.Message[%s]) error\n", h.name, h.typ)
	}
	f.printf("}\n\n")
	f.doc("", "Unimplemented is [Handlers] without a handler. A record of an entry that has none stays where it is, and no attempt is counted: each method trips the entry's breaker.")
	f.printf("type Unimplemented struct{}\n\nvar _ Handlers = Unimplemented{}\n")
	for _, h := range consumes {
		f.printf("\n// On%s trips.\nfunc (Unimplemented) On%s(context.Context, *slipway.Message[%s]) error {\n\treturn slipway.Trip(errors.New(%q))\n}\n",
			h.name, h.name, h.typ, "On"+h.name+" has no handler")
	}
	f.printf("\n")
	f.doc("", "Mount registers the handlers for their entries.")
	f.printf("func Mount(app *slipway.App, h Handlers) {\n")
	for _, h := range consumes {
		f.printf("\tslipway.Handle(app, %q, h.On%s)\n", h.Name, h.name)
	}
	f.printf("}\n")
}

// of names the topic where the entry is not called after it.
func (h handle) of() string {
	if h.Topic == h.Name {
		return ""
	}
	return ", of the topic " + h.Topic
}

func (f *file) producers(service string, produces []handle) {
	f.printf("\n")
	f.doc("", "Producers writes what the contract of "+service+" produces: a field for each topic.")
	f.printf("type Producers struct {\n")
	for _, h := range produces {
		f.printf("\t%s *slipway.Producer[%s] // %s\n", h.name, h.typ, strings.Map(printable, h.Name))
	}
	f.printf("}\n\n")
	f.doc("", "NewProducers returns the producers. They can be used once the app runs.")
	f.printf("func NewProducers(app *slipway.App) Producers {\n\treturn Producers{\n")
	for _, h := range produces {
		f.printf("\t\t%s: slipway.NewProducer[%s](app, %q),\n", h.name, h.typ, h.Name)
	}
	f.printf("\t}\n}\n")
}
