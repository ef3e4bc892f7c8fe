package strimzi_test

import (
	"path"
	"testing"

	"github.com/slipway-go/slipway/render"
	"github.com/slipway-go/slipway/render/rendertest"
	"github.com/slipway-go/slipway/render/strimzi"
)

func TestTheObjectsAreThoseThatWereReviewed(t *testing.T) {
	t.Parallel()
	for estate, environments := range map[string][]string{"shop": {"dev"}, "everything": {"dev", "test"}, "hostile": {"no"}, "several": {"prod"}} {
		for _, env := range environments {
			t.Run(estate+" "+env, func(t *testing.T) {
				t.Parallel()
				files, err := strimzi.Target().Files(render.Input{Estate: rendertest.Estate(t, estate), Environment: env})
				if err != nil {
					t.Fatal(err)
				}
				rendertest.Golden(t, path.Join("testdata", estate, env), files)
			})
		}
	}
}
