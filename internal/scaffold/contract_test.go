package scaffold_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/slipway-go/slipway/internal/scaffold"
)

func TestAContractIsWrittenWithItsFilesAndNothingBesideThem(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new", "orders")
	files := map[string][]byte{"slipway.yaml": []byte("a"), "schemas/b.avsc": []byte("b")}
	got, err := scaffold.WriteContract(dir, "orders", files)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"schemas/b.avsc", "slipway.yaml"}; !slices.Equal(got.Files, want) || got.Service != "orders" {
		t.Errorf("it tells of %+v", got)
	}
	for name, want := range files {
		if text, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(text) != string(want) {
			t.Errorf("%s is %q (%v)", name, text, err)
		}
	}
	if _, err := scaffold.WriteContract(dir, "orders", files); err == nil {
		t.Error("it was written over")
	}
	if _, err := scaffold.WriteContract(t.TempDir(), "orders", map[string][]byte{"../elsewhere": nil}); err == nil {
		t.Error("a file was written elsewhere")
	}
}
