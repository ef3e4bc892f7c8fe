package kafka_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/internal/kafka"
)

func TestSettingsOfATopicAreThoseItWasGiven(t *testing.T) {
	t.Parallel()
	_, cfg := serve(t)
	c := connect(t, cfg)
	own := map[string]string{kafka.RetentionMillis: "86400000", "compression.type": "zstd"}
	errs := c.CreateTopics(t.Context(), []kafka.Topic{{Name: "plain", Partitions: 1}, {Name: "set", Partitions: 1, Configs: own}})
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	got, err := c.TopicSettings(t.Context(), "plain", "set")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]map[string]string{"plain": {}, "set": own}, got); diff != "" {
		t.Error(diff)
	}
	if none, err := c.TopicSettings(t.Context()); err != nil || len(none) != 0 {
		t.Errorf("no names: %v, %v", none, err)
	}
}
