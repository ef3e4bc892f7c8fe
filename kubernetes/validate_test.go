//go:build kubernetes

package kubernetes_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os/exec"
	"strings"
	"testing"
)

// kubectl-validate judges as the test of the quick suite does, by the same archive; it
// knows rules in CEL, names and lists' keys besides.
func TestKubectlValidateTakesEveryObject(t *testing.T) {
	t.Parallel()
	var all []object
	var of []tree
	for _, tr := range trees(t) {
		for _, o := range tr.built(t) {
			all, of = append(all, o), append(of, tr)
		}
	}
	for i, problem := range validated(t, all) {
		if problem != "" {
			t.Errorf("%s: %s: %s", of[i], all[i], problem)
		}
	}
}

func TestKubectlValidateRefusesWhatIsWrong(t *testing.T) {
	t.Parallel()
	cases := map[string]wrong{
		"name with blanks":          {"ConfigMap", in("metadata", "name", "not a name"), "metadata.name"},
		"no name":                   {"Service", in("metadata", "name", nil), "metadata.name"},
		"rule of a custom resource": {"KafkaTopic", in("spec", "partitions", 0), "spec.partitions"},
	}
	maps.Copy(cases, wrongs)
	golden := rendered(t)
	var names []string
	var all []object
	for name, w := range cases {
		names, all = append(names, name), append(all, w.object(t, golden))
	}
	for i, problem := range validated(t, all) {
		if want := cases[names[i]].want; !strings.Contains(problem, want) {
			t.Errorf("%s: kubectl-validate says %q, want it to name %s", names[i], problem, want)
		}
	}
}

// validated is what kubectl-validate says of each object, or "".
func validated(t *testing.T, objects []object) []string {
	t.Helper()
	program, err := program(t.Context(), "validate", "kubectl-validate", ".")
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(objects)
	if err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), program, schemas)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(text), &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("kubectl-validate: %v\n%s", err, stderr.String())
	}
	var found []string
	if err := json.Unmarshal(stdout.Bytes(), &found); err != nil || len(found) != len(objects) {
		t.Fatalf("kubectl-validate answers for %d of %d objects: %v", len(found), len(objects), err)
	}
	return found
}
