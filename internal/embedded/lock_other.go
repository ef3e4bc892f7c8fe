//go:build !unix

package embedded

import (
	"os"

	"github.com/slipway-go/slipway/diag"
)

// flock refuses: without a lock that ends with its process, two clusters could
// write one directory.
func flock(*os.File) error {
	return diag.New(diag.EmbeddedDirectory, "data directories need a Unix system; without one the cluster runs in memory")
}

func funlock(*os.File) error { return nil }
