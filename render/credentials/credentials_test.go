package credentials_test

import (
	"path"
	"testing"

	"github.com/slipway-go/slipway/render"
	"github.com/slipway-go/slipway/render/credentials"
	"github.com/slipway-go/slipway/render/rendertest"
)

func TestTheObjectsAreThoseThatWereReviewed(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		target      render.Target
		estate, env string
	}{
		{credentials.CertManager(), "shop", "prod"},
		{credentials.CertManager(), "everything", "prod"},
		{credentials.ExternalSecrets(), "everything", "staging"},
		{credentials.ExternalSecrets(), "hostile", "productionxx"},
		{credentials.Vault(), "everything", "test"},
		{credentials.Vault(), "hostile", "n"},
		{credentials.CertManager(), "several", "prod"},
		{credentials.ExternalSecrets(), "several", "staging"},
		{credentials.Vault(), "several", "test"},
	} {
		t.Run(tt.target.Name+" "+tt.estate, func(t *testing.T) {
			t.Parallel()
			files, err := tt.target.Files(render.Input{Estate: rendertest.Estate(t, tt.estate), Environment: tt.env})
			if err != nil {
				t.Fatal(err)
			}
			rendertest.Golden(t, path.Join("testdata", tt.target.Name, tt.estate), files)
		})
	}
}
