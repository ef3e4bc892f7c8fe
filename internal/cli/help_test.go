package cli_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/slipway-go/slipway/internal/cli"
)

// commands are the paths of all commands, as the reference lists them.
func commands(t *testing.T) [][]string {
	t.Helper()
	var all [][]string
	for _, m := range regexp.MustCompile(`(?m)^## slipway(.*)$`).FindAllStringSubmatch(cli.Reference(), -1) {
		all = append(all, strings.Fields(m[1]))
	}
	if len(all) < 10 {
		t.Fatalf("the reference lists %d commands", len(all))
	}
	return all
}

func TestEveryCommandsHelpHasAnExampleAndItsExitCodes(t *testing.T) {
	t.Parallel()
	for _, path := range commands(t) {
		name := strings.Join(append([]string{"slipway"}, path...), " ")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := run(t, append(slices.Clone(path), "--help")...)
			if got.status != 0 || got.err != "" {
				t.Errorf("status %d, stderr %q", got.status, got.err)
			}
			for _, want := range []string{"Usage:\n  " + name, "\nExamples:\n", "\nExit codes:\n  0    ok\n", "\n  64   "} {
				if !strings.Contains(got.out, want) {
					t.Errorf("help lacks %q:\n%s", want, got.out)
				}
			}
			_, examples, _ := strings.Cut(got.out, "\nExamples:\n")
			if !strings.HasPrefix(strings.TrimPrefix(strings.TrimSpace(examples), "source <("), "slipway") {
				t.Errorf("the example does not run slipway:\n%s", examples)
			}
			for line := range strings.Lines(got.out) {
				if len(line) > 180 {
					t.Errorf("a line of %d characters: %s", len(line), line)
				}
			}
		})
	}
}

// One shorthand means one thing, whatever the command.
func TestAShorthandMeansTheSameEverywhere(t *testing.T) {
	t.Parallel()
	flags := regexp.MustCompile(`(?m)^  -(\w), --([\w-]+)`)
	meaning := map[string]string{}
	for _, path := range commands(t) {
		for _, m := range flags.FindAllStringSubmatch(run(t, append(slices.Clone(path), "-h")...).out, -1) {
			if known := meaning[m[1]]; known != "" && known != m[2] {
				t.Errorf("-%s is --%s and --%s", m[1], known, m[2])
			}
			meaning[m[1]] = m[2]
		}
	}
	want := map[string]string{"f": "file", "e": "env", "c": "cluster", "o": "output", "y": "yes", "h": "help"}
	for short, long := range want {
		if meaning[short] != long {
			t.Errorf("-%s is --%s, want --%s", short, meaning[short], long)
		}
	}
}
