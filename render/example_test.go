package render_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing/fstest"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/render"
)

// A target is a function from contracts to files. What it makes is written once,
// and compared from then on.
func Example() {
	owners := render.Target{Name: "owners", Summary: "who to ask", Render: func(in render.Input) ([]render.File, error) {
		r, err := in.Resolve()
		if err != nil {
			return nil, err
		}
		text := ""
		for _, s := range r.Services {
			text += s.Name + " " + s.Owner + "\n"
		}
		return []render.File{{Path: "OWNERS", Content: []byte(text)}}, nil
	}}
	estate, _ := contract.Load(fstest.MapFS{"slipway.yaml": {Data: []byte(`apiVersion: slipway.dev/v1
kind: Service
metadata: {name: orders, owner: team-shop}
`)}}, ".")

	files, err := owners.Files(render.Input{Estate: estate, Environment: "dev"})
	if err != nil {
		fmt.Println(err)
		return
	}
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("owners-%d", os.Getpid()))
	defer func() { _ = os.RemoveAll(dir) }()
	before, _ := render.Check(dir, owners.Name, files)
	_, err = render.Write(dir, owners.Name, files, render.Refuse)
	after, _ := render.Check(dir, owners.Name, files)
	fmt.Println(before, err, after)
	// Output: [{OWNERS missing}] <nil> []
}
