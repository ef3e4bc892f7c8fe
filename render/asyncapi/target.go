package asyncapi

import (
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/render"
)

// Target is AsyncAPI: a document of each service, in <service>/asyncapi.yaml.
func Target() render.Target {
	return render.Target{
		Name: "asyncapi", Summary: "an AsyncAPI 3.0 document of each service, which slipway init --from asyncapi reads back",
		Render: func(in render.Input) ([]render.File, error) {
			r, err := in.Resolve()
			if err != nil {
				return nil, err
			}
			written := make(map[string]*contract.Service, len(in.Estate.Services))
			for _, svc := range in.Estate.Services {
				written[svc.Name] = svc
			}
			var files []render.File
			for _, svc := range r.Services {
				w := writer{estate: r, svc: svc, base: written[svc.Name], tree: svc.Tree(), parts: components{ids: map[string]string{}, taken: map[string]bool{}}}
				files = append(files, w.file())
			}
			return files, nil
		},
	}
}
