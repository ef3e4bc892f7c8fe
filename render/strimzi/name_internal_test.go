package strimzi

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestEveryTopicIsAnObjectOfItsOwn(t *testing.T) {
	t.Parallel()
	// What the API server takes: a DNS subdomain of at most 253 characters.
	valid := regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)
	topic := rapid.OneOf(rapid.StringMatching(`[a-zA-Z0-9._-]{1,12}`), rapid.StringMatching(`[A-Z._-]{200,249}`), rapid.SampledFrom([]string{"a_b", "a-b", "A_b", "_", "a.b", "a..b", "-a", "a."}))
	rapid.Check(t, func(t *rapid.T) {
		topics := rapid.SliceOfNDistinct(topic, 1, 20, rapid.ID).Draw(t, "topics")
		owner := map[string]string{}
		names := objectNames(topics)
		for _, topic := range topics {
			name := names[topic]
			if !valid.MatchString(name) || len(name) > 253 {
				t.Errorf("%q is called %q, which Kubernetes refuses", topic, name)
			}
			if other, taken := owner[name]; taken {
				t.Errorf("%q and %q are both called %q", topic, other, name)
			}
			owner[name] = topic
			if valid.MatchString(topic) && name != topic {
				t.Errorf("%q could keep its name and is called %q", topic, name)
			}
		}
	})
}

func TestANameStaysWhenAnotherTopicComes(t *testing.T) {
	t.Parallel()
	alone, crowded := objectNames([]string{"Orders_v1"})["Orders_v1"], objectNames([]string{"Orders_v1", "orders_v1", "orders-v1"})["Orders_v1"]
	if alone != crowded || !strings.HasPrefix(alone, "orders-v1-") {
		t.Errorf("it is called %s alone and %s beside others", alone, crowded)
	}
}
