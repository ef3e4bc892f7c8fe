package depot

import (
	"os"

	"golang.org/x/sys/unix"
)

// syncAll makes everything on the root's file system durable.
func syncAll(root *os.Root) error {
	f, err := root.Open(".")
	if err != nil {
		return err
	}
	defer f.Close()
	return unix.Syncfs(int(f.Fd()))
}
