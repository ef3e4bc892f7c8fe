package vault_test

import (
	"fmt"

	"github.com/slipway-go/slipway/config/vault"
)

// A service in Kubernetes takes its settings from a secret, and a login to its
// database that Vault makes for it.
func ExampleNew() {
	source, err := vault.New(vault.Config{
		Address: "https://vault.example:8200",
		Auth:    vault.Kubernetes{Role: "orders"},
		KV:      []vault.KV{{Path: "services/orders"}},
		Dynamic: []vault.Dynamic{{
			Path: "database/creds/orders",
			Keys: map[string]string{"database.url": "postgres://{username}:{password}@db.example/orders"},
		}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(source.Name()) // in main: serve.Service{Sources: []config.Source{source}}
	// Output: vault
}
