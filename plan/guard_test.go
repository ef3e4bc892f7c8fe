package plan_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/plan"
)

func TestTheGuardLetsPassWhatIsSafeOrAllowed(t *testing.T) {
	t.Parallel()
	shorter := func(a *plan.Actual) { a.Topics["orders.created.v1"].Configs[kafka.RetentionMillis] = "-1" }
	smaller := func(a *plan.Actual) { a.Topics["inventory.stock.v1"].Configs[kafka.MaxMessageBytes] = "9999999" }
	fewer := func(a *plan.Actual) {
		is := a.Topics["inventory.reserved.v1"]
		is.Partitions = 12
		a.Topics["inventory.reserved.v1"] = is
	}
	const retention, size = "retention:orders.created.v1", "max-message:inventory.stock.v1"
	for name, tt := range map[string]struct {
		changes []func(*plan.Actual)
		allow   []string
		want    []diag.Code
	}{
		"nothing":               {nil, nil, nil},
		"a safe change":         {[]func(*plan.Actual){func(a *plan.Actual) { delete(a.Users, "svc-orders-dev") }}, nil, nil},
		"not allowed":           {[]func(*plan.Actual){shorter}, nil, []diag.Code{diag.PlanNeedsAllow}},
		"allowed":               {[]func(*plan.Actual){shorter}, []string{retention}, nil},
		"one of two allowed":    {[]func(*plan.Actual){shorter, smaller}, []string{retention}, []diag.Code{diag.PlanNeedsAllow}},
		"both allowed":          {[]func(*plan.Actual){shorter, smaller}, []string{size, retention}, nil},
		"allowed and needless":  {[]func(*plan.Actual){shorter}, []string{retention, size}, []diag.Code{diag.PlanUnknownAllow}},
		"an empty allow":        {nil, []string{""}, []diag.Code{diag.PlanUnknownAllow}},
		"impossible":            {[]func(*plan.Actual){fewer}, nil, []diag.Code{diag.PlanImpossible}},
		"impossible is for all": {[]func(*plan.Actual){fewer, shorter}, []string{retention}, []diag.Code{diag.PlanImpossible}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := derive(t, shop(t, "dev"), contract.Embedded)
			have := settled(want)
			for _, change := range tt.changes {
				change(have)
			}
			err := plan.Guard(diff(t, want, have), tt.allow)
			var got []diag.Code
			for _, d := range diag.Of(err) {
				got = append(got, d.Code)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("codes (-want +got):\n%s", diff)
			}
			if errors.Is(err, plan.ErrRefused) != (len(tt.want) > 0) {
				t.Errorf("error %v, want ErrRefused: %t", err, len(tt.want) > 0)
			}
		})
	}
}

func TestARefusalSaysWhereAndWhatWouldLetItPass(t *testing.T) {
	t.Parallel()
	want := derive(t, shop(t, "dev"), contract.Embedded)
	have := settled(want)
	have.Topics["orders.created.v1"].Configs[kafka.RetentionMillis] = "-1"
	got := diag.Of(plan.Guard(diff(t, want, have), nil))[0]
	if got.Position.String() != "orders/slipway.yaml:21:14" {
		t.Errorf("position is %s", got.Position)
	}
	if wantText := "to change retention.ms of topic orders.created.v1 from -1 to 604800000 is destructive: records older than the new retention are deleted at once"; got.Message != wantText {
		t.Errorf("message is %q,\nwant %q", got.Message, wantText)
	}
	if !strings.Contains(got.Fix, "--allow retention:orders.created.v1") {
		t.Errorf("fix is %q", got.Fix)
	}
}
