package cli

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/up"
	"github.com/slipway-go/slipway/plan"
)

// The exit statuses.
const (
	exitOK          = 0
	exitError       = 1
	exitFindings    = 2
	exitRefused     = 3
	exitUsage       = 64
	exitOwn         = up.FailureStatus
	exitInterrupted = 130
)

// exitMeaning is what --help says of each.
var exitMeaning = map[int]string{
	exitOK:          "ok",
	exitError:       "an error, or an item that failed",
	exitFindings:    "differences or findings",
	exitRefused:     "refused by a guard; nothing was changed",
	exitUsage:       "the command line or a contract is invalid",
	exitOwn:         "slipway itself failed where a COMMAND was given; any other status is the command's",
	exitInterrupted: "interrupted",
}

// errFindings ends a command whose view has told what was found.
var errFindings = errors.New("findings")

// errInvalid ends a command whose view has told what is wrong with contracts.
var errInvalid = errors.New("invalid contracts")

// errInterrupted is the cause of a context that Ctrl-C or a signal ended.
var errInterrupted = errors.New("interrupted")

// errStopped ends a command that was interrupted and has told so.
var errStopped = errors.New("stopped")

// An ownError is a failure of slipway's own where the exit status is expected
// to be that of a command.
type ownError struct{ error }

func (e *ownError) Unwrap() error { return e.error }

// A childError is the exit status of a command that slipway ran for the user,
// who has seen its output.
type childError struct{ status int }

func (e *childError) Error() string { return fmt.Sprintf("exit status %d", e.status) }

// warn tells people at once; programs get it with the rest, in one document.
func (a *app) warn(list diag.List) {
	if a.view.Documents() {
		a.warnings = append(a.warnings, list...)
		return
	}
	a.view.Problems(list)
}

// report shows what the view has not shown yet and returns the status.
func (a *app) report(ctx context.Context, err error) int {
	code := status(ctx, err)
	a.view.Problems(append(a.warnings, untold(code, err)...))
	return code
}

// untold are the problems of an error that nobody has shown yet.
func untold(code int, err error) diag.List {
	_, ran := errors.AsType[*childError](err)
	switch {
	case err == nil, ran, errors.Is(err, errFindings), errors.Is(err, errInvalid), errors.Is(err, errStopped):
		return nil
	case code == exitInterrupted:
		return diag.List{diag.New(diag.CommandInterrupted, "interrupted")}
	}
	return problems(err)
}

// problems are what an error says, each once; one without a code gets the
// general one.
func problems(err error) diag.List {
	var list diag.List
	for _, d := range diag.Of(err) {
		if !slices.ContainsFunc(list, func(known diag.Diagnostic) bool { return reflect.DeepEqual(known, d) }) {
			list.Add(d)
		}
	}
	if len(list) > 0 {
		return list
	}
	var lines []string // of joined errors, each once
	for line := range strings.SplitSeq(strings.TrimSpace(err.Error()), "\n") {
		if !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	d := diag.New(diag.CommandFailed, "%s", lines[0])
	d.Evidence = lines[1:]
	list.Add(d)
	return list
}

// status maps an error to the exit status. It is the only place that does.
func status(ctx context.Context, err error) int {
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errFindings):
		return exitFindings
	case errors.Is(err, errInvalid):
		return exitUsage
	}
	if child, ok := errors.AsType[*childError](err); ok {
		return child.status
	}
	_, own := errors.AsType[*ownError](err)
	switch {
	case ctx.Err() != nil, errors.Is(err, errStopped):
		return exitInterrupted
	case own:
		return exitOwn
	case errors.Is(err, diag.ShareLocked), errors.Is(err, diag.ShareTampered), errors.Is(err, diag.ShareService):
		return exitRefused
	case errors.Is(err, plan.ErrRefused), errors.Is(err, diag.CommandUnconfirmed), errors.Is(err, diag.CommandOverwrite), errors.Is(err, diag.GenerateForeign), errors.Is(err, diag.RenderEdited), errors.Is(err, diag.RenderForeign), errors.Is(err, diag.ImageModified), errors.Is(err, diag.ImageTaken):
		return exitRefused
	case slices.ContainsFunc(diag.Of(err), func(d diag.Diagnostic) bool { return slices.Contains(pkiGuards, d.Code) }):
		return exitRefused
	case slices.ContainsFunc(diag.Of(err), user):
		return exitUsage
	}
	return exitError
}

// pkiGuards are refusals of the PKI: nothing was changed, because a key would be
// at risk or something would break.
var pkiGuards = []diag.Code{
	diag.DepotExists, diag.DepotForeign, diag.DepotLocked, diag.DepotPhase, diag.DepotBlocked, diag.DepotRevoked,
	diag.DepotPassphrase, diag.DepotDeny, diag.PKILoose, diag.PKILink,
}

// user reports whether the user's own words are at fault: the command line or
// a contract.
func user(d diag.Diagnostic) bool {
	switch d.Code {
	case diag.CommandUsage, diag.RenderTarget, diag.CommandUnknown, diag.CommandSecret, diag.CommandUnknownCode, diag.CommandDirectory,
		diag.ShareReference, diag.ShareNoSources, diag.PlanUnknownName, diag.PlanUnknownCluster, diag.UpDirectory, diag.UpBroker, diag.UpForeign, diag.DevConfig, diag.ACLGroupShared, diag.ACLTransactionalShared,
		diag.DepotUndeclared, diag.DepotUnknown, diag.DepotNoCluster, diag.DepotPrincipal, diag.PKIName, diag.PKILifetime, diag.PKIConstraint,
		diag.SchemaNoTopic, diag.GenerateName, diag.GenerateType, diag.GenerateNoService, diag.ImageService, diag.ImagePlatform, diag.ImageReference,
		diag.PKIRequest, diag.PKIRequestSignature, diag.PKIRequestAuthority, diag.PKIRequestUsage, diag.PrincipalRule:
		return true
	}
	return d.Severity == diag.Error && slices.Contains([]string{"CON", "EST", "CLU", "CFG"}, d.Code.Area())
}

// exits notes a command's exit statuses for its help.
func exits(codes ...int) map[string]string {
	lines := make([]string, len(codes))
	for i, c := range codes {
		lines[i] = fmt.Sprintf("  %-4d %s", c, exitMeaning[c])
	}
	return map[string]string{"exits": strings.Join(lines, "\n")}
}
