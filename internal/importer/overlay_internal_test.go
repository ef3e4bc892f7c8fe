package importer

import (
	"testing"
	"testing/fstest"
)

func TestAnOverlayIsAFileSystem(t *testing.T) {
	t.Parallel()
	below := fstest.MapFS{"ca.crt": &fstest.MapFile{Data: []byte("below")}, "a/other.avsc": &fstest.MapFile{Data: []byte("below")}, "b/slipway.yaml": &fstest.MapFile{Data: []byte("below")}}
	for name, o := range map[string]overlay{
		"over nothing":     {files: map[string][]byte{"a/slipway.yaml": []byte("over"), "clusters.yaml": nil}},
		"over a directory": {files: map[string][]byte{"b/slipway.yaml": []byte("over"), "c/d/slipway.yaml": []byte("over")}, below: below},
	} {
		var files []string
		for file := range o.files {
			files = append(files, file)
		}
		if err := fstest.TestFS(o, files...); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	o := overlay{files: map[string][]byte{"b/slipway.yaml": []byte("over")}, below: below}
	for file, want := range map[string]string{"b/slipway.yaml": "over", "ca.crt": "below"} {
		f, err := o.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		text := make([]byte, 10)
		n, _ := f.Read(text)
		if got := string(text[:n]); got != want {
			t.Errorf("%s is %q, want %q", file, got, want)
		}
	}
}
