package typegen

import (
	"fmt"
	"go/token"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

// Generate returns the files of a package for a contract, by name. The error
// holds a diagnostic for everything that has no Go type or no name.
func Generate(pkg string, c Contract) (map[string][]byte, error) {
	if !token.IsIdentifier(pkg) || pkg == "_" {
		return nil, diag.New(diag.GenerateName, "%q is no name for a package", pkg).WithFix("give it one of letters and digits with --package")
	}
	u := newUniverse()
	consumed, produced := u.types(c.Consumes), u.types(c.Produces)
	u.settle()
	consumes := u.handles(c.Consumes, consumed)
	produces := u.handles(c.Produces, produced)
	if err := u.faults.Err(); err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	var err error
	if len(u.decls) > 0 {
		if files[TypesFile], err = u.write(pkg); err != nil {
			return nil, fmt.Errorf("format %s: %w", TypesFile, err)
		}
	}
	if files[HandlesFile], err = handlesFile(pkg, c.Service, consumes, produces); err != nil {
		return nil, fmt.Errorf("format %s: %w", HandlesFile, err)
	}
	return files, nil
}

// types are those of entries' values, by the entries' names; bytes are not
// among them.
func (u *universe) types(entries []Entry) map[string]expr {
	all := map[string]expr{}
	for _, e := range entries {
		if e.Schema == nil {
			continue
		}
		switch e.Schema.Format {
		case contract.Avro:
			all[e.Name] = u.avro(e)
		case contract.JSON:
			all[e.Name] = u.json(e)
		case contract.Protobuf:
			all[e.Name] = u.protobuf(e)
		}
	}
	return all
}
