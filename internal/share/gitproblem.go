package share

import (
	"context"
	"errors"
	"os/exec"
	"strings"

	"github.com/slipway-go/slipway/diag"
)

// gitMeanings are what git and ssh say, in C's language, by what it means.
var gitMeanings = []struct {
	says string
	code diag.Code
}{
	{"could not read username", diag.ShareRefused},
	{"could not read password", diag.ShareRefused},
	{"authentication failed", diag.ShareRefused},
	{"permission denied", diag.ShareRefused},
	{"host key verification failed", diag.ShareRefused},
	{"the requested url returned error: 401", diag.ShareRefused},
	{"the requested url returned error: 403", diag.ShareRefused},
	{"couldn't find remote ref", diag.ShareMissing},
	{"does not appear to be a git repository", diag.ShareMissing},
	{"repository not found", diag.ShareMissing},
	{"' not found", diag.ShareMissing},
	{"not our ref", diag.ShareMissing},
	{"[rejected]", diag.ShareMoved},
	{"fetch first", diag.ShareMoved},
	{"cannot lock ref", diag.ShareMoved},
	{"[remote rejected]", diag.ShareRefused},
	{"not allowed", diag.ShareReference},
	{"empty ident name", diag.ShareGit},
	{"unable to auto-detect email", diag.ShareGit},
}

// gitProblem tells what git's words mean for the user.
func gitProblem(ctx context.Context, ref Reference, err error) error {
	failure, ok := errors.AsType[*gitError](err)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, exec.ErrNotFound):
		return diag.New(diag.ShareGit, "%s: there is no program git in PATH", ref)
	case !ok:
		return diag.New(diag.ShareGit, "%s: %v", ref, err)
	}
	code := diag.ShareUnreachable
	said := strings.ToLower(failure.said)
	for _, m := range gitMeanings {
		if strings.Contains(said, m.says) {
			code = m.code
			break
		}
	}
	d := diag.New(code, "%s: %v", ref, err)
	for line := range strings.Lines(failure.said) {
		if len(d.Evidence) < 5 {
			d = d.WithEvidence("git: %.300s", strings.TrimSpace(line))
		}
	}
	return d
}
