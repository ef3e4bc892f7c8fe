package image_test

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/image"
)

func TestACompilerSaysWhatItCannotCompile(t *testing.T) {
	t.Parallel()
	amd64 := platforms("linux/amd64")[0]
	for name, tt := range map[string]struct {
		source   string
		environ  []string
		want     diag.Code
		evidence string
	}{
		"a fault in the source": {"package main\n\nfunc main() { missing() }\n", nil, diag.ImageBuild, "undefined: missing"},
		"no go command":         {goMain, []string{"PATH=/nowhere"}, diag.ImageNoGo, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := compiler(module(t, tt.source), tt.environ...).Compile(t.Context(), amd64)
			if !errors.Is(err, tt.want) || !strings.Contains(strings.Join(diag.Of(err)[0].Evidence, "\n"), tt.evidence) {
				t.Errorf("%v, want %s with %q", diag.Of(err).Text(), tt.want, tt.evidence)
			}
		})
	}
}

// The list is what a warning is made of: such a package may compile without cgo
// and fail when it is called.
func TestPackagesWithCodeInCAreNamed(t *testing.T) {
	t.Parallel()
	amd64 := platforms("linux/amd64")[0]
	dir := module(t, "package main\n\nimport \"net\"\n\nfunc main() { _, _ = net.Dial(\"tcp\", \"\") }\n")
	if got, err := compiler(dir).Foreign(t.Context(), amd64); err != nil || len(got) != 0 {
		t.Errorf("%v, %v: Go's own do not count", got, err)
	}
	dir = module(t, "package main\n\nimport \"C\"\n\nfunc main() {}\n")
	if got, err := compiler(dir).Foreign(t.Context(), amd64); err != nil || len(got) != 1 || got[0] != "example.com/tiny" {
		t.Errorf("%v, %v, want example.com/tiny", got, err)
	}
}

func TestTimeZonesAreThoseOfTheGoThatCompiles(t *testing.T) {
	t.Parallel()
	dir := module(t, goMain)
	zones, err := compiler(dir).Zones(t.Context())
	if err != nil || !strings.HasPrefix(string(zones), "PK") {
		t.Errorf("%d bytes, %v", len(zones), err)
	}
	bare := t.TempDir()
	script := "#!/bin/sh\necho " + bare + "\n"
	if err := os.WriteFile(bare+"/go", []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := compiler(dir, "PATH="+bare).Zones(t.Context()); !errors.Is(err, diag.ImageZones) {
		t.Errorf("%v, want %s", err, diag.ImageZones)
	}
}

func TestAnOriginIsTheCommit(t *testing.T) {
	t.Parallel()
	dir := module(t, goMain)
	for _, args := range [][]string{
		{"init", "--quiet"}, {"remote", "add", "origin", "git@git.example.com:shop/tiny.git"}, {"add", "."},
		{"-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "--quiet", "-m", "one"},
	} {
		cmd := exec.Command("git", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GIT_COMMITTER_DATE=2026-01-02T03:04:05Z", "GIT_CONFIG_GLOBAL=/dev/null")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	c := compiler(dir)
	p, err := c.Compile(t.Context(), platforms("linux/amd64")[0])
	if err != nil {
		t.Fatal(err)
	}
	got := p.Origin()
	if !got.Time.Equal(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)) || len(got.Revision) != 40 || got.Modified {
		t.Errorf("origin %+v", got)
	}
	if want := "v0.0.0-20260102030405-" + got.Revision[:12]; got.Version != want {
		t.Errorf("version %q, want %q", got.Version, want)
	}
	if got := image.Source(c.Remote(t.Context())); got != "https://git.example.com/shop/tiny" {
		t.Errorf("source %q", got)
	}
}
