package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/cli"
)

// result is what a command line came to.
type result struct {
	status   int
	out, err string
}

// run runs a command line in this process, without a terminal.
func run(t *testing.T, args ...string) result {
	t.Helper()
	return runWith(t.Context(), func(string) string { return "" }, args...)
}

func runWith(ctx context.Context, getenv func(string) string, args ...string) result {
	var out, err bytes.Buffer
	status := cli.Main(ctx, args, cli.System{In: strings.NewReader(""), Out: &out, Err: &err, Getenv: getenv})
	return result{status, out.String(), err.String()}
}

// requireProblem fails unless the command ended with the status, said the code
// on Err, and nothing on Out.
func (r result) requireProblem(t *testing.T, status int, code string) {
	t.Helper()
	if r.status != status || !strings.Contains(r.err, code) {
		t.Errorf("status %d, want %d; stderr wants %s:\n%s", r.status, status, code, r.err)
	}
	if r.out != "" {
		t.Errorf("stdout of a command that failed:\n%s", r.out)
	}
}

const small = `apiVersion: slipway.dev/v1
kind: Service
metadata: {name: small, owner: team}
`

// place writes files below a new directory.
func place(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func rewrite(t *testing.T, file, old, fresh string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(file, []byte(strings.ReplaceAll(string(text), old, fresh)), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestBadYAMLIsRefusedQuicklyWithItsCode(t *testing.T) {
	t.Parallel()
	bomb := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c <= 'j'; c++ {
		bomb += string(c) + ": &" + string(c) + " [" + strings.TrimSuffix(strings.Repeat("*"+string(c-1)+",", 9), ",") + "]\n"
	}
	for name, tt := range map[string]struct{ text, code string }{
		"anchors that expand":  {small + bomb, "SLP-CON-007"},
		"merge key":            {small + "slo: {<<: {lag: 1}}\n", "SLP-CON-007"},
		"nested too deep":      {small + "slo: " + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + "\n", "SLP-CON-005"},
		"too large":            {small + "# " + strings.Repeat("x", 2<<20) + "\n", "SLP-CON-005"},
		"duplicate key":        {small + "slo: {lag: 1, lag: 2}\n", "SLP-CON-009"},
		"unknown key":          {small + "topcis: {}\n", "SLP-CON-010"},
		"tab":                  {small + "slo:\n\tlag: 1\n", "SLP-CON-001"},
		"NUL":                  {small + "# \x00\n", "SLP-CON-004"},
		"byte order mark":      {"\uFEFF" + small, "SLP-CON-004"},
		"UTF-16":               {"\xff\xfea\x00:\x00", "SLP-CON-004"},
		"no UTF-8":             {small + "# \xc3\x28\n", "SLP-CON-004"},
		"binary tag":           {small + "slo: {lag: !!binary aGk=}\n", "SLP-CON-008"},
		"octal number":         {small + "slo: {lag: 010}\n", "SLP-CON-01"},
		"a country, not false": {small + "identity: {auth: NO}\n", "SLP-CON-012"},
		"beyond floats":        {small + "slo: {lag: 1e999}\n", "SLP-CON-01"},
		"two documents":        {small + "---\n" + small, "SLP-CON-006"},
		"right to left mark":   {small + "# \u202e\n", "SLP-CON-004"},
		"carriage return":      {small + "# a\rb\n", "SLP-CON-004"},
		"only a scalar":        {"hello\n", "SLP-CON-0"},
		"empty":                {"", "SLP-CON-0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := place(t, map[string]string{"slipway.yaml": tt.text})
			began := time.Now()
			run(t, "validate", dir).requireProblem(t, 64, tt.code)
			if took := time.Since(began); took > 2*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

func TestReferencedFilesDoNotLeadOutOfTheDirectory(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ file, code string }{
		"above":        {"../../etc/passwd", "SLP-CON-019"},
		"absolute":     {"/etc/passwd", "SLP-CON-019"},
		"link out":     {"schemas/link.avsc", "SLP-CON-019"},
		"process":      {"/proc/self/environ", "SLP-CON-019"},
		"pipe":         {"schemas/pipe.avsc", "SLP-CON-019"},
		"not there":    {"schemas/none.avsc", "SLP-CON-020"},
		"line break":   {"schemas/a\\nb.avsc", "SLP-CON-0"},
		"is directory": {"schemas", "SLP-CON-0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := place(t, map[string]string{
				"slipway.yaml":    small + "topics: {small.done.v1: {schema: {format: avro, file: \"" + tt.file + "\"}}}\nproduces: {small.done.v1: {}}\n",
				"schemas/ok.avsc": `"string"`,
				"../canary":       "canary-7f3a",
			})
			if err := os.Symlink("../../canary", filepath.Join(dir, "schemas", "link.avsc")); err != nil {
				t.Fatal(err)
			}
			makePipe(t, filepath.Join(dir, "schemas", "pipe.avsc"))
			got := run(t, "validate", dir)
			got.requireProblem(t, 64, tt.code)
			if strings.Contains(got.err, "canary-7f3a") || strings.Contains(got.err, "root:") {
				t.Errorf("stderr shows what stands outside:\n%s", got.err)
			}
		})
	}
}

func TestSecretsOnTheCommandLineAreRefusedAndNotRepeated(t *testing.T) {
	t.Parallel()
	const canary = "hunter2-canary"
	for name, args := range map[string][]string{
		"password":           {"plan", "--password", canary},
		"password, one word": {"apply", "--password=" + canary},
		"sasl password":      {"plan", "--sasl-password=" + canary},
		"one dash":           {"plan", "-password=" + canary},
		"token":              {"validate", "--token", canary},
		"capitals":           {"plan", "--SASL-Password=" + canary},
		"jaas":               {"plan", "--sasl-jaas-config=password=" + canary},
		"in an address":      {"plan", "https://admin:" + canary + "@registry.example"},
		"a flag's address":   {"plan", "--cluster=https://admin:" + canary + "@registry.example"},
		"in a query":         {"saga", "list", "--database", "postgres://admin@127.0.0.1/db?password=" + canary},
		"to no command":      {"--password", canary},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := run(t, args...)
			got.requireProblem(t, 64, "SLP-CLI-003")
			if strings.Contains(got.err, canary) {
				t.Errorf("the secret is repeated:\n%s", got.err)
			}
		})
	}
}

func TestWhatFollowsTwoDashesIsNotJudged(t *testing.T) {
	t.Parallel()
	got := run(t, "up", t.TempDir(), "--", "psql", "--password=x")
	if got.status != 125 || !strings.Contains(got.err, "SLP-EST-001") {
		t.Errorf("status %d, want 125 for an empty directory:\n%s", got.status, got.err)
	}
}

// A secret given where a file's name belongs must not end up in a terminal or
// a log.
func TestACredentialsFileNameIsNotRepeated(t *testing.T) {
	t.Parallel()
	const canary = "hunter2-canary"
	dir := place(t, map[string]string{"slipway.yaml": small, "clusters.yaml": remote})
	for name, args := range map[string][]string{
		"password": {"--sasl-user", "admin", "--sasl-password-file", canary},
		"registry": {"--sasl-user", "admin", "--sasl-password-file", os.DevNull, "--registry-auth-file", canary},
		"key":      {"--tls-cert", canary, "--tls-key", canary},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := run(t, append([]string{"plan", dir}, args...)...)
			got.requireProblem(t, 1, "SLP-CLI-007")
			if strings.Contains(got.err, canary) {
				t.Errorf("the argument is repeated:\n%s", got.err)
			}
		})
	}
}

const remote = `apiVersion: slipway.dev/v1
kind: Clusters
clusters:
  far: {id: MkU3OEVBNTcwNTJENDM2Qk, bootstrap: {scram: "127.0.0.1:1", mtls: "127.0.0.1:2"}, registry: {url: "http://127.0.0.1:3"}}
environments:
  prod: {default: far}
`

func TestControlCharactersNeverReachTheTerminal(t *testing.T) {
	t.Parallel()
	nasty := "\x1b]52;c;aGk=\x07\x1b[2J\r\x9b31m\u202e\u2066\x7f"
	quoted := `"\e]52;c;aGk=\a\e[2J\r\x9b31m\u202e\u2066\x7f"`
	dir := place(t, map[string]string{
		"slipway.yaml": small + "workload: {image: " + quoted + "}\n" + quoted + ": 1\nidentity: {auth: " + quoted + "}\n",
	})
	for _, args := range [][]string{
		{"validate", dir}, {"validate", dir, "-o", "json"}, {"validate", dir, "-o", "yaml"},
		{"explain", nasty, dir}, {nasty}, {"validate", "--" + nasty}, {"plan", nasty}, {"explain", "SLP-" + nasty, "-o", "yaml"},
		{"init", filepath.Join(dir, "new"), "--name", nasty}, {"validate", "-o", nasty},
	} {
		got := run(t, args...)
		if got.status == 0 {
			t.Errorf("%q succeeded", args)
		}
		for _, r := range got.out + got.err {
			if r < 0x20 && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 || r == '\u202e' || r == '\u2066' {
				t.Errorf("%q prints %U:\n%q", args, r, got.out+got.err)
				break
			}
		}
	}
}

func TestAnInterruptedCommandSaysSo(t *testing.T) {
	t.Parallel()
	dir := place(t, map[string]string{"slipway.yaml": small, "clusters.yaml": remote, "password": "x", "auth": "a:b"})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	env := map[string]string{"SLIPWAY_SASL_USER": "admin", "SLIPWAY_SASL_PASSWORD_FILE": filepath.Join(dir, "password")}
	got := runWith(ctx, func(k string) string { return env[k] }, "plan", dir)
	got.requireProblem(t, 130, "SLP-CLI-011")
}

// Programs read one document from stderr, whatever a command warned of before
// it failed.
func TestWarningsAndErrorsAreOneDocument(t *testing.T) {
	t.Parallel()
	dir := place(t, map[string]string{"slipway.yaml": small + "topics: {small.done.v1: {}}\n", "clusters.yaml": remote})
	got := run(t, "plan", dir, "-o", "json")
	var doc struct{ Problems []diag.Diagnostic }
	if err := json.Unmarshal([]byte(got.err), &doc); err != nil {
		t.Fatalf("stderr is not one document: %v\n%s", err, got.err)
	}
	var codes []diag.Code
	for _, d := range doc.Problems {
		codes = append(codes, d.Code)
	}
	if want := []diag.Code{diag.EstateNoWriter, diag.CommandCredential}; !slices.Equal(codes, want) {
		t.Errorf("codes %v, want %v", codes, want)
	}
}

// Whatever is wrong with a cluster, a credential's content stays in its file.
func TestNoCommandShowsWhatCredentialsHold(t *testing.T) {
	t.Parallel()
	const canary = "canary-3141592653"
	dir := place(t, map[string]string{
		"slipway.yaml":  small + "identity: {auth: scram-sha-512}\ntopics: {small.done.v1: {}}\nproduces: {small.done.v1: {}}\n",
		"clusters.yaml": remote, "password": canary + "\n", "auth": "admin:" + canary + "\n",
		"key": "-----BEGIN PRIVATE KEY-----\n" + canary + "\n-----END PRIVATE KEY-----\n",
	})
	file := func(name string) string { return filepath.Join(dir, name) }
	users := []string{"--sasl-user", "admin", "--sasl-password-file", file("password"), "--registry-auth-file", file("auth")}
	keys := []string{"--tls-cert", file("key"), "--tls-key", file("key")}
	for _, command := range [][]string{
		{"plan", dir}, {"apply", dir, "--yes", "--secrets", file("secrets")}, {"apply", dir, "--dry-run"},
	} {
		for _, credential := range [][]string{users, keys, append(slices.Clone(users), "--sasl-mechanism", "scram-sha-256")} {
			for _, format := range []string{"table", "wide", "json", "yaml", "name"} {
				args := slices.Concat(command, credential, []string{"-o", format})
				got := run(t, args...)
				if got.status != 1 {
					t.Errorf("%q: status %d, want 1 for a cluster that is away:\n%s", args, got.status, got.err)
				}
				if strings.Contains(got.out+got.err, canary) {
					t.Errorf("%q shows a secret:\n%s%s", args, got.out, got.err)
				}
			}
		}
	}
}
