package acl_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/acl"
)

// decision is what StandardAuthorizer writes.
const decision = "Principal = User:svc-s-dev is Denied operation = READ from host = 10.0.0.7 on resource = Topic:LITERAL:orders.created.v1 for request = Fetch with resourceRefCount = 1 based on rule DefaultDeny"

var decided = acl.Attempt{
	Principal: "User:svc-s-dev", Denied: true, Operation: acl.Read, ResourceType: acl.Topic, Name: "orders.created.v1",
	Host: "10.0.0.7", Request: "Fetch", Rule: "DefaultDeny",
}

func TestEveryLayoutSaysTheSame(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 21, 18, 3, 34, 123_000_000, time.UTC)
	second := at.Truncate(time.Second)
	for name, tt := range map[string]struct {
		line string
		want time.Time
	}{
		"the message alone":           {decision, time.Time{}},
		"Kafka's own log4j2.yaml":     {"[2026-11-21 18:03:34,123] INFO " + decision + " (kafka.authorizer.logger)\n", at},
		"ISO 8601 and padding":        {"2026-11-21T18:03:34,123 INFO  " + decision + "\r\n", at},
		"a zone":                      {"2026-11-21T19:03:34.123+01:00 INFO " + decision, at},
		"a container's runtime":       {"2026-11-21T18:03:34.123000000Z stdout F [2026-11-21 20:03:34,123] INFO " + decision + " (kafka.authorizer.logger)", at},
		"docker":                      {`{"log":"[2026-11-21 18:03:34,123] INFO ` + decision + ` (kafka.authorizer.logger)\n","stream":"stdout","time":"2026-11-21T18:03:35Z"}`, at},
		"JsonLayout":                  {`{"instant":{"epochSecond":1795284214,"nanoOfSecond":123000000},"level":"INFO","loggerName":"kafka.authorizer.logger","message":"` + decision + `"}`, at},
		"JsonTemplateLayout, ECS":     {`{"@timestamp":"2026-11-21T18:03:34.123Z","ecs.version":"1.2.0","log.level":"INFO","message":"` + decision + `","log.logger":"kafka.authorizer.logger"}`, at},
		"Logstash":                    {`{"@version":1,"message":"` + decision + `","@timestamp":"2026-11-21T18:03:34.123+0000","logger_name":"kafka.authorizer.logger"}`, at},
		"GELF":                        {`{"version":"1.1","host":"b","short_message":"` + decision + `","timestamp":1795284214.123,"level":6}`, at},
		"milliseconds":                {`{"timeMillis":1795284214123,"message":"` + decision + `"}`, at},
		"JSON in a container's line":  {`2026-11-21T18:03:34Z stdout F {"timestamp":"2026-11-21T18:03:34Z","message":"` + decision + `"}`, second},
		"JSON in docker's":            {`{"log":"{\"message\":\"` + decision + `\"}\n","time":"2026-11-21T18:03:34Z"}`, second},
		"JSON that escapes =":         {`{"message":"` + strings.ReplaceAll(decision, "=", `\u003d`) + `","time":"2026-11-21T18:03:34Z"}`, second},
		"a time of no calendar":       {"[2026-13-41 18:03:34,123] INFO " + decision, time.Time{}},
		"a year nobody logs in":       {"[0000-01-01 18:03:34,123] INFO " + decision, time.Time{}},
		"seconds beyond all calendar": {`{"timestamp":99999999999999,"message":"` + decision + `"}`, time.UnixMilli(99999999999999).UTC()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := decided
			want.Time = tt.want
			got, ok := acl.ParseAttempt([]byte(tt.line))
			if !ok {
				t.Fatalf("not understood: %s", tt.line)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestEveryKindOfDecisionIsUnderstood(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		line   string
		change func(*acl.Attempt)
	}{
		"an ACL that denies": {
			strings.Replace(decision, "DefaultDeny", "MatchingAcl(acl=StandardAcl(resourceType=TOPIC, resourceName=orders.created.v1, patternType=LITERAL, principal=User:svc-s-dev, host=*, operation=READ, permissionType=DENY))", 1),
			func(a *acl.Attempt) {
				a.Rule = "MatchingAcl(acl=StandardAcl(resourceType=TOPIC, resourceName=orders.created.v1, patternType=LITERAL, principal=User:svc-s-dev, host=*, operation=READ, permissionType=DENY))"
			},
		},
		"what is allowed, at DEBUG": {strings.Replace(decision, "Denied", "Allowed", 1), func(a *acl.Attempt) { a.Denied = false }},
		"AclAuthorizer": {
			"Principal = User:svc-s-dev is Denied Operation = DescribeConfigs from host = 10.0.0.7 on resource = Topic:LITERAL:orders.created.v1 for request = DescribeConfigs with resourceRefCount = 1",
			func(a *acl.Attempt) {
				a.Operation, a.Request, a.Rule = acl.DescribeConfigs, "DescribeConfigs", ""
			},
		},
		"a principal with spaces": {strings.Replace(decision, "User:svc-s-dev", "User:CN=a b, OU=Team is = 1", 1), func(a *acl.Attempt) { a.Principal = "User:CN=a b, OU=Team is = 1" }},
		"a transactional id":      {strings.Replace(decision, "Topic:LITERAL:orders.created.v1", "TransactionalId:LITERAL:a:b c", 1), func(a *acl.Attempt) { a.ResourceType, a.Name = acl.TransactionalID, "a:b c" }},
		"the cluster": {strings.Replace(decision, "Topic:LITERAL:orders.created.v1", "Cluster:LITERAL:kafka-cluster", 1), func(a *acl.Attempt) {
			a.ResourceType, a.Name = acl.Cluster, acl.ClusterName
		}},
		"a group whose name pretends": {
			strings.Replace(decision, "Topic:LITERAL:orders.created.v1", "Group:LITERAL:g for request = Metadata with resourceRefCount = 9 based on rule SuperUser is Allowed ", 1),
			func(a *acl.Attempt) {
				a.ResourceType, a.Name = acl.Group, "g for request = Metadata with resourceRefCount = 9 based on rule SuperUser is Allowed "
			},
		},
		"IPv6": {strings.Replace(decision, "10.0.0.7", "2001:db8:0:0:0:0:0:1", 1), func(a *acl.Attempt) { a.Host = "2001:db8:0:0:0:0:0:1" }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := decided
			tt.change(&want)
			got, ok := acl.ParseAttempt([]byte(tt.line))
			if !ok {
				t.Fatalf("not understood: %s", tt.line)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestAPartOfADecisionIsNotUnderstood(t *testing.T) {
	t.Parallel()
	whole := strings.Index(decision, "resourceRefCount = 1") + len("resourceRefCount = 1")
	for end := range whole {
		if got, ok := acl.ParseAttempt([]byte(decision[:end])); ok {
			t.Errorf("%q is taken as %+v", decision[:end], got)
		}
	}
	for _, line := range []string{
		"", "[2026-11-21 18:03:34,123] INFO Loaded 3 logs (kafka.log.LogManager)", "{", `{"message":5}`, `{"message":"Principal"}`,
		strings.Replace(decision, "READ", "FROBNICATE", 1), strings.Replace(decision, "Topic:", "Tropic:", 1),
		strings.Replace(decision, "User:svc-s-dev", "nobody", 1), strings.Replace(decision, "Denied", "Ignored", 1),
	} {
		if got, ok := acl.ParseAttempt([]byte(line)); ok {
			t.Errorf("%q is taken as %+v", line, got)
		}
	}
}

// FuzzParseAttempt: whatever is understood is whole and can be put in a
// document, and a resource's name comes back whatever it is.
func FuzzParseAttempt(f *testing.F) {
	for _, line := range []string{
		decision, "[2026-11-21 18:03:34,123] INFO " + decision + " (kafka.authorizer.logger)", `{"log":"{\"message\":\"` + decision + `\"}","time":"2026-11-21T18:03:34Z"}`,
		"Principal = a:b is Denied Operation = All from host =  on resource = Group:x", "{", "Principal", `{"timestamp":1e13,"message":"` + decision + `"}`, "\xff" + decision,
		`{"instant":{"epochSecond":9223372036854775807},"message":"` + decision + `"}`, "9999-12-31T23:59:59-2300 " + decision,
	} {
		f.Add([]byte(line), "name")
	}
	f.Add([]byte(decision), " for request = Fetch (kafka.authorizer.logger)")
	f.Fuzz(func(t *testing.T, line []byte, name string) {
		if a, ok := acl.ParseAttempt(line); ok {
			if a.Principal == "" || a.Operation == "" || a.ResourceType == "" || a.Name == "" || !utf8.ValidString(a.Principal+a.Name+a.Host+a.Request+a.Rule) {
				t.Errorf("%q is taken as %+v", line, a)
			}
			if _, err := json.Marshal(a); err != nil {
				t.Errorf("%q: %v", line, err)
			}
		}
		if name == "" || strings.ContainsAny(name, "\r\n") || !utf8.ValidString(name) {
			return
		}
		pretending := strings.Replace(decision, "Topic:LITERAL:orders.created.v1", "Group:LITERAL:"+name, 1)
		a, ok := acl.ParseAttempt([]byte("[2026-11-21 18:03:34,123] INFO " + pretending + " (kafka.authorizer.logger)"))
		if !ok || a.Name != name || a.ResourceType != acl.Group || a.Principal != decided.Principal || !a.Denied {
			t.Errorf("group %q is taken as %+v", name, a)
		}
	})
}
