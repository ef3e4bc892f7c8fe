package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

func TestTheReferenceIsUpToDate(t *testing.T) {
	t.Parallel()
	for name, page := range pages {
		got, err := os.ReadFile(filepath.Join("..", "..", "docs", "reference", name))
		if err != nil {
			t.Errorf("%v; run make generate", err)
			continue
		}
		if diff := cmp.Diff(string(got), page()); diff != "" {
			t.Errorf("docs/reference/%s is behind; run make generate (-there +wanted):\n%s", name, diff)
		}
	}
}

func TestEveryCodeHasItsPlaceInTheReference(t *testing.T) {
	t.Parallel()
	page := errorsPage()
	for _, e := range diag.Catalogue() {
		if !strings.Contains(page, "### "+string(e.Code)+":") {
			t.Errorf("%s is missing: add its area %s", e.Code, e.Code.Area())
		}
	}
}

func TestEveryKeyHasItsPlaceInTheReference(t *testing.T) {
	t.Parallel()
	page := contractPage()
	for _, k := range contract.Keys() {
		if !strings.Contains(page, "| `"+k.Path+"` |") {
			t.Errorf("%s of %s is missing", k.Path, k.Kind)
		}
	}
}

func TestTheReferenceSaysTheSameEachTime(t *testing.T) {
	t.Parallel()
	for name, page := range pages {
		if first, second := page(), page(); first != second {
			t.Errorf("%s differs from one time to the next", name)
		}
	}
}
