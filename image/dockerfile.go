package image

import (
	"bytes"
	_ "embed"
	"path"
	"strings"
	"text/template"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/render"
)

//go:embed Dockerfile.tmpl
var dockerfile string

// pulled is where the contracts of other repositories are kept.
const pulled = ".slipway/"

var dockerfiles = template.Must(template.New("Dockerfile").Parse(dockerfile))

// Dockerfile makes for each service a Dockerfile whose image holds what the one
// of [Assemble] holds, for those who build with a container engine. It is not
// the same to the byte.
//
// The directory that is given to the engine holds the module, and is the one with
// the contracts or above it; a build argument says where the service is, if the
// estate is not at its top.
func Dockerfile() render.Target {
	return render.Target{
		Name:    "dockerfile",
		Summary: "a hardened Dockerfile for each service, for builds with a container engine",
		Render: func(in render.Input) ([]render.File, error) {
			var files []render.File
			for _, svc := range in.Estate.Services {
				if strings.HasPrefix(svc.Dir(), pulled) {
					continue // its code is in another repository
				}
				files = append(files, render.File{Path: path.Join(svc.Name, "Dockerfile"), Content: docker(svc)})
			}
			return files, nil
		},
	}
}

func docker(svc *contract.Service) []byte {
	var b bytes.Buffer
	must(dockerfiles.Execute(&b, map[string]string{
		"Name": svc.Name, "Dir": svc.Dir(), "File": svc.File(), "Owner": label(svc.Owner), "Description": label(svc.Description),
		"Linker": linker, "Tags": lean, "Users": printf(users), "Groups": printf(groups), "User": user, "Roots": rootsAt, "Zones": zonesAt,
	}))
	return b.Bytes()
}

// label is a text between double quotes in a Dockerfile, where the engine would
// look for variables.
func label(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`).Replace(text)
}

// printf is a text between single quotes for the shell's printf.
func printf(text string) string { return strings.ReplaceAll(text, "\n", `\n`) }
