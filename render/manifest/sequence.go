package manifest

import (
	"bytes"

	"github.com/slipway-go/slipway/render"
)

// Sequence is a list as a file, such as the operations of a JSON patch.
func Sequence(path, head string, items []Map) render.File {
	const key = "items"
	document := YAML(head, Map{E(key, items)})
	return render.File{Path: path, Content: bytes.Replace(document, []byte(key+":\n"), nil, 1)}
}
