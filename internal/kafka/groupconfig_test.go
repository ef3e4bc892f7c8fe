package kafka_test

import (
	"errors"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/kafka"
)

func TestSettingsOfAGroupAreSetAndTheOthersLeftAlone(t *testing.T) {
	t.Parallel()
	fake, cfg := serve(t)
	fake.SetGroupConfigs("svc-a", map[string]string{"share.auto.offset.reset": "earliest"})
	c := connect(t, cfg)
	if before, err := c.GroupConfigs(t.Context(), "svc-b"); err != nil || len(before["svc-b"]) > 0 {
		t.Fatalf("a group that nobody configured has %v, %v", before, err)
	}
	requireDone(t, c.SetGroupConfigs(t.Context(), []kafka.GroupConfig{
		{Group: "svc-a", Configs: map[string]string{kafka.GroupSessionMillis: "60000"}},
		{Group: "svc-b", Configs: map[string]string{kafka.GroupSessionMillis: "30000", kafka.GroupHeartbeatMillis: "9000"}},
	}), 2)
	got, err := c.GroupConfigs(t.Context(), "svc-a", "svc-b")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]map[string]string{
		"svc-a": {kafka.GroupSessionMillis: "60000", "share.auto.offset.reset": "earliest"},
		"svc-b": {kafka.GroupSessionMillis: "30000", kafka.GroupHeartbeatMillis: "9000"},
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
}

func TestASettingThatGroupsDoNotHaveIsRefusedAlone(t *testing.T) {
	t.Parallel()
	_, cfg := serve(t)
	errs := connect(t, cfg).SetGroupConfigs(t.Context(), []kafka.GroupConfig{
		{Group: "svc-a", Configs: map[string]string{"no.such.thing": "1"}},
		{Group: "svc-b", Configs: map[string]string{kafka.GroupSessionMillis: "60000"}},
	})
	if len(errs) != 2 || !errors.Is(errs[0], diag.KafkaRefused) || errs[1] != nil {
		t.Errorf("SetGroupConfigs() = %v, want the first refused", errs)
	}
}

// TestSettingsOfGroupsNeedRights answers as brokers do: the cluster in memory
// lets everybody configure groups.
func TestSettingsOfGroupsNeedRights(t *testing.T) {
	t.Parallel()
	fake, cfg := serve(t)
	denied := kerr.GroupAuthorizationFailed.Code
	fake.ControlKey(int16(kmsg.DescribeConfigs), func(req kmsg.Request) (kmsg.Response, error, bool) {
		resp := req.ResponseKind().(*kmsg.DescribeConfigsResponse)
		resp.Resources = []kmsg.DescribeConfigsResponseResource{{ErrorCode: denied, ResourceType: kmsg.ConfigResourceTypeGroupConfig, ResourceName: "svc-a"}}
		return resp, nil, true
	})
	fake.ControlKey(int16(kmsg.IncrementalAlterConfigs), func(req kmsg.Request) (kmsg.Response, error, bool) {
		resp := req.ResponseKind().(*kmsg.IncrementalAlterConfigsResponse)
		resp.Resources = []kmsg.IncrementalAlterConfigsResponseResource{{ErrorCode: denied, ResourceType: kmsg.ConfigResourceTypeGroupConfig, ResourceName: "svc-a"}}
		return resp, nil, true
	})
	c := connect(t, cfg)
	if _, err := c.GroupConfigs(t.Context(), "svc-a"); !errors.Is(err, diag.KafkaDenied) {
		t.Errorf("GroupConfigs() = %v, want %s", err, diag.KafkaDenied)
	}
	errs := c.SetGroupConfigs(t.Context(), []kafka.GroupConfig{{Group: "svc-a", Configs: map[string]string{kafka.GroupSessionMillis: "1"}}})
	if !errors.Is(errs[0], diag.KafkaDenied) {
		t.Errorf("SetGroupConfigs() = %v, want %s", errs[0], diag.KafkaDenied)
	}
}
