//go:build kubernetes

package kubernetes_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/kustomize/api/types"
)

// Of instances that have disks, the last one is replaced first and the next one once
// it is ready. Each finds the disk again that its name had before.
func TestAStatefulSetIsRolledOutOnePodAfterTheOther(t *testing.T) {
	t.Parallel()
	s := cluster(t).deploy(t, golden(t, "everything", "ledger", "prod"), 3)
	before, disks := s.pods.uids(), s.disks(t)
	s.apply(t, types.Kustomization{Images: []types.Image{{Name: s.image(), Digest: "sha256:" + strings.Repeat("2", 64)}}})
	if least := s.pods.until(t, "every pod has the new image", renewed(3, before)); least != 2 {
		t.Errorf("there were %d ready instances at one time, want 2 of 3 at every time", least)
	}
	if got, want := s.pods.made(), []string{"ledger-2", "ledger-1", "ledger-0"}; !slices.Equal(got, want) {
		t.Errorf("pods were made in the order %v, want %v", got, want)
	}
	if now := s.disks(t); len(disks) != 3 || !maps.Equal(now, disks) {
		t.Errorf("disks were %v and are %v, want the same three", disks, now)
	}
}

// What was acknowledged is on the disk: it stays when its instance is scaled away, and
// is there when the instance is back.
func TestADiskStaysWhenItsInstanceIsScaledAway(t *testing.T) {
	t.Parallel()
	s := cluster(t).deploy(t, golden(t, "everything", "ledger", "prod"), 2)
	before := s.disks(t)
	for _, replicas := range []int{1, 2} {
		s.scale(t, replicas)
		if now := s.disks(t); len(before) != 2 || !maps.Equal(now, before) {
			t.Errorf("with %d instances disks are %v, and were %v", replicas, now, before)
		}
	}
}

// disks are the identities of the volumes that the pods' claims are bound to, by claim.
// A claim that goes with something else fails the test.
func (s *service) disks(t *testing.T) map[string]string {
	t.Helper()
	list, err := s.do(t.Context(), "GET", "/api/v1/namespaces/"+s.ns+"/persistentvolumeclaims", nil)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	items, _ := list["items"].([]any)
	for _, item := range items {
		claim := object(item.(map[string]any))
		if claim.text("status", "phase") != "Bound" || claim.at("metadata", "deletionTimestamp") != nil || claim.at("metadata", "ownerReferences") != nil {
			t.Errorf("the claim %s is not bound for good: %v", claim.name(), claim)
		}
		all[claim.name()] = claim.uid() + " " + claim.text("spec", "volumeName")
	}
	return all
}
