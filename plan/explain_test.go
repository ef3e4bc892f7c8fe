package plan_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/plan"
)

func explained(list []plan.Explanation) []string {
	var lines []string
	for _, e := range list {
		lines = append(lines, fmt.Sprintf("%s %s on %s: %s", e.Kind, e.Name, e.Cluster, e.Detail))
		for _, r := range e.Reasons {
			lines = append(lines, "  because "+r.String())
		}
		for _, g := range e.Access {
			lines = append(lines, "  access "+g.Binding.String())
		}
	}
	return lines
}

func TestEveryNameIsExplained(t *testing.T) {
	t.Parallel()
	const (
		owns     = "  because orders owns orders.created.v1 (orders/slipway.yaml:6:3)"
		consumes = "  because payments consumes orders.created.v1 as group svc-payments-staging.audit (payments/slipway.yaml:15:3)"
	)
	topic := []string{
		"topic staging.orders.created.v1 on kafka-shared: topic of orders", owns,
		"  access User:svc-inventory-staging READ TOPIC staging.orders.created.v1",
		"  access User:svc-orders-staging WRITE TOPIC staging.orders.created.v1",
		"  access User:svc-payments-staging READ TOPIC staging.orders.created.v1",
	}
	user := []string{
		"user svc-inventory-staging on kafka-shared: logs in with mtls",
		"  because inventory logs in with mtls (inventory/slipway.yaml:4:12)",
		"  access User:svc-inventory-staging READ GROUP svc-inventory-staging",
		"  access User:svc-inventory-staging WRITE TOPIC staging.inventory.reserved.v1",
		"  access User:svc-inventory-staging WRITE TOPIC staging.inventory.stock.v1",
		"  access User:svc-inventory-staging READ TOPIC staging.orders.created.v1",
		"  access User:svc-inventory-staging WRITE TOPIC svc-inventory-staging.orders.created.v1.dlq",
		"  access User:svc-inventory-staging DELETE TOPIC svc-inventory-staging.orders.created.v1.retry",
		"  access User:svc-inventory-staging READ TOPIC svc-inventory-staging.orders.created.v1.retry",
		"  access User:svc-inventory-staging WRITE TOPIC svc-inventory-staging.orders.created.v1.retry",
	}
	redrive := []string{
		"user svc-inventory-staging-redrive on kafka-shared: logs in with mtls",
		"  because inventory lets an operator redrive its dead letters, who logs in with mtls (inventory/slipway.yaml:4:12)",
		"  access User:svc-inventory-staging-redrive READ GROUP svc-inventory-staging-redrive",
		"  access User:svc-inventory-staging-redrive DELETE TOPIC svc-inventory-staging.orders.created.v1.dlq",
		"  access User:svc-inventory-staging-redrive READ TOPIC svc-inventory-staging.orders.created.v1.dlq",
		"  access User:svc-inventory-staging-redrive WRITE TOPIC svc-inventory-staging.orders.created.v1.retry",
	}
	group := []string{
		"group svc-inventory-staging on kafka-shared: consumer group of User:svc-inventory-staging",
		"  because inventory consumes orders.created.v1 as group svc-inventory-staging (inventory/slipway.yaml:17:3)",
		"  access User:svc-inventory-staging READ GROUP svc-inventory-staging",
	}
	transactions := []string{
		"transactional-id svc-payments-staging. on kafka-shared: prefix of the transactional ids of User:svc-payments-staging",
		"  because payments produces payments.confirmed.v1 in transactions (payments/slipway.yaml:11:3)",
		"  access User:svc-payments-staging WRITE TRANSACTIONAL_ID svc-payments-staging.*",
	}
	for name, want := range map[string][]string{
		"staging.orders.created.v1":  topic,
		"orders.created.v1":          topic,
		"svc-inventory-staging":      append(group[:3:3], user...),
		"User:svc-inventory-staging": user,

		"User:svc-inventory-staging-redrive": redrive,
		"svc-orders-staging-redrive": {
			"group svc-orders-staging-redrive on kafka-shared: consumer group of User:svc-orders-staging-redrive",
			"  because orders lets an operator read dead letters of payments.confirmed.v1 (orders/slipway.yaml:16:3)",
			"  access User:svc-orders-staging-redrive READ GROUP svc-orders-staging-redrive",
			"user svc-orders-staging-redrive on kafka-shared: logs in with scram-sha-512",
			"  because orders lets an operator redrive its dead letters, who logs in with scram-sha-512 (orders/slipway.yaml:4:12)",
			"  access User:svc-orders-staging-redrive READ GROUP svc-orders-staging-redrive",
			"  access User:svc-orders-staging-redrive DELETE TOPIC svc-orders-staging.payments.confirmed.v1.dlq",
			"  access User:svc-orders-staging-redrive READ TOPIC svc-orders-staging.payments.confirmed.v1.dlq",
			"  access User:svc-orders-staging-redrive WRITE TOPIC svc-orders-staging.payments.confirmed.v1.retry",
		},
		"svc-inventory-staging.orders.created.v1.retry": {
			"topic svc-inventory-staging.orders.created.v1.retry on kafka-shared: retry topic of inventory: records of staging.orders.created.v1 wait there, each key in order, and are taken out once they are through",
			"  because inventory retries records of orders.created.v1 (inventory/slipway.yaml:17:3)",
			"  access User:svc-inventory-staging DELETE TOPIC svc-inventory-staging.orders.created.v1.retry",
			"  access User:svc-inventory-staging READ TOPIC svc-inventory-staging.orders.created.v1.retry",
			"  access User:svc-inventory-staging WRITE TOPIC svc-inventory-staging.orders.created.v1.retry",
			"  access User:svc-inventory-staging-redrive WRITE TOPIC svc-inventory-staging.orders.created.v1.retry",
		},
		"svc-payments-staging.audit": {
			"group svc-payments-staging.audit on kafka-shared: consumer group of User:svc-payments-staging, with consumer.session.timeout.ms=50000 on the brokers", consumes,
			"  because payments consumes orders.created.v1 with session 50s (payments/slipway.yaml:15:3)",
			"  access User:svc-payments-staging READ GROUP svc-payments-staging.audit",
		},
		"svc-payments-staging.":  transactions,
		"svc-payments-staging.*": transactions,
		"svc-payments-staging.audit.orders.created.v1.dlq": {
			"topic svc-payments-staging.audit.orders.created.v1.dlq on kafka-shared: dead letters of payments",
			"  because payments sends dead letters of orders.created.v1 (payments/slipway.yaml:15:3)",
			"  access User:svc-payments-staging WRITE TOPIC svc-payments-staging.audit.orders.created.v1.dlq",
			"  access User:svc-payments-staging-redrive DELETE TOPIC svc-payments-staging.audit.orders.created.v1.dlq",
			"  access User:svc-payments-staging-redrive READ TOPIC svc-payments-staging.audit.orders.created.v1.dlq",
		},
		"staging.orders.created.v1-value": {
			"subject staging.orders.created.v1-value on kafka-shared: avro schema, backward_transitive compatible",
			"  because orders owns orders.created.v1 with this schema (orders/slipway.yaml:10:5)",
		},
		"crm.changed.v1": {
			"topic staging.crm.changed.v1 on kafka-shared: topic of another owner, never planned",
			"  because external.yaml says that crm.changed.v1 is owned elsewhere (external.yaml:4:3)",
			"  access User:svc-orders-staging READ TOPIC staging.crm.changed.v1",
		},
		"User:svc-payments-staging READ GROUP svc-payments-staging.audit": {
			"acl User:svc-payments-staging READ GROUP svc-payments-staging.audit on kafka-shared: ", consumes,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := plan.Explain(shop(t, "staging"), name)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, explained(got)); diff != "" {
				t.Errorf("explanation (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnUnknownNameIsAnsweredWithItsLike(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"orders.craeted.v1":   "did you mean orders.created.v1?",
		"svc-inventry-dev":    "did you mean svc-inventory-dev",
		"payments.confirmed":  "did you mean payments.confirmed.v1",
		"orders":              "orders.created.v1",
		"":                    "slipway plan lists",
		"something else at 1": "slipway plan lists",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := plan.Explain(shop(t, "dev"), name)
			if !errors.Is(err, diag.PlanUnknownName) {
				t.Fatalf("Explain() = %v, want %s", err, diag.PlanUnknownName)
			}
			if got := diag.Of(err)[0].Remedy(); !strings.Contains(got, want) {
				t.Errorf("fix is %q, want %q in it", got, want)
			}
		})
	}
}
