package up

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

func TestAProgramFollowsTheSourceOfTheConfigurationThatItEmbeds(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		embed, file string
		want, warns bool
	}{
		"the directory":            {"slipway.yaml config", "dev.yaml", true, false},
		"its files":                {"slipway.yaml config/*.yaml", "dev.yaml", true, false},
		"everything":               {"*", "dev.yaml", true, false},
		"all of it":                {"all:config", "dev.yaml", true, false},
		"not embedded":             {"slipway.yaml", "dev.yaml", false, true},
		"another name":             {"configs", "dev.yaml", false, true},
		"none for the environment": {"config", "prod.yaml", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			for file, text := range map[string]string{
				"a/main.go":           "package main\n\nimport \"embed\"\n\n//go:embed " + tt.embed + "\nvar files embed.FS\n\nfunc main() {}\n",
				"a/config/" + tt.file: "log: {level: warn}\n",
			} {
				path := filepath.Join(root, file)
				if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			estate, faults := contract.Load(fstest.MapFS{"a/slipway.yaml": {
				Data: []byte("apiVersion: slipway.dev/v1\nkind: Service\nmetadata: {name: a, owner: team-a}\n"),
			}}, ".")
			if err := faults.Err(); err != nil {
				t.Fatal(err)
			}
			all, warnings := programs(root, t.TempDir(), estate.Services)
			if len(all) != 1 {
				t.Fatalf("%d programs, want 1", len(all))
			}
			dir, got := all[0].configuration("dev")
			if got != tt.want || dir != filepath.Join(root, "a", "config") {
				t.Errorf("configuration(dev) = %s, %t, want %t", dir, got, tt.want)
			}
			if warned := strings.Contains(warnings.Text(), string(diag.UpConfigLost)); warned != tt.warns {
				t.Errorf("warned is %t, want %t:\n%s", warned, tt.warns, warnings.Text())
			}
		})
	}
}
