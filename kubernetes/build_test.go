package kubernetes_test

import "testing"

// Nothing that is committed stops a team's kustomize, and each object in it has a
// kind, a name and an owner.
func TestKustomizeBuildsEveryTree(t *testing.T) {
	t.Parallel()
	all := trees(t)
	if len(all) == 0 {
		t.Fatal("there is no golden tree")
	}
	for _, tr := range all {
		t.Run(tr.String(), func(t *testing.T) {
			t.Parallel()
			for _, o := range tr.built(t) {
				if o.kind() == "" || o.version() == "" || o.name() == "" {
					t.Errorf("an object lacks kind, version or name: %v", o)
				}
			}
		})
	}
}
