//go:build !unix

package spill

import (
	"errors"
	"io/fs"
	"os"
)

// flock refuses: without a lock that ends with its process, two processes could
// write one directory.
func flock(*os.File) error { return errors.New("a spill directory needs a Unix system") }

func funlock(*os.File) error { return nil }

func foreign(fs.FileInfo) bool { return false }
