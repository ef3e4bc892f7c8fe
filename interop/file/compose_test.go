package file_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/sirupsen/logrus"
)

// settings are what up.sh writes into .env, and the version of the services that a
// user adds to it.
const settings = "SLIPWAY_UID=1000\nSLIPWAY_GID=1000\nTAG=v1.4.0\n"

// environments are the golden directories of the target compose.
func environments(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", "render", "compose", "testdata", "*", "compose.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 4 {
		t.Fatalf("there are %d golden environments, want at least 4: %v", len(files), files)
	}
	var all []string
	for _, file := range files {
		all = append(all, filepath.Dir(file))
	}
	return all
}

// loading lets one project be loaded at a time: compose-go warns by a logger that all
// share.
var loading sync.Mutex

// load reads a project as docker compose does that is called in its directory, with
// every profile. A warning is a fault: of a variable that is not set, for instance.
func load(t *testing.T, dir, env string, files ...string) (*types.Project, error) {
	t.Helper()
	loading.Lock()
	defer loading.Unlock()
	logrus.SetOutput(io.Discard)
	warnings := &warnings{}
	defer logrus.StandardLogger().ReplaceHooks(logrus.StandardLogger().ReplaceHooks(logrus.LevelHooks{
		logrus.WarnLevel: {warnings}, logrus.ErrorLevel: {warnings},
	}))
	dotenv := filepath.Join(t.TempDir(), ".env")
	if err := os.WriteFile(dotenv, []byte(env), 0o600); err != nil {
		t.Fatal(err)
	}
	options, err := cli.NewProjectOptions(append([]string{filepath.Join(dir, "compose.yaml")}, files...),
		cli.WithEnvFiles(dotenv), cli.WithDotEnv, cli.WithProfiles([]string{"*"}),
		cli.WithInterpolation(true), cli.WithNormalization(true), cli.WithConsistency(true), cli.WithResolvedPaths(true))
	if err != nil {
		return nil, err
	}
	project, err := options.LoadProject(t.Context())
	for _, text := range *warnings {
		t.Errorf("compose-go warns: %s", text)
	}
	return project, err
}

// warnings are what was logged.
type warnings []string

func (*warnings) Levels() []logrus.Level { return logrus.AllLevels }

func (w *warnings) Fire(entry *logrus.Entry) error {
	*w = append(*w, entry.Message)
	return nil
}

// minimal is one of them.
var minimal = filepath.Join("..", "..", "render", "compose", "testdata", "minimal")

// override writes a file that Compose lays over a project, as a user does.
func override(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "compose.override.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestComposeLoadsEveryEnvironment(t *testing.T) {
	t.Parallel()
	for _, dir := range environments(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			project, err := load(t, dir, settings)
			if err != nil {
				t.Fatal(err)
			}
			for name, judge := range promises {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					for _, problem := range judge(project) {
						t.Error(problem)
					}
				})
			}
		})
	}
}

// What up.sh has not prepared is not started in parts, and not as root.
func TestNothingIsLoadedBeforeUpShHasRun(t *testing.T) {
	t.Parallel()
	for _, dir := range environments(t) {
		if _, err := load(t, dir, ""); err == nil || !strings.Contains(err.Error(), "run up.sh") {
			t.Errorf("load %s without .env: %v, want to be told to run up.sh", dir, err)
		}
	}
}

func TestComposeRefusesWhatIsWrong(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ override, want string }{
		"unknown field":      {"services: {kafka-1: {privilegd: true}}", "privilegd"},
		"wrong type":         {"services: {kafka-1: {read_only: {}}}", "read_only"},
		"unknown secret":     {"services: {kafka-1: {secrets: [nobodys]}}", "nobodys"},
		"unknown dependency": {"services: {kafka-1: {depends_on: [nobody]}}", "nobody"},
		"circle":             {"services: {kafka-1: {depends_on: [connect]}}", "cycle"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := load(t, minimal, settings, override(t, tt.override)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("load: %v, want an error that names %s", err, tt.want)
			}
		})
	}
}
