package render

import "testing"

// Whatever the list says, no path in it leads out of the directory.
func FuzzAListNamesOnlyPathsBelow(f *testing.F) {
	f.Add("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  rules/orders.yaml\n")
	f.Add("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  ../x\n\n")
	f.Fuzz(func(t *testing.T, text string) {
		written, err := parseList(text)
		if err != nil {
			return
		}
		for name := range written {
			if name == "" || name == "." || name[0] == '/' || len(name) > 1 && name[:2] == ".." && (len(name) == 2 || name[2] == '/') {
				t.Errorf("%q was read as a path", name)
			}
		}
	})
}
