package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/plan"
)

func TestEachKindOfErrorHasItsExitStatus(t *testing.T) {
	t.Parallel()
	invalid := diag.List{diag.New(diag.ContractUnknownKey, "unknown key")}
	refused := plan.Guard(&plan.Plan{}, []string{"repartition:nobody"})
	if !errors.Is(refused, plan.ErrRefused) {
		t.Fatal("the guard let an unknown --allow pass")
	}
	for name, tt := range map[string]struct {
		err  error
		want int
	}{
		"nothing":                       {nil, 0},
		"an error without a code":       {errors.New("disk full"), 1},
		"an error with a code":          {diag.New(diag.KafkaUnreachable, "nobody answers"), 1},
		"a credential":                  {diag.New(diag.CommandCredential, "missing"), 1},
		"time":                          {diag.New(diag.CommandTimeout, "not done"), 1},
		"findings":                      {fmt.Errorf("validate: %w", errFindings), 2},
		"a guard":                       {fmt.Errorf("apply: %w", refused), 3},
		"no yes":                        {diag.New(diag.CommandUnconfirmed, "no"), 3},
		"overwriting":                   {diag.List{diag.New(diag.CommandOverwrite, "exists")}, 3},
		"usage":                         {usage("no flag"), 64},
		"an invalid contract":           {invalid, 64},
		"an invalid contract, wrapped":  {fmt.Errorf("plan: %w", invalid), 64},
		"an invalid contract and more":  {errors.Join(errors.New("more"), invalid), 64},
		"a warning beside an error":     {errors.Join(diag.Warn(diag.EstateNoWriter, "w"), errors.New("disk full")), 1},
		"a command's own status":        {&childError{42}, 42},
		"slipway's under a command":     {&ownError{invalid}, 125},
		"stopped in good order by hand": {errStopped, 130},
	} {
		if got := status(t.Context(), tt.err); got != tt.want {
			t.Errorf("%s: status %d, want %d", name, got, tt.want)
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errInterrupted)
	for name, err := range map[string]error{"cut short": errors.New("connection closed"), "under a command": &ownError{context.Canceled}} {
		if got := status(ctx, err); got != 130 {
			t.Errorf("interrupted, %s: status %d, want 130", name, got)
		}
	}
	if got := status(ctx, nil); got != 0 {
		t.Errorf("done before the interrupt: status %d, want 0", got)
	}
}

func TestAnErrorWithoutACodeGetsTheGeneralOne(t *testing.T) {
	t.Parallel()
	list := problems(errors.New("disk full"))
	if len(list) != 1 || list[0].Code != diag.CommandFailed || list[0].Message != "disk full" {
		t.Errorf("problems = %v", list)
	}
}

func TestJoinedErrorsThatSayTheSameAreToldOnce(t *testing.T) {
	t.Parallel()
	late := errors.New("not ready")
	list := problems(errors.Join(late, late, errors.New("disk full"), late))
	if len(list) != 1 || list[0].Message != "not ready" || !slices.Equal(list[0].Evidence, []string{"disk full"}) {
		t.Errorf("problems = %+v", list)
	}
}

func TestNearestForgivesASlipAndNoMore(t *testing.T) {
	t.Parallel()
	known := []string{"strict", "output", "file"}
	for word, want := range map[string]string{"strikt": "strict", "ouptut": "output", "fiel": "file", "zzzzzz": "", "": "file"[:0]} {
		if got := nearest(word, known); got != want {
			t.Errorf("nearest(%q) = %q, want %q", word, got, want)
		}
	}
}
