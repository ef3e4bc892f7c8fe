package kafka_test

import (
	"errors"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/auth"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/internal/secret"
)

func TestQuotasOfUsersAreSetAndRemovedLimitByLimit(t *testing.T) {
	t.Parallel()
	_, cfg := serve(t)
	c := connect(t, cfg)
	require := func(want map[string]map[string]float64) {
		t.Helper()
		got, err := c.Quotas(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("quotas (-want +got):\n%s", diff)
		}
	}
	require(map[string]map[string]float64{})
	requireDone(t, c.SetQuotas(t.Context(), []kafka.Quota{
		{User: "svc-a-prod", Limits: map[string]float64{kafka.QuotaProduce: 1 << 20, kafka.QuotaConsume: 2 << 20}},
		{User: "svc-b-prod", Limits: map[string]float64{kafka.QuotaRequests: 12.5}},
	}), 2)
	requireDone(t, c.SetQuotas(t.Context(), []kafka.Quota{{User: "svc-a-prod", Limits: map[string]float64{kafka.QuotaProduce: 3 << 20}}}), 1)
	require(map[string]map[string]float64{
		"svc-a-prod": {kafka.QuotaProduce: 3 << 20, kafka.QuotaConsume: 2 << 20},
		"svc-b-prod": {kafka.QuotaRequests: 12.5},
	})
	for range 2 { // the second time there is nothing
		requireDone(t, c.RemoveQuotas(t.Context(), []kafka.Quota{
			{User: "svc-a-prod", Limits: map[string]float64{kafka.QuotaConsume: 0}},
			{User: "svc-b-prod", Limits: map[string]float64{kafka.QuotaRequests: 1}},
		}), 2)
	}
	require(map[string]map[string]float64{"svc-a-prod": {kafka.QuotaProduce: 3 << 20}})
}

// TestQuotasOfMoreThanAUserAreLeftOut sets those of a client id of a user and
// of everybody.
func TestQuotasOfMoreThanAUserAreLeftOut(t *testing.T) {
	t.Parallel()
	_, cfg := serve(t)
	c := connect(t, cfg)
	client := admin(t, cfg)
	entity := func(kind string, name *string) kmsg.AlterClientQuotasRequestEntryEntity {
		return kmsg.AlterClientQuotasRequestEntryEntity{Type: kind, Name: name}
	}
	req := kmsg.NewPtrAlterClientQuotasRequest()
	for _, e := range [][]kmsg.AlterClientQuotasRequestEntryEntity{
		{entity("user", new("svc-a-prod")), entity("client-id", new("x"))}, {entity("user", nil)}, {entity("client-id", new("x"))},
	} {
		req.Entries = append(req.Entries, kmsg.AlterClientQuotasRequestEntry{Entity: e, Ops: []kmsg.AlterClientQuotasRequestEntryOp{{Key: kafka.QuotaProduce, Value: 1}}})
	}
	if _, err := req.RequestWith(t.Context(), client); err != nil {
		t.Fatal(err)
	}
	if got, err := c.Quotas(t.Context()); err != nil || len(got) > 0 {
		t.Errorf("Quotas() = %v, %v, want none", got, err)
	}
}

func TestMoreQuotasThanFitIntoARequestAreSet(t *testing.T) {
	t.Parallel()
	_, cfg := serve(t)
	c := connect(t, cfg)
	var all []kafka.Quota
	for i := range 2*kafka.MaxBatch + 1 {
		all = append(all, kafka.Quota{User: "u" + string(rune('a'+i%26)) + string(rune('a'+i/26)), Limits: map[string]float64{kafka.QuotaProduce: float64(i + 1)}})
	}
	requireDone(t, c.SetQuotas(t.Context(), all), len(all))
	got, err := c.Quotas(t.Context())
	if err != nil || len(got) != len(all) || got[all[400].User][kafka.QuotaProduce] != 401 {
		t.Errorf("%d quotas, %v, want %d", len(got), err, len(all))
	}
}

func TestQuotasNeedRights(t *testing.T) {
	t.Parallel()
	_, cfg := serve(t, kfake.User("SCRAM-SHA-512", "guest", "guest"))
	cfg.User, cfg.Password = "guest", auth.Static(secret.New("guest"))
	c := connect(t, cfg)
	if _, err := c.Quotas(t.Context()); !errors.Is(err, diag.KafkaDenied) {
		t.Errorf("Quotas() = %v, want %s", err, diag.KafkaDenied)
	}
	errs := c.SetQuotas(t.Context(), []kafka.Quota{{User: "svc-a-prod", Limits: map[string]float64{kafka.QuotaProduce: 1}}})
	if !errors.Is(errs[0], diag.KafkaDenied) {
		t.Errorf("SetQuotas() = %v, want %s", errs[0], diag.KafkaDenied)
	}
}

// admin is a bare client with the login of a configuration.
func admin(t *testing.T, cfg kafka.Config) *kgo.Client {
	t.Helper()
	opts, err := cfg.Options()
	if err != nil {
		t.Fatal(err)
	}
	client, err := kgo.NewClient(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}
