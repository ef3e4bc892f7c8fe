//go:build kubernetes

package kubernetes_test

import (
	"os"
	"testing"
	"time"
)

// While groups are behind by twice as much as the most instances are there for, there
// come more of them: once the need has lasted, no faster than is rendered, and never
// more than the most. When groups have caught up, nobody is stopped at once.
//
// How long nobody is stopped is five minutes. With SLIPWAY_SOAK=1 they are waited out,
// and instances are seen to go, no faster than is rendered, down to the fewest.
func TestInstancesFollowTheLagNoFasterThanRendered(t *testing.T) {
	t.Parallel()
	p, tr := cluster(t), scaled(t, "everything", "worker", "dev")
	most, share := bounds(t, tr)
	low, high := share/2, share*most*2
	m := p.measure(t, "everything-dev", low)
	s := p.deploy(t, tr, 1)
	hpa := s.find(t, "HorizontalPodAutoscaler")
	p.discard(t, hpa)
	s.until(t, hpa, "it has all of its metrics", measured)
	asked := s.asked(t)

	m.set(high)
	asked.until(t, most, 5*time.Minute)
	s.until(t, hpa, "it wants more than there may be", func(now object) bool { return now.reason("ScalingLimited") == "TooManyReplicas" })
	s.pods.until(t, "the most instances are ready", settled(most))
	paced(t, hpa, "scaleUp").check(t, asked.take(), m.last(low))

	m.set(0)
	s.until(t, hpa, "it holds back", func(now object) bool { return now.reason("AbleToScale") == "ScaleDownStabilized" })
	if os.Getenv("SLIPWAY_SOAK") == "" {
		<-time.After(15 * time.Second) // in each of which it decides anew
		if steps := asked.take(); len(steps) > 1 {
			t.Errorf("instances are stopped at once: %v", steps)
		}
		return
	}
	asked.until(t, 1, 15*time.Minute)
	paced(t, hpa, "scaleDown").check(t, asked.take(), m.last(high))
}
