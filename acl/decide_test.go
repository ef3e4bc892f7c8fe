package acl_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/slipway-go/slipway/acl"
)

// rule reads a binding from a line such as
//
//	allow User:a READ TOPIC orders.* at 10.0.0.1
//
// where a name that ends in * is a prefix, unless it is nothing else. A name in
// quotes is taken as it is.
func rule(t testing.TB, line string) acl.Binding {
	t.Helper()
	words := strings.Fields(line)
	if len(words) != 5 && len(words) != 7 {
		t.Fatalf("rule %q has %d words", line, len(words))
	}
	b := acl.Binding{
		Principal: words[1], Operation: acl.Operation(words[2]), ResourceType: acl.ResourceType(words[3]), Name: words[4],
		Pattern: acl.Literal, Permission: acl.Allow, Host: acl.AnyHost,
	}
	if words[0] == "deny" {
		b.Permission = acl.Deny
	}
	if quoted, ok := strings.CutPrefix(b.Name, `"`); ok {
		b.Name = strings.TrimSuffix(quoted, `"`)
	} else if prefix, ok := strings.CutSuffix(b.Name, "*"); ok && prefix != "" {
		b.Name, b.Pattern = prefix, acl.Prefixed
	}
	if len(words) == 7 {
		b.Host = words[6]
	}
	return b
}

func rules(t testing.TB, lines ...string) []acl.Binding {
	t.Helper()
	all := make([]acl.Binding, len(lines))
	for i, line := range lines {
		all[i] = rule(t, line)
	}
	return all
}

// question reads a request from words such as "a WRITE TOPIC orders.created.v1
// 10.0.0.1", of which the last may be left out.
func question(t testing.TB, text string) acl.Request {
	t.Helper()
	words := append(strings.Fields(text), "")
	return acl.Request{
		Principal: "User:" + words[0], Operation: acl.Operation(words[1]), ResourceType: acl.ResourceType(words[2]), Name: words[3], Host: words[4],
	}
}

func TestADecisionIsWhatKafkaDecides(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		live []string
		ask  string
		want bool
		rule string // the one that decides, if one does
	}{
		"nothing":                              {nil, "a READ TOPIC t", false, ""},
		"its own":                              {[]string{"allow User:a READ TOPIC t"}, "a READ TOPIC t", true, "User:a READ TOPIC t"},
		"somebody else's":                      {[]string{"allow User:b READ TOPIC t"}, "a READ TOPIC t", false, ""},
		"everybody's":                          {[]string{"allow User:* READ TOPIC t"}, "a READ TOPIC t", true, "User:* READ TOPIC t"},
		"another type":                         {[]string{"allow User:a READ GROUP t"}, "a READ TOPIC t", false, ""},
		"every name":                           {[]string{"allow User:a READ TOPIC *"}, "a READ TOPIC t", true, "User:a READ TOPIC *"},
		"a prefix":                             {[]string{"allow User:a READ TOPIC orders.*"}, "a READ TOPIC orders.v1", true, "User:a READ TOPIC orders.*"},
		"a prefix that is the whole name":      {[]string{"allow User:a READ TOPIC orders*"}, "a READ TOPIC orders", true, "User:a READ TOPIC orders*"},
		"a longer prefix":                      {[]string{"allow User:a READ TOPIC orders.v1.*"}, "a READ TOPIC orders.v1", false, ""},
		"a literal name that ends in a star":   {[]string{`allow User:a READ TOPIC "orders.*"`}, "a READ TOPIC orders.v1", false, ""},
		"the literal comes before the prefix":  {[]string{"allow User:a READ TOPIC o*", "allow User:a READ TOPIC orders"}, "a READ TOPIC orders", true, "User:a READ TOPIC orders"},
		"the longest prefix comes first":       {[]string{"allow User:a READ TOPIC o*", "allow User:a READ TOPIC ord*"}, "a READ TOPIC orders", true, "User:a READ TOPIC ord*"},
		"ALL":                                  {[]string{"allow User:a ALL TOPIC t"}, "a ALTER_CONFIGS TOPIC t", true, "User:a ALL TOPIC t"},
		"READ implies DESCRIBE":                {[]string{"allow User:a READ TOPIC t"}, "a DESCRIBE TOPIC t", true, "User:a READ TOPIC t"},
		"WRITE implies DESCRIBE":               {[]string{"allow User:a WRITE TRANSACTIONAL_ID t"}, "a DESCRIBE TRANSACTIONAL_ID t", true, "User:a WRITE TRANSACTIONAL_ID t"},
		"DELETE implies DESCRIBE":              {[]string{"allow User:a DELETE GROUP t"}, "a DESCRIBE GROUP t", true, "User:a DELETE GROUP t"},
		"ALTER implies DESCRIBE":               {[]string{"allow User:a ALTER CLUSTER kafka-cluster"}, "a DESCRIBE CLUSTER kafka-cluster", true, "User:a ALTER CLUSTER kafka-cluster"},
		"CREATE implies nothing":               {[]string{"allow User:a CREATE TOPIC t"}, "a DESCRIBE TOPIC t", false, ""},
		"DESCRIBE implies nothing":             {[]string{"allow User:a DESCRIBE TOPIC t"}, "a READ TOPIC t", false, ""},
		"ALTER_CONFIGS implies its DESCRIBE":   {[]string{"allow User:a ALTER_CONFIGS TOPIC t"}, "a DESCRIBE_CONFIGS TOPIC t", true, "User:a ALTER_CONFIGS TOPIC t"},
		"ALTER_CONFIGS implies no DESCRIBE":    {[]string{"allow User:a ALTER_CONFIGS TOPIC t"}, "a DESCRIBE TOPIC t", false, ""},
		"ALTER implies no DESCRIBE_CONFIGS":    {[]string{"allow User:a ALTER TOPIC t"}, "a DESCRIBE_CONFIGS TOPIC t", false, ""},
		"DENY wins":                            {[]string{"allow User:a READ TOPIC t", "deny User:* READ TOPIC *"}, "a READ TOPIC t", false, "deny User:* READ TOPIC *"},
		"DENY of ALL wins":                     {[]string{"allow User:a READ TOPIC t", "deny User:a ALL TOPIC t*"}, "a READ TOPIC t", false, "deny User:a ALL TOPIC t*"},
		"DENY of READ leaves DESCRIBE":         {[]string{"allow User:a READ TOPIC t", "deny User:a READ TOPIC t"}, "a DESCRIBE TOPIC t", true, "User:a READ TOPIC t"},
		"DENY of DESCRIBE leaves READ":         {[]string{"allow User:a READ TOPIC t", "deny User:a DESCRIBE TOPIC t"}, "a READ TOPIC t", true, "User:a READ TOPIC t"},
		"DENY of DESCRIBE takes the implied":   {[]string{"allow User:a READ TOPIC t", "deny User:a DESCRIBE TOPIC t"}, "a DESCRIBE TOPIC t", false, "deny User:a DESCRIBE TOPIC t"},
		"the right host":                       {[]string{"allow User:a READ TOPIC t at 10.0.0.1"}, "a READ TOPIC t 10.0.0.1", true, "User:a READ TOPIC t from 10.0.0.1"},
		"another host":                         {[]string{"allow User:a READ TOPIC t at 10.0.0.1"}, "a READ TOPIC t 10.0.0.2", false, ""},
		"no host":                              {[]string{"allow User:a READ TOPIC t at 10.0.0.1"}, "a READ TOPIC t", false, ""},
		"a DENY for another host does nothing": {[]string{"allow User:a READ TOPIC t", "deny User:a READ TOPIC t at 10.0.0.1"}, "a READ TOPIC t 10.0.0.2", true, "User:a READ TOPIC t"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := acl.Decide(rules(t, tt.live...), question(t, tt.ask))
			got := ""
			if d.Rule != nil {
				got = d.Rule.String()
			}
			if d.Allowed != tt.want || got != tt.rule {
				t.Errorf("allowed %t by %q, want %t by %q", d.Allowed, got, tt.want, tt.rule)
			}
			if d.Allowed != acl.NewRules(rules(t, tt.live...)).Allows(question(t, tt.ask)) {
				t.Error("Allows disagrees")
			}
		})
	}
}

func TestARefusalTellsWhatComesNear(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		live []string
		ask  string
		want []string
	}{
		"a certificate's name":         {[]string{"allow User:CN=payments READ TOPIC orders.*"}, "payments READ TOPIC orders.v1", []string{"principal: prefix `orders.` allows READ to `User:CN=payments`; you are `User:payments`: the broker takes the whole name of a certificate unless ssl.principal.mapping.rules shorten it"}},
		"a certificate's whole name":   {[]string{"allow User:payments READ TOPIC orders.*"}, "CN=Payments,O=Shop READ TOPIC orders.v1", []string{"principal: prefix `orders.` allows READ to `User:payments`; you are `User:CN=Payments,O=Shop`"}},
		"upper case":                   {[]string{"allow User:Payments READ TOPIC t"}, "payments READ TOPIC t", []string{"principal: `t` allows READ to `User:Payments`; you are `User:payments`: principals are compared letter by letter"}},
		"no type":                      {[]string{"allow payments READ TOPIC t"}, "payments READ TOPIC t", []string{"principal: `t` allows READ to `payments`; you are `User:payments`: principals are compared letter by letter"}},
		"a slip in the principal":      {[]string{"allow User:payment READ TOPIC t"}, "payments READ TOPIC t", []string{"principal: `t` allows READ to `User:payment`; you are `User:payments`"}},
		"another environment":          {[]string{"allow User:svc-pay-dev READ TOPIC t"}, "svc-pay-prod READ TOPIC t", []string{"principal: `t` allows READ to `User:svc-pay-dev`; you are `User:svc-pay-prod`, of another environment"}},
		"its redrive":                  {[]string{"allow User:svc-pay-prod READ TOPIC t"}, "svc-pay-prod-redrive READ TOPIC t", []string{"principal: `t` allows READ to `User:svc-pay-prod`; you are `User:svc-pay-prod-redrive`, its redrive"}},
		"not its redrive":              {[]string{"allow User:svc-pay-prod-redrive READ TOPIC t"}, "svc-pay-prod READ TOPIC t", []string{"principal: `t` allows READ to `User:svc-pay-prod-redrive`; you are `User:svc-pay-prod`, not its redrive"}},
		"somebody else":                {[]string{"allow User:stock READ TOPIC t"}, "payments READ TOPIC t", nil},
		"another operation":            {[]string{"allow User:a READ TOPIC t"}, "a WRITE TOPIC t", []string{"operation: `t` allows READ to `User:a`, not WRITE"}},
		"another host":                 {[]string{"allow User:a READ TOPIC t at 10.0.0.1"}, "a READ TOPIC t 10.0.0.2", []string{"host: `t` allows READ to `User:a` from 10.0.0.1 only; you are at 10.0.0.2"}},
		"no host":                      {[]string{"allow User:a READ TOPIC t at 10.0.0.1"}, "a READ TOPIC t", []string{"host: `t` allows READ to `User:a` from 10.0.0.1 only; the question names no host"}},
		"a star in a literal":          {[]string{`allow User:a READ TOPIC "orders.*"`}, "a READ TOPIC orders.v1", []string{"name: `orders.*` allows READ to `User:a`; in a LITERAL name `*` is a character like any other: PREFIXED `orders.` is meant"}},
		"a star in a prefix":           {[]string{"allow User:a READ TOPIC orders.**"}, "a READ TOPIC orders.v1", []string{"name: prefix `orders.*` allows READ to `User:a`; a PREFIXED name takes no `*`: PREFIXED `orders.` is meant"}},
		"a literal meant as a prefix":  {[]string{"allow User:a READ TOPIC orders."}, "a READ TOPIC orders.v1", []string{"name: `orders.` allows READ to `User:a`; a LITERAL name is a whole one: PREFIXED is meant"}},
		"one character off":            {[]string{"allow User:a READ TOPIC orders.v2"}, "a READ TOPIC orders.v1", []string{"name: `orders.v2` allows READ to `User:a`; `orders.v1` differs in one character"}},
		"a character too many":         {[]string{"allow User:a READ TOPIC order.v1"}, "a READ TOPIC orders.v1", []string{"name: `order.v1` allows READ to `User:a`; `orders.v1` differs in one character"}},
		"two that changed places":      {[]string{"allow User:a READ TOPIC odrers.v1"}, "a READ TOPIC orders.v1", []string{"name: `odrers.v1` allows READ to `User:a`; `orders.v1` differs in one character"}},
		"a prefix one character off":   {[]string{"allow User:a READ TOPIC orders-*"}, "a READ TOPIC orders.v1", []string{"name: prefix `orders-` allows READ to `User:a`; `orders.` differs in one character"}},
		"case in a name":               {[]string{"allow User:a READ TOPIC Orders.v1"}, "a READ TOPIC orders.v1", []string{"name: `Orders.v1` allows READ to `User:a`; `orders.v1` differs in upper and lower case"}},
		"a prefix too long by one":     {[]string{"allow User:a READ TOPIC orders.v1x*"}, "a READ TOPIC orders.v1", []string{"name: prefix `orders.v1x` allows READ to `User:a`; `orders.v1` differs in one character"}},
		"another name altogether":      {[]string{"allow User:a READ TOPIC stock.v1"}, "a READ TOPIC orders.v1", nil},
		"short names differ by chance": {[]string{"allow User:a READ TOPIC a"}, "a READ TOPIC b", nil},
		"two things at once":           {[]string{"allow User:a READ TOPIC t at 10.0.0.1"}, "a WRITE TOPIC t 10.0.0.2", nil},
		"what a DENY overrules":        {[]string{"allow User:a READ TOPIC t", "deny User:a READ TOPIC *"}, "a READ TOPIC t", []string{"overruled: `t` allows READ to `User:a`, and a DENY wins over it"}},
		"the nearest first": {
			[]string{"allow User:a WRITE TOPIC orders.v1", "allow User:a READ TOPIC orders.v2", "allow User:A READ TOPIC orders.v1", "allow User:a READ TOPIC orders.v1 at 10.0.0.1"},
			"a READ TOPIC orders.v1", []string{
				"host: `orders.v1` allows READ to `User:a` from 10.0.0.1 only; the question names no host",
				"principal: `orders.v1` allows READ to `User:A`; you are `User:a`: principals are compared letter by letter",
				"name: `orders.v2` allows READ to `User:a`; `orders.v1` differs in one character",
				"operation: `orders.v1` allows WRITE to `User:a`, not READ",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := acl.Decide(rules(t, tt.live...), question(t, tt.ask))
			if d.Allowed {
				t.Fatalf("allowed by %s", d)
			}
			var got []string
			for _, m := range d.Misses {
				got = append(got, string(m.Differs)+": "+m.Text)
			}
			if len(tt.want) == 1 && len(got) == 1 && strings.HasPrefix(got[0], tt.want[0]) {
				return
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("misses (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAtMostSoManyMissesAreTold(t *testing.T) {
	t.Parallel()
	var live []acl.Binding
	for i := range 40 {
		live = append(live, rule(t, fmt.Sprintf("allow User:a READ TOPIC t at 10.0.0.%d", i)))
	}
	if got := len(acl.Decide(live, question(t, "a READ TOPIC t")).Misses); got != acl.MaxMisses {
		t.Errorf("%d misses, want %d", got, acl.MaxMisses)
	}
}

func TestADecisionSaysInOneLineWhy(t *testing.T) {
	t.Parallel()
	for want, live := range map[string][]string{
		"no rule is about it at all":         {"allow User:a READ TOPIC u"},
		"no rule allows it":                  {"allow User:b READ TOPIC t"},
		"prefix `t` allows READ to `User:*`": {"allow User:* READ TOPIC t*"},
		"`*` denies ALL to `User:a` from 10.0.0.1, and DENY wins over every ALLOW": {"allow User:a READ TOPIC t", "deny User:a ALL TOPIC * at 10.0.0.1"},
	} {
		if got := acl.Decide(rules(t, live...), question(t, "a READ TOPIC t 10.0.0.1")).String(); got != want {
			t.Errorf("%q: %q, want %q", live, got, want)
		}
	}
}

// A producer asks for its id before it names a topic, so brokers judge it by
// the patterns alone.
func TestWritingAnyTopicIsJudgedByPatternsAlone(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		live []string
		want bool
	}{
		"nothing":                         {nil, false},
		"a topic":                         {[]string{"allow User:a WRITE TOPIC t"}, true},
		"a prefix":                        {[]string{"allow User:a WRITE TOPIC t*"}, true},
		"READ only":                       {[]string{"allow User:a READ TOPIC t"}, false},
		"somebody else":                   {[]string{"allow User:b WRITE TOPIC t"}, false},
		"another host":                    {[]string{"allow User:a WRITE TOPIC t at 10.0.0.1"}, false},
		"denied everywhere":               {[]string{"allow User:a WRITE TOPIC t", "deny User:* WRITE TOPIC *"}, false},
		"denied there":                    {[]string{"allow User:a WRITE TOPIC t", "deny User:a ALL TOPIC t"}, false},
		"denied by a prefix":              {[]string{"allow User:a WRITE TOPIC tu*", "deny User:a WRITE TOPIC t*"}, false},
		"denied on a part of it":          {[]string{"allow User:a WRITE TOPIC t*", "deny User:a WRITE TOPIC tu*"}, true},
		"denied, and allowed elsewhere":   {[]string{"allow User:a WRITE TOPIC t", "deny User:a WRITE TOPIC t", "allow User:a WRITE TOPIC u"}, true},
		"on every topic, denied on a few": {[]string{"allow User:a WRITE TOPIC *", "deny User:a WRITE TOPIC t*"}, true},
	} {
		if got := acl.NewRules(rules(t, tt.live...)).AllowsAny("User:a", "", acl.Write, acl.Topic); got != tt.want {
			t.Errorf("%s: %t, want %t", name, got, tt.want)
		}
	}
}

// The names are few, so that rules meet each other.
var (
	someNames  = []string{"a", "ab", "abc", "abd", "b", "a.b"}
	someOps    = []acl.Operation{acl.All, acl.Read, acl.Write, acl.Create, acl.Delete, acl.Alter, acl.Describe, acl.DescribeConfigs, acl.AlterConfigs}
	someUsers  = []string{"User:a", "User:b", acl.AnyUser}
	clusterOps = []acl.Operation{acl.All, acl.Create, acl.Alter, acl.Describe, acl.ClusterAction, acl.DescribeConfigs, acl.AlterConfigs, acl.IdempotentWrite}
)

func anyBinding(t *rapid.T) acl.Binding {
	kind := rapid.SampledFrom([]acl.ResourceType{acl.Topic, acl.Topic, acl.Group, acl.TransactionalID, acl.Cluster}).Draw(t, "type")
	names, ops := append([]string{"*", ""}, someNames...), someOps
	if kind == acl.Cluster {
		names, ops = []string{acl.ClusterName, "*"}, clusterOps
	}
	return acl.Binding{
		Principal: rapid.SampledFrom(someUsers).Draw(t, "principal"), ResourceType: kind,
		Name:       rapid.SampledFrom(names).Draw(t, "name"),
		Pattern:    rapid.SampledFrom([]acl.Pattern{acl.Literal, acl.Prefixed}).Draw(t, "pattern"),
		Operation:  rapid.SampledFrom(ops).Draw(t, "operation"),
		Permission: rapid.SampledFrom([]acl.Permission{acl.Allow, acl.Allow, acl.Allow, acl.Deny}).Draw(t, "permission"),
		Host:       rapid.SampledFrom([]string{acl.AnyHost, acl.AnyHost, "127.0.0.1", "10.0.0.9"}).Draw(t, "host"),
	}
}

// anyRequests asks everything that can be asked with these names.
func anyRequests(host string) []acl.Request {
	var all []acl.Request
	for _, principal := range []string{"User:a", "User:b"} {
		for _, kind := range []acl.ResourceType{acl.Topic, acl.Group, acl.TransactionalID} {
			for _, name := range someNames {
				for _, op := range acl.Operations(kind) {
					all = append(all, acl.Request{Principal: principal, Host: host, Operation: op, ResourceType: kind, Name: name})
				}
			}
		}
		for _, op := range acl.Operations(acl.Cluster) {
			all = append(all, acl.Request{Principal: principal, Host: host, Operation: op, ResourceType: acl.Cluster, Name: acl.ClusterName})
		}
	}
	return all
}

// naive is the authorizer as its documentation tells it: look at every rule.
func naive(live []acl.Binding, q acl.Request) bool {
	allowed := false
	for _, b := range live {
		on := b.Pattern == acl.Literal && (b.Name == q.Name || b.Name == "*") || b.Pattern == acl.Prefixed && strings.HasPrefix(q.Name, b.Name)
		who := b.Principal == q.Principal || b.Principal == "User:*"
		at := b.Host == "*" || b.Host == q.Host
		does := b.Operation == q.Operation || b.Operation == "ALL"
		if b.Permission == acl.Allow {
			does = does ||
				q.Operation == "DESCRIBE" && slices.Contains([]acl.Operation{"READ", "WRITE", "DELETE", "ALTER"}, b.Operation) ||
				q.Operation == "DESCRIBE_CONFIGS" && b.Operation == "ALTER_CONFIGS"
		}
		if b.ResourceType != q.ResourceType || !on || !who || !at || !does {
			continue
		}
		if b.Permission == acl.Deny {
			return false
		}
		allowed = true
	}
	return allowed
}

func TestTheIndexDecidesAsALookAtEveryRuleWould(t *testing.T) {
	t.Parallel()
	asked := 0
	rapid.Check(t, func(t *rapid.T) {
		live := rapid.SliceOfN(rapid.Custom(anyBinding), 0, 15).Draw(t, "live")
		index := acl.NewRules(live)
		for _, q := range anyRequests("127.0.0.1") {
			asked++
			want := naive(live, q)
			if d := index.Decide(q); d.Allowed != want || index.Allows(q) != want {
				t.Fatalf("%+v: %s, want allowed %t", q, d, want)
			}
		}
	})
	t.Logf("%d requests", asked)
}

// estateOfRules are so many bindings of services with five topics each, and
// requests of which half are refused.
func estateOfRules(n int) (live []acl.Binding, asks []acl.Request) {
	for i := 0; len(live) < n; i++ {
		user := fmt.Sprintf("User:svc-service%d-prod", i)
		add := func(kind acl.ResourceType, name string, pattern acl.Pattern, op acl.Operation) {
			live = append(live, acl.Binding{Principal: user, ResourceType: kind, Name: name, Pattern: pattern, Operation: op, Permission: acl.Allow, Host: acl.AnyHost})
		}
		for topic := range 5 {
			add(acl.Topic, fmt.Sprintf("domain%d.topic%d.v1", i, topic), acl.Literal, acl.Write)
			add(acl.Topic, fmt.Sprintf("domain%d.topic%d.v1", i+1, topic), acl.Literal, acl.Read)
		}
		add(acl.Group, user[len("User:"):], acl.Literal, acl.Read)
		add(acl.TransactionalID, user[len("User:"):]+".", acl.Prefixed, acl.Write)
		name := fmt.Sprintf("domain%d.topic1.v1", i)
		asks = append(asks,
			acl.Request{Principal: user, Operation: acl.Write, ResourceType: acl.Topic, Name: name},
			acl.Request{Principal: user, Operation: acl.Read, ResourceType: acl.Topic, Name: name})
	}
	return live[:n], asks
}

func BenchmarkRules(b *testing.B) {
	live, asks := estateOfRules(20_000)
	b.Run("index of 20000", func(b *testing.B) {
		for b.Loop() {
			acl.NewRules(live)
		}
	})
	index := acl.NewRules(live)
	b.Run("allows", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			index.Allows(asks[i%len(asks)])
		}
	})
	b.Run("refusal with its misses", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			if index.Decide(asks[i*2%len(asks)+1]).Allowed {
				b.Fatal("allowed")
			}
		}
	})
}

func ExampleDecide() {
	live := []acl.Binding{{
		Principal: "User:CN=payments", ResourceType: acl.Topic, Name: "orders.", Pattern: acl.Prefixed,
		Operation: acl.Read, Permission: acl.Allow, Host: acl.AnyHost,
	}}
	d := acl.Decide(live, acl.Request{Principal: "User:payments", Operation: acl.Read, ResourceType: acl.Topic, Name: "orders.created.v1"})
	fmt.Println(d.Allowed, d)
	fmt.Println(d.Misses[0].Differs, "differs")
	// Output:
	// false no rule allows it
	// principal differs
}
