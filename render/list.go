package render

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/diag"
)

// listName is the file that lists what a target has written.
func listName(target string) string { return ".slipway-" + target + ".sha256" }

func checksum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// readList returns the checksums of the files that a target has written, by path.
func readList(root *os.Root, target string) (map[string]string, error) {
	data, err := read(root, listName(target))
	if errors.Is(err, fs.ErrNotExist) {
		return map[string]string{}, nil
	}
	if err != nil {
		return nil, unreadable(path.Join(root.Name(), listName(target)), err)
	}
	written, err := parseList(string(data))
	if err != nil {
		return nil, diag.New(diag.RenderList, "%s, %v", path.Join(root.Name(), listName(target)), err)
	}
	return written, nil
}

// parseList reads lines of a checksum, two spaces and a path.
func parseList(text string) (map[string]string, error) {
	written := make(map[string]string)
	n := 0
	for line := range strings.Lines(text) {
		n++
		sum, name, found := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		if _, err := hex.DecodeString(sum); err != nil || len(sum) != 2*sha256.Size || !found || !fs.ValidPath(name) || name == "." {
			return nil, fmt.Errorf("line %d: want a checksum, two spaces and a path", n)
		}
		if _, twice := written[name]; twice {
			return nil, fmt.Errorf("line %d: %s is there twice", n, name)
		}
		written[name] = sum
	}
	return written, nil
}

// writeList lists the files.
func writeList(root *os.Root, target string, files []File) error {
	var b strings.Builder
	for _, f := range slices.SortedFunc(slices.Values(files), func(a, b File) int { return strings.Compare(a.Path, b.Path) }) {
		fmt.Fprintf(&b, "%s  %s\n", checksum(f.Content), f.Path)
	}
	if known, err := read(root, listName(target)); err == nil && string(known) == b.String() {
		return nil
	}
	return put(root, listName(target), []byte(b.String()))
}
