package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/slipway-go/slipway/contract"
)

// Whenever a step is killed, the cluster takes a password of the directory, and
// the step goes on when it is run again.
func TestAKilledRotationNeverLosesThePassword(t *testing.T) {
	t.Parallel()
	f, estate, secrets := staffed(t)
	const user = "svc-stock-prod"
	args := func(step ...string) []string {
		return append([]string{"user", "rotate", "stock", "--dir", estate, "--secrets", secrets, "--iterations", "4096"}, step...)
	}
	killed := 0
	kill := func(after time.Duration, step ...string) {
		c := exec.Command("slipway", args(step...)...)
		c.Env = append(os.Environ(), "SLIPWAY_SASL_USER="+f.getenv("SLIPWAY_SASL_USER"), "SLIPWAY_SASL_PASSWORD_FILE="+f.getenv("SLIPWAY_SASL_PASSWORD_FILE"))
		f.must(c.Start())
		timer := time.AfterFunc(after, func() { _ = c.Process.Kill() })
		if err := c.Wait(); err != nil && strings.Contains(err.Error(), "killed") {
			killed++
		}
		timer.Stop()
		f.sound(secrets, user)
	}
	for round := range 3 {
		before := read(t, secrets, user+"/password")
		for i, step := range [][]string{{"--stage"}, {"--alter", "--confirmed-by-all"}, {"--promote"}} {
			kill(time.Duration(20+60*round+35*i)*time.Millisecond, step...)
			f.require(f.slipway(args(step...)...), 0)
			f.sound(secrets, user)
		}
		if after := read(t, secrets, user+"/password"); after == before {
			t.Error("the password in force is still the old one")
		}
	}
	if killed == 0 {
		t.Error("no step was killed")
	}
	t.Logf("%d of 9 steps were killed", killed)
}

// sound requires that one of the user's passwords works, and that there is no
// other file that would become part of a Secret.
func (f *liveFixture) sound(secrets, user string) {
	f.Helper()
	entries, err := os.ReadDir(filepath.Join(secrets, user))
	if err != nil {
		f.Fatal(err)
	}
	works := false
	for _, e := range entries {
		if e.Name() != "password" && e.Name() != "password.next" {
			f.Errorf("%s lies in the directory", e.Name())
		}
		password := strings.TrimSpace(read(f.T, secrets, user+"/"+e.Name()))
		works = works || f.logsIn(user, contract.SCRAMSHA512, password)
	}
	if !works {
		f.Fatal("no password of the directory works")
	}
}
