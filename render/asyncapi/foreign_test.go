package asyncapi_test

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/render"
	"github.com/slipway-go/slipway/render/asyncapi"
	"github.com/slipway-go/slipway/render/rendertest"
)

// foreign is a document that somebody wrote who does not know Slipway.
const foreign = `asyncapi: 3.0.0
info:
  title: Order Service
  version: 1.4.2
  description: |
    Takes orders,
    and says so.
  contact: {name: Team Shop}
servers:
  one: {host: "kafka:9093", protocol: kafka-secure, security: [{$ref: '#/components/securitySchemes/user'}]}
  hooks: {host: "hooks.example", protocol: https}
channels:
  created:
    address: orders.created.v1
    messages:
      created: {$ref: '#/components/messages/created'}
    bindings:
      kafka: {partitions: 12, replicas: 3, topicConfiguration: {cleanup.policy: [compact], retention.ms: 604800000, max.message.bytes: 1048576}}
  payments:
    address: payments.confirmed.v1
    messages:
      confirmed: {payload: {schemaFormat: application/vnd.apache.avro;version=1.9.0, schema: {type: record, name: Confirmed, fields: [{name: id, type: string}]}}}
  unused: {address: some.other.v1}
  hook: {address: /orders, servers: [{$ref: '#/servers/hooks'}]}
operations:
  placed: {action: send, channel: {$ref: '#/channels/created'}, bindings: {kafka: {clientId: {type: string, const: order-service}}}}
  called: {action: send, channel: {$ref: '#/channels/hook'}}
  paid:
    action: receive
    channel: {$ref: '#/channels/payments'}
    messages: [{$ref: '#/channels/payments/messages/confirmed'}]
    bindings: {kafka: {groupId: {type: string, enum: [order-payments]}}}
components:
  securitySchemes:
    user: {type: scramSha512}
  messages:
    created: {payload: {$ref: '#/components/schemas/Order'}}
  schemas:
    Order:
      type: object
      properties:
        id: {type: string}
        total: {$ref: '#/components/schemas/Money'}
        parent: {$ref: '#/components/schemas/Order'}
    Money: {type: object, properties: {of: {$ref: '#/components/schemas/Money'}}}
`

const fromForeign = `# The contract of order-service, from foreign.yaml.
# The document leaves open, and whoever owns the service decides:
#   metadata.name: the document is called "Order Service", and a service has a DNS label of at most 40 characters
#   topics.orders.created.v1.key: the field of the value that is the key, if records of one key are to stay in order
#   topics.orders.created.v1.compact: true, as the document says, once there is a key
#   topics.orders.created.v1.readers: any service, unless some are named
#   consumes.payments.confirmed.v1: its owner has to have a contract with the topic, or external.yaml has to list it
#   consumes.payments.confirmed.v1.retry: one attempt and then the dead letter topic, unless delays are written
#   the channel hook is on no server of Kafka's; it was left out
apiVersion: slipway.dev/v1
kind: Service
metadata:
  name: order-service
  owner: "Team Shop"
  description: "Takes orders, and says so."
identity:
  auth: scram-sha-512
topics:
  orders.created.v1:
    partitions: 12
    replicas: 3
    retention: 7d
    maxMessage: 1MiB
    schema:
      file: schemas/orders.created.v1.json
produces:
  orders.created.v1: {}
consumes:
  payments.confirmed.v1:
    schema:
      file: schemas/payments.confirmed.v1.avsc
adopt:
  group: order-payments
  clientId: order-service
`

const foreignSchema = `{
  "type": "object",
  "properties": {
    "id": {
      "type": "string"
    },
    "total": {
      "$ref": "#/definitions/Money"
    },
    "parent": {
      "$ref": "#"
    }
  },
  "definitions": {
    "Money": {
      "type": "object",
      "properties": {
        "of": {
          "$ref": "#/definitions/Money"
        }
      }
    }
  }
}
`

// contents are the files of a draft.
func contents(t testing.TB, file, text string) (map[string]string, []string) {
	t.Helper()
	draft, problems := asyncapi.Parse(file, []byte(text))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	all := make(map[string]string)
	for _, f := range draft.Files {
		all[f.Path] = string(f.Content)
	}
	return all, draft.Open
}

func TestSomebodyElsesDocumentBecomesAContractThatSaysWhatIsOpen(t *testing.T) {
	t.Parallel()
	got, _ := contents(t, "foreign.yaml", foreign)
	if diff := cmp.Diff(fromForeign, got[contract.ServiceFile]); diff != "" {
		t.Errorf("the contract (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(foreignSchema, got["schemas/orders.created.v1.json"]); diff != "" {
		t.Errorf("the schema (-want +got):\n%s", diff)
	}
	if len(got) != 3 {
		t.Errorf("%d files were made, want the contract and two schemas", len(got))
	}
}

// older says the same in AsyncAPI 2, where publish is what others do.
const older = `asyncapi: 2.6.0
info: {title: order-service, version: "1"}
servers:
  one: {url: "kafka:9093", protocol: kafka, security: [{certs: []}]}
  two: {url: "hooks:80", protocol: http}
channels:
  orders.created.v1:
    subscribe: {message: {payload: {type: object}}}
    bindings: {kafka: {partitions: 6}}
  payments.confirmed.v1:
    publish:
      bindings: {kafka: {groupId: {type: string, enum: [order-payments]}}}
      message: {oneOf: [{name: a, payload: {type: object}}, {name: b, payload: {type: object}}]}
  hook: {servers: [two], publish: {}}
  legacy:
    servers: [one, two]
    bindings: {kafka: {topic: legacy.raml.v1}}
    subscribe: {message: {schemaFormat: application/raml+yaml;version=1.0, payload: {}}}
  proto.v1:
    subscribe: {message: {schemaFormat: application/vnd.google.protobuf;version=3, payload: "syntax = \"proto3\";\nmessage A {}\n"}}
components: {securitySchemes: {certs: {type: X509}}}
`

func TestAsyncAPITwoIsReadFromTheServicesSide(t *testing.T) {
	t.Parallel()
	got, open := contents(t, "older.yaml", older)
	for _, want := range []string{
		"  auth: mtls\n", "  orders.created.v1:\n    partitions: 6\n", "consumes:\n  payments.confirmed.v1: {}\n", "  group: order-payments\n",
		"  owner: undecided\n", "      file: schemas/proto.v1.proto\n", "  legacy.raml.v1: {}\n",
	} {
		if !strings.Contains(got[contract.ServiceFile], want) {
			t.Errorf("the contract lacks %q:\n%s", want, got[contract.ServiceFile])
		}
	}
	for _, want := range []string{
		"metadata.owner: the team to ask",
		"the channel hook is on no server of Kafka's; it was left out",
		"payments.confirmed.v1: the document has 2 messages for it, and a topic has one schema; it was left out",
		"legacy.raml.v1: its schema is application/raml+yaml;version=1.0, which contracts do not have; it was left out",
		"topics.legacy.raml.v1.partitions: the cluster's default, unless it is written here",
	} {
		if !slices.Contains(open, want) {
			t.Errorf("it is not told that %s: %q", want, open)
		}
	}
	if got["schemas/proto.v1.proto"] != "syntax = \"proto3\";\nmessage A {}\n" {
		t.Errorf("the protobuf schema is %q", got["schemas/proto.v1.proto"])
	}
}

func TestADocumentInJSONIsReadToo(t *testing.T) {
	t.Parallel()
	got, _ := contents(t, "a.json", `{"asyncapi": "3.0.0", "info": {"title": "a", "version": "1"}, "channels": {"c": {"address": "a.b.v1"}},
 "operations": {"o": {"action": "send", "channel": {"$ref": "#/channels/c"}}}}`)
	if !strings.Contains(got[contract.ServiceFile], "produces:\n  a.b.v1: {}\n") {
		t.Error(got[contract.ServiceFile])
	}
}

func TestAnEditOfAsyncAPIsOwnWordsReachesTheContract(t *testing.T) {
	t.Parallel()
	estate := rendertest.Load(t, fstest.MapFS{"slipway.yaml": {Data: []byte(`apiVersion: slipway.dev/v1
kind: Service
metadata: {name: orders, owner: team-shop}
topics: {orders.created.v1: {key: id, partitions: 12, retention: 7d, schema: {file: a.json}}}
produces: {orders.created.v1: {max: 16KiB}}
`)}, "a.json": {Data: []byte(`{"type": "object", "properties": {"id": {"type": "string"}}}`)}})
	text := string(documents(t, estate, "dev")[0].Content)
	for old, edited := range map[string]string{"partitions: 12": "partitions: 24", "retention.ms: 604800000": "retention.ms: -1", "name: team-shop": "name: team-other", "{type: string}": "{type: integer}"} {
		if strings.Count(text, old) != 1 {
			t.Fatalf("%q is not once in\n%s", old, text)
		}
		text = strings.Replace(text, old, edited, 1)
	}
	svc := returned(t, render.File{Path: "orders/asyncapi.yaml", Content: []byte(text)})
	topic := svc.Topics["orders.created.v1"]
	if svc.Owner != "team-other" || topic.Partitions != 24 || topic.Retention != contract.Forever || topic.Key.Field != "id" {
		t.Errorf("the contract says %+v of %+v", svc, topic)
	}
	if schema, err := svc.SchemaText(topic.Schema); err != nil || !strings.Contains(schema, "integer") {
		t.Errorf("the schema is %s (%v)", schema, err)
	}
}

func TestWhatIsWrongWithADocumentIsToldWithItsPlace(t *testing.T) {
	t.Parallel()
	const head = "asyncapi: 3.0.0\ninfo: {title: a, version: '1', contact: {name: t}}\n"
	const ours = head + "x-slipway: {contract: slipway.dev/v1}\n"
	for name, tt := range map[string]struct {
		text string
		code diag.Code
		at   string
		says string
	}{
		"not YAML":             {"asyncapi: [", diag.ContractSyntax, "d.yaml:1", ""},
		"empty":                {"# nothing\n", diag.AsyncAPIVersion, "d.yaml", "no mapping"},
		"another format":       {"openapi: 3.1.0\n", diag.AsyncAPIVersion, "d.yaml:1:1", "has no key asyncapi"},
		"a version of nobody":  {"asyncapi: 9.0.0\n", diag.AsyncAPIVersion, "d.yaml:1:11", "AsyncAPI 9.0.0 is not read here; save the document as version 3, such as 3.0.0, or as 2.0 to 2.6"},
		"another version":      {"asyncapi: 1.2.0\n", diag.AsyncAPIVersion, "d.yaml:1:11", "AsyncAPI 1.2.0"},
		"a version to come":    {"asyncapi: 2.7.0\n", diag.AsyncAPIVersion, "d.yaml:1:11", "2.7.0"},
		"not about Kafka":      {head + "servers:\n  a: {host: b, protocol: mqtt}\n", diag.AsyncAPIProtocol, "d.yaml:4:6", `"mqtt"`},
		"a dead end":           {head + "channels:\n  c: {$ref: '#/components/channels/c'}\n", diag.AsyncAPIReference, "d.yaml:4:6", "is not in the document"},
		"another file":         {head + "channels:\n  c: {$ref: 'c.yaml'}\n", diag.AsyncAPIReference, "d.yaml:4:6", "outside"},
		"a circle":             {head + "channels:\n  c: {$ref: '#/channels/d'}\n  d: {$ref: '#/channels/c'}\n", diag.AsyncAPIReference, "d.yaml", "circle"},
		"channels as a list":   {head + "channels: [a]\n", diag.AsyncAPIElement, "d.yaml:3:11", "channels is a list, want a mapping"},
		"a channel as text":    {head + "channels: {c: d}\n", diag.AsyncAPIElement, "d.yaml:3:15", "channel c is text"},
		"an operation as text": {head + "operations: {c: d}\n", diag.AsyncAPIElement, "d.yaml:3:17", "operation c is text"},
		"no such action":       {head + "channels: {c: {address: c}}\noperations: {o: {action: publish, channel: {$ref: '#/channels/c'}}}\n", diag.AsyncAPIElement, "d.yaml:4:17", `"publish"`},
		"a channel of nowhere": {head + "operations: {o: {action: send}}\n", diag.AsyncAPIElement, "d.yaml:3:17", "names no channel"},
		"a title as a list":    {"asyncapi: 3.0.0\ninfo: {title: [a]}\n", diag.AsyncAPIElement, "d.yaml:2:15", "title is a list, want text"},
		"parameters":           {head + "channels:\n  c: {address: 'user/{id}'}\n", diag.AsyncAPITopic, "d.yaml:4:16", "user/{id}"},
		"no address":           {head + "channels:\n  c: {address: null}\n", diag.AsyncAPITopic, "d.yaml:4:16", "no address"},
		"one topic twice":      {head + "channels: {c: {address: t}, d: {address: t}}\noperations: {o: {action: send, channel: {$ref: '#/channels/c'}}, p: {action: send, channel: {$ref: '#/channels/d'}}}\n", diag.AsyncAPITopic, "d.yaml:3:32", "two channels"},
		"partitions in words":  {head + "channels: {c: {address: t, bindings: {kafka: {partitions: six}}}}\noperations: {o: {action: send, channel: {$ref: '#/channels/c'}}}\n", diag.AsyncAPIElement, "d.yaml:3:59", "partitions is text"},
		"too many partitions":  {head + "channels: {c: {address: t, bindings: {kafka: {partitions: 1000000}}}}\noperations: {o: {action: send, channel: {$ref: '#/channels/c'}}}\n", diag.AsyncAPIContract, "d.yaml:3:59", "100000"},
		"a schema elsewhere":   {head + "channels: {c: {address: t, messages: {m: {payload: {$ref: 'm.json'}}}}}\noperations: {o: {action: send, channel: {$ref: '#/channels/c'}}}\n", diag.AsyncAPIReference, "d.yaml:3:52", "m.json is outside"},
		"an unknown key":       {ours + "channels: {c: {address: t, x-slipway: {owns: {partions: 6}}}}\n", diag.AsyncAPIContract, "d.yaml:4:57", "unknown key partions"},
		"a name that is none":  {"asyncapi: 3.0.0\ninfo: {title: Not A Label, contact: {name: t}}\nx-slipway: {}\n", diag.AsyncAPIContract, "d.yaml:2:15", "metadata/name"},
		"two senders":          {ours + "channels: {c: {address: t}}\noperations: {o: {action: send, channel: {$ref: '#/channels/c'}}, p: {action: send, channel: {$ref: '#/channels/c'}}}\n", diag.AsyncAPIElement, "d.yaml:5:69", "two operations"},
		"two of one entry":     {ours + "channels: {c: {address: t}}\noperations: {o: {action: receive, channel: {$ref: '#/channels/c'}}, p: {action: receive, channel: {$ref: '#/channels/c'}}}\n", diag.AsyncAPIElement, "d.yaml:5:72", "two operations"},
		"a file elsewhere":     {head + "x-slipway: {files: {../a: b}}\n", diag.AsyncAPIElement, "d.yaml:3:27", `"../a"`},
		"the contract itself":  {head + "x-slipway: {files: {slipway.yaml: b}}\n", diag.AsyncAPIElement, "d.yaml:3:35", "slipway.yaml"},
		"no base64":            {head + "x-slipway: {files: {a: {base64: '?'}}}\n", diag.AsyncAPIElement, "d.yaml:3:33", "not base64"},
		"a file without text":  {head + "x-slipway: {}\ncomponents: {schemas: {s: {x-slipway: {file: s.avsc}}}}\n", diag.AsyncAPIElement, "d.yaml:4:27", "schema of s.avsc is missing"},
		"a file twice":         {head + "x-slipway: {files: {s: a}}\ncomponents: {schemas: {s: {schema: {}, x-slipway: {file: s}}}}\n", diag.AsyncAPIElement, "d.yaml:3:24", "twice"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			draft, problems := asyncapi.Parse("d.yaml", []byte(tt.text))
			if draft != nil || !problems.Failed() {
				t.Fatalf("it was taken: %+v", draft)
			}
			if !slices.ContainsFunc(problems, func(d diag.Diagnostic) bool {
				return d.Code == tt.code && strings.HasPrefix(d.Position.String(), tt.at) && strings.Contains(d.Message+"; "+d.Fix, tt.says)
			}) {
				t.Errorf("problems %v, want %s at %s that says %q", problems, tt.code, tt.at, tt.says)
			}
		})
	}
}
