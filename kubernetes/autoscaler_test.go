//go:build kubernetes

package kubernetes_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// exact is how late, at most, this process hears of a step.
const exact = 3 * time.Second

// A step is a number of instances that is asked for from a moment on.
type step struct {
	at       time.Time
	replicas int
}

func (s step) String() string { return fmt.Sprintf("%d at %s", s.replicas, s.at.Format(time.TimeOnly)) }

// steps are those that a workload's number of instances takes, each of them.
type steps struct {
	feed
	all []step
}

// asked follows how many instances are asked for, until the test ends.
func (s *service) asked(t *testing.T) *steps {
	t.Helper()
	path, err := s.path(t.Context(), s.workload)
	if err != nil {
		t.Fatal(err)
	}
	w := new(steps)
	w.follow(t, s.plane, strings.TrimSuffix(path, "/"+s.workload.name())+"?fieldSelector=metadata.name%3D"+s.workload.name(), func(e event) {
		replicas := e.Object.number("spec", "replicas")
		if len(w.all) == 0 || w.all[len(w.all)-1].replicas != replicas {
			w.all = append(w.all, step{time.Now(), replicas})
		}
	})
	return w
}

// until waits until so many instances are asked for.
func (w *steps) until(t *testing.T, replicas int, within time.Duration) {
	t.Helper()
	w.await(t, within, fmt.Sprintf("%d instances are asked for", replicas), func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.all[len(w.all)-1].replicas == replicas
	}, func() string { return fmt.Sprint(w.take()) })
}

// take returns the steps so far. The last of them is the first of those to come.
func (w *steps) take() []step {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := slices.Clone(w.all)
	w.all = w.all[len(w.all)-1:]
	return all
}

// A pace is how fast an autoscaler may go in a direction.
type pace struct {
	window  time.Duration // that a need has to last
	percent int           // of what there is, at most, within each period
	period  time.Duration
}

// paced is the pace that is rendered for a direction: it has one policy.
func paced(t *testing.T, hpa object, direction string) pace {
	t.Helper()
	policies, _ := hpa.at("spec", "behavior", direction, "policies").([]any)
	if len(policies) != 1 {
		t.Fatalf("%s has policies %v, want one", direction, policies)
	}
	policy := object(policies[0].(map[string]any))
	p := pace{
		window:  time.Duration(hpa.number("spec", "behavior", direction, "stabilizationWindowSeconds")) * time.Second,
		percent: policy.number("value"),
		period:  time.Duration(policy.number("periodSeconds")) * time.Second,
	}
	if policy["type"] != "Percent" || p.window == 0 || p.percent == 0 || p.period == 0 {
		t.Fatalf("%s is %v, which leaves nothing to be seen", direction, hpa.at("spec", "behavior", direction))
	}
	return p
}

// check sees to it that the first step came when the need had lasted, since the
// autoscaler was told the contrary for the last time, and that no step goes further
// than the policy lets it from where things were a period before.
func (p pace) check(t *testing.T, all []step, contrary time.Time) {
	t.Helper()
	t.Logf("steps %v, after the contrary at %s", all, contrary.Format(time.TimeOnly))
	if len(all) < 3 {
		t.Fatalf("steps %v are too few to see how fast they are", all)
	}
	if contrary.IsZero() || all[1].at.Add(exact).Before(contrary.Add(p.window)) {
		t.Errorf("the first step is at %v, and the need was there since %v: want it to last for %v", all[1].at, contrary, p.window)
	}
	for i, now := range all[1:] {
		before := all[0].replicas
		for _, earlier := range all[1 : i+1] {
			if !earlier.at.After(now.at.Add(exact - p.period)) {
				before = earlier.replicas
			}
		}
		least, most := before*(100-p.percent)/100, (before*(100+p.percent)+99)/100
		if now.replicas < least || now.replicas > most {
			t.Errorf("steps %v: of %d there may be made %d to %d within %v", all, before, least, most, p.period)
		}
	}
}

// bounds are the most instances that the autoscaler of a tree may ask for, and how
// far behind it lets each of them be.
func bounds(t *testing.T, tr tree) (most, share int) {
	t.Helper()
	for _, o := range tr.objects(t) {
		metrics, _ := o.at("spec", "metrics").([]any)
		for _, m := range metrics {
			metric := object(m.(map[string]any))
			if o.kind() != "HorizontalPodAutoscaler" || metric["type"] != "External" {
				continue
			}
			share, err := strconv.Atoi(metric.text("external", "target", "averageValue"))
			if err != nil {
				t.Fatalf("%s: %v", o, err)
			}
			return o.number("spec", "maxReplicas"), share
		}
	}
	t.Fatalf("%s has no autoscaler by lag", tr)
	return 0, 0
}

// measured reports whether an autoscaler has a value of each of its metrics: while one
// is missing it stops nobody, which would prove nothing.
func measured(hpa object) bool {
	want, _ := hpa.at("spec", "metrics").([]any)
	got, _ := hpa.at("status", "currentMetrics").([]any)
	return len(want) == len(got) && !slices.ContainsFunc(got, func(m any) bool { return m.(map[string]any)["type"] == "" })
}
