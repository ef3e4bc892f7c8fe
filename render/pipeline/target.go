package pipeline

import (
	"strings"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/render"
)

// Target is GitHub Actions: a workflow of the contracts, and one of each service.
// The directory that is rendered to is the root of the repository.
func Target() render.Target {
	return render.Target{
		Name: "github-actions", Summary: "workflows that test, lint, plan, build and sign, for the root of a repository",
		Render: func(in render.Input) ([]render.File, error) {
			r, err := in.Resolve()
			if err != nil || len(r.Services) == 0 {
				return nil, err
			}
			files := []render.File{contracts(r)}
			var problems diag.List
			for _, svc := range r.Services {
				if strings.Contains(svc.Dir(), "${{") {
					problems.Add(diag.New(diag.PipelineDirectory, "the directory of %s has ${{ in its name", svc.Name).At(svc.Position("metadata/name")))
				}
				files = append(files, service(r, svc))
			}
			return files, problems.Err()
		},
	}
}
