package contract_test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

// outboxed is a contract with an outbox block and a topic that goes through it.
func outboxed(block, rest string) string {
	return `apiVersion: slipway.dev/v1
kind: Service
metadata: {name: order-desk, owner: team-orders}
topics: {orders.placed.v1: {key: order_id}, orders.other.v1: {cluster: far}, orders.keyless.v1: {}}
produces: {orders.placed.v1: {via: outbox}}
outbox: ` + block + "\n" + rest
}

const complete = `{relay: debezium, database: {host: db.prod, name: orders, user: cdc, password: "${file:/etc/secrets/db:password}"}}`

// parsed is a contract in an environment, with all that is said of it.
func parsed(t *testing.T, text, env string) (*contract.Service, error) {
	t.Helper()
	s, list := contract.Parse(fstest.MapFS{"slipway.yaml": {Data: []byte(text)}}, "slipway.yaml")
	if list.Failed() {
		return nil, list.Err()
	}
	in, more := s.In(env)
	if all := append(list, more...); len(all) > 0 {
		return in, errors.Join(asErrors(all)...)
	}
	return in, nil
}

func asErrors(list diag.List) []error {
	errs := make([]error, len(list))
	for i, d := range list {
		errs[i] = d
	}
	return errs
}

func TestAnOutboxThatDebeziumCannotRelayIsRefused(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		text string
		want diag.Code
		says string
	}{
		"no topic":    {strings.Replace(outboxed("{relay: slipway}", ""), "{via: outbox}", "{}", 1), diag.OutboxUnused, "no topic via: outbox"},
		"no database": {outboxed("{relay: debezium}", ""), diag.OutboxConnector, "no host, name, password, user"},
		"no host":     {outboxed("{relay: debezium, database: {name: n, user: u, password: \"${file:/x:y}\"}}", ""), diag.OutboxConnector, "no host"},
		"a password":  {outboxed("{relay: debezium, database: {host: h, name: n, user: u, password: hunter2}}", ""), diag.ContractValue, "no reference"},
		"the name":    {outboxed(complete, "connectors: {outbox: {config: {connector.class: x}}}"), diag.OutboxConnector, "derived"},
		"no key":      {strings.Replace(outboxed(complete, ""), "produces: {", "produces: {orders.keyless.v1: {via: outbox}, ", 1), diag.OutboxConnector, "no key"},
		"partitioner": {strings.Replace(outboxed(complete, ""), "{key: order_id}", "{key: order_id, partitioner: sarama}", 1), diag.OutboxConnector, "as sarama does it"},
		"two clusters": {strings.Replace(outboxed(complete, ""), "produces: {", "produces: {orders.other.v1: {via: outbox, cluster: far}, ", 1),
			diag.OutboxConnector, "one connector writes to one cluster"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := parsed(t, tt.text, "prod")
			if !errors.Is(err, tt.want) || !strings.Contains(fmt.Sprint(err), tt.says) {
				t.Errorf("the contract gets %v, want %s with %q", err, tt.want, tt.says)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the password is repeated: %v", err)
			}
		})
	}
}

func TestDebeziumsConnectorFollowsFromTheContract(t *testing.T) {
	t.Parallel()
	s, err := parsed(t, outboxed(complete, "environments: {dev: {outbox: {relay: slipway}}}"), "prod")
	if err != nil {
		t.Fatal(err)
	}
	c := s.Connectors["outbox"]
	if c == nil || !c.Derived || s.ConnectorName(c) != "svc-order-desk-prod.outbox" {
		t.Fatalf("connectors are %+v, want the derived one", s.Connectors)
	}
	config, err := s.ConnectorConfig(c)
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{
		"slot.name": "slipway_order_desk_prod", "publication.name": "slipway_order_desk_prod", "database.hostname": "db.prod",
		"database.port": "5432", "database.password": "${file:/etc/secrets/db:password}", "database.sslmode": "require",
		"table.include.list": "public.slipway_outbox", "transforms.outbox.route.topic.replacement": "${routedByValue}",
	} {
		if config[key] != want {
			t.Errorf("%s is %q, want %q", key, config[key], want)
		}
	}
	for _, statement := range s.OutboxRights() {
		if !strings.Contains(statement, `"cdc"`) && !strings.Contains(statement, "slipway_order_desk_prod") {
			t.Errorf("%s: concerns neither the role nor the publication", statement)
		}
	}
	dev, err := parsed(t, outboxed(complete, "environments: {dev: {outbox: {relay: slipway}}}"), "dev")
	if err != nil || dev.RelaysByDebezium() || dev.Connectors["outbox"] != nil || len(dev.OutboxRights()) > 0 {
		t.Errorf("in dev the relay is still a connector, %v", err)
	}
}

// The longest names there are still make a slot that Postgres takes.
func TestASlotsNameFitsPostgres(t *testing.T) {
	t.Parallel()
	text := strings.Replace(outboxed(complete, ""), "order-desk", strings.Repeat("a-", 19)+"ab", 1)
	s, err := parsed(t, text, "environmentx")
	if err != nil {
		t.Fatal(err)
	}
	if slot := s.OutboxSlot(); !regexp.MustCompile(`^[a-z0-9_]{1,63}$`).MatchString(slot) {
		t.Errorf("the slot is called %s, of %d characters", slot, len(slot))
	}
}

// Where nobody runs connectors, or nobody is known who would write, it is said
// when the estate is validated and not found out in production.
func TestDebeziumNeedsAKafkaConnect(t *testing.T) {
	t.Parallel()
	for cluster, says := range map[string]string{
		"embedded": "has no Kafka Connect to run it",
		"bare":     "has no Kafka Connect to run it",
		"unknown":  "does not say who its Kafka Connect writes as",
	} {
		e, list := contract.Load(fstest.MapFS{
			"orders/slipway.yaml": {Data: []byte(strings.Replace(outboxed(complete, ""), ", orders.other.v1: {cluster: far}", "", 1))},
			"clusters.yaml": {Data: []byte(`apiVersion: slipway.dev/v1
kind: Clusters
clusters:
  bare: {id: E, bootstrap: {mtls: "e:1"}}
  unknown: {id: F, bootstrap: {mtls: "f:1"}, connect: "http://connect:8083"}
environments: {prod: {default: ` + cluster + `}}
`)},
		}, ".")
		if list.Failed() {
			t.Fatal(list.Err())
		}
		if got := e.Validate(); !strings.Contains(fmt.Sprint(asErrors(got)), says) {
			t.Errorf("on %s the estate gets %v, want %q", cluster, got, says)
		}
	}
}
