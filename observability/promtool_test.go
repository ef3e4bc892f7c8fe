//go:build kafka

package observability_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestPromtoolFindsNothingWrongWithTheRules(t *testing.T) {
	t.Parallel()
	promtool := prometheus(t, "promtool")
	for name := range estates {
		dir := t.TempDir()
		write(t, name, dir)
		out := run(t, dir, promtool, append([]string{"check", "rules", "--lint=all", "--lint-fatal"}, files(t, dir, "rules")...)...)
		if strings.Count(out, "SUCCESS") < 3 {
			t.Errorf("%s: promtool checked too little:\n%s", name, out)
		}
		run(t, dir, promtool, "check", "config", "prometheus.yaml")
	}
}

// Each alert fires on what it is for, with the very labels and annotations, and
// rests on what is just short of it.
func TestEveryAlertFiresAndRestsAsItsTestsSay(t *testing.T) {
	t.Parallel()
	promtool := prometheus(t, "promtool")
	dir := t.TempDir()
	write(t, "everything", dir)
	run(t, dir, promtool, append([]string{"test", "rules"}, files(t, dir, "tests")...)...)
}

// A test that cannot fail proves nothing: rules that are a little off are found.
func TestTheTestsOfRulesFindWhatIsOff(t *testing.T) {
	t.Parallel()
	promtool := prometheus(t, "promtool")
	for name, change := range map[string]struct{ old, new string }{
		"another bound":  {`(kafka_consumer_lag{service="shipping",environment="prod"}) > 10`, `(kafka_consumer_lag{service="shipping",environment="prod"}) > 11`},
		"another label":  {`which="former"`, `which="next"`},
		"another metric": {"kafka_consumer_held_keys", "kafka_consumer_held_records"},
		"another time":   {"for: 5m", "for: 50m"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, "everything", dir)
			path := filepath.Join(dir, "rules", "shipping.rules.yaml")
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			off := bytes.ReplaceAll(text, []byte(change.old), []byte(change.new))
			if bytes.Equal(off, text) {
				t.Fatalf("the rules have no %s", change.old)
			}
			if err := os.WriteFile(path, off, 0o600); err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), promtool, "test", "rules", "tests/shipping.test.yaml")
			cmd.Dir = dir
			if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "FAILED") {
				t.Errorf("promtool found nothing: %v\n%s", err, out)
			}
		})
	}
}

// files are those of a directory, relative to the one above.
func files(t *testing.T, dir, below string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(dir, below))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, below+"/"+e.Name())
	}
	return all
}
