package acl_test

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

func bindings(grants []acl.Grant) []acl.Binding {
	var all []acl.Binding
	for _, g := range grants {
		all = append(all, g.Binding)
	}
	return all
}

// right is a literal ALLOW from everywhere.
func right(principal string, kind acl.ResourceType, name string, op acl.Operation) acl.Binding {
	return acl.Binding{
		Principal: principal, ResourceType: kind, Name: name, Pattern: acl.Literal, Operation: op, Permission: acl.Allow, Host: acl.AnyHost,
	}
}

const kafkaACLs = `kafka-acls.sh --bootstrap-server "$BOOTSTRAP_SERVERS" --command-config "$ADMIN_CONFIG" --add `

func TestKafkaACLsIsOneLineForAPrincipalAndAResource(t *testing.T) {
	t.Parallel()
	r := estate(t, "dev", map[string]string{
		"orders": orders,
		"s":      "topics: {a.b.v1: {}}\nproduces: {a.b.v1: {}}\nconsumes: {orders.created.v1: {retry: {backoff: {}, then: stop}}}",
	})
	got, err := acl.KafkaACLs(bindings(acl.ForService(r, r.Service("s"))))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		kafkaACLs + `--allow-principal 'User:svc-s-dev' --operation Read --group 'svc-s-dev'`,
		kafkaACLs + `--allow-principal 'User:svc-s-dev' --operation Write --topic 'a.b.v1'`,
		kafkaACLs + `--allow-principal 'User:svc-s-dev' --operation Read --topic 'orders.created.v1'`,
		kafkaACLs + `--allow-principal 'User:svc-s-dev' --operation Delete --operation Read --operation Write --topic 'svc-s-dev.orders.created.v1.retry'`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

func TestKafkaACLsTellsWhatIsNotUsual(t *testing.T) {
	t.Parallel()
	denied := right("User:a", acl.Topic, "t", acl.Read)
	denied.Permission, denied.Host = acl.Deny, "10.0.0.1"
	prefixed := right("User:a", acl.TransactionalID, "a.", acl.Write)
	prefixed.Pattern = acl.Prefixed
	for name, tt := range map[string]struct {
		binding acl.Binding
		want    string
	}{
		"the cluster, and an operation of two words": {
			right("User:a", acl.Cluster, acl.ClusterName, acl.AlterConfigs),
			`--allow-principal 'User:a' --operation AlterConfigs --cluster`,
		},
		"a prefix": {
			prefixed,
			`--allow-principal 'User:a' --operation Write --transactional-id 'a.' --resource-pattern-type prefixed`,
		},
		"a denial at a host": {
			denied,
			`--deny-principal 'User:a' --deny-host '10.0.0.1' --operation Read --topic 't'`,
		},
		"a name that looks like a flag": {
			right("User:a", acl.Group, "--remove", acl.Read),
			`--allow-principal 'User:a' --operation Read --group='--remove'`,
		},
		"a name with quotes, a command and a variable": {
			right("User:CN=o'neil,OU=$(id)", acl.Group, "`id`;$HOME", acl.Read),
			`--allow-principal 'User:CN=o'\''neil,OU=$(id)' --operation Read --group '` + "`id`" + `;$HOME'`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := acl.KafkaACLs([]acl.Binding{tt.binding})
			if err != nil || len(got) != 1 || got[0] != kafkaACLs+tt.want {
				t.Errorf("got %q, %v, want %q", got, err, kafkaACLs+tt.want)
			}
		})
	}
}

func TestANameThatActsOnTheTerminalIsNotPrinted(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a\x1b[2Jb", "a\nb", "a\rb", "\u202egnp", "a\u200bb", "a\xffb", "\u0085"} {
		for _, b := range []acl.Binding{
			right("User:"+name, acl.Topic, "t", acl.Read), right("User:a", acl.Group, name, acl.Read),
		} {
			lines, err := acl.KafkaACLs([]acl.Binding{b})
			if list := diag.Of(err); len(list) != 1 || list[0].Code != diag.ACLUnprintable || lines != nil {
				t.Errorf("%q: lines %q and %v, want %s", name, lines, err, diag.ACLUnprintable)
			}
		}
	}
}

// TestTheShellTakesEveryNameAsItIs has a real sh read the lines, with a
// kafka-acls.sh that tells its arguments.
func TestTheShellTakesEveryNameAsItIs(t *testing.T) {
	t.Parallel()
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no sh")
	}
	name := rapid.StringOfN(rapid.RuneFrom([]rune(`ab-_.*?~!#$&;|<>(){}[]'"\`+"` =%@é漢")), 1, 30, -1)
	checked := 0
	rapid.Check(t, func(rt *rapid.T) {
		b := right("User:"+name.Draw(rt, "principal"), acl.Group, name.Draw(rt, "group"), acl.Read)
		lines, err := acl.KafkaACLs([]acl.Binding{b})
		if err != nil {
			rt.Fatal(err)
		}
		script := strings.Replace(lines[0], "kafka-acls.sh", "tell", 1)
		out, err := exec.Command(sh, "-c", "tell() { printf '%s\\0' \"$@\"; }\nBOOTSTRAP_SERVERS='a b' ADMIN_CONFIG=c\n"+script).Output()
		if err != nil {
			rt.Fatalf("%s: %v", script, err)
		}
		got := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
		group := []string{"--group", b.Name}
		if strings.HasPrefix(b.Name, "-") {
			group = []string{"--group=" + b.Name}
		}
		want := slices.Concat([]string{"--bootstrap-server", "a b", "--command-config", "c", "--add", "--allow-principal", b.Principal, "--operation", "Read"}, group)
		if diff := cmp.Diff(want, got); diff != "" {
			rt.Fatalf("%s\n(-want +got):\n%s", script, diff)
		}
		checked++
	})
	t.Logf("%d lines read by sh as they were meant", checked)
}

const oneCluster = `apiVersion: slipway.dev/v1
kind: Clusters
clusters: {one: {id: abc, bootstrap: {mtls: "a:1", scram: "a:2"}}}
environments: {prod: {default: one}}
`

func TestAKafkaUserHasAllRightsOfItsPrincipal(t *testing.T) {
	t.Parallel()
	r := estate(t, "prod", map[string]string{
		"clusters.yaml": oneCluster,
		"orders":        "identity: {auth: mtls}\nadopt: {principal: CN=orders}\ntopics: {orders.created.v1: {}}\nproduces: {orders.created.v1: {via: transaction}}",
		"s":             "identity: {auth: scram-sha-512}\nproduces: {x.y.v1: {}}\ntopics: {x.y.v1: {}}\nconsumes: {orders.created.v1: {retry: {backoff: {}, then: stop}}}",
	})
	users, faults := acl.KafkaUsers(r, "one", acl.Derive(r))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	got, err := json.MarshalIndent(users, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	acls := func(lines ...string) string { return strings.Join(lines, ",") }
	rule := func(resource, operations string) string {
		return `{"type":"allow","resource":` + resource + `,"operations":[` + operations + `],"host":"*"}`
	}
	user := func(name, auth, acls string) string {
		return `{"apiVersion":"kafka.strimzi.io/v1","kind":"KafkaUser","metadata":{"name":"` + name + `","labels":{"strimzi.io/cluster":"one"}},
			"spec":{"authentication":{"type":"` + auth + `"},"authorization":{"type":"simple","acls":[` + acls + `]}}}`
	}
	want := "[" + user("orders", "tls", acls(
		rule(`{"type":"topic","name":"orders.created.v1","patternType":"literal"}`, `"Write"`),
		rule(`{"type":"transactionalId","name":"svc-orders-prod.","patternType":"prefix"}`, `"Write"`),
	)) + "," + user("svc-s-prod", "scram-sha-512", acls(
		rule(`{"type":"group","name":"svc-s-prod","patternType":"literal"}`, `"Read"`),
		rule(`{"type":"topic","name":"orders.created.v1","patternType":"literal"}`, `"Read"`),
		rule(`{"type":"topic","name":"svc-s-prod.orders.created.v1.retry","patternType":"literal"}`, `"Delete","Read","Write"`),
		rule(`{"type":"topic","name":"x.y.v1","patternType":"literal"}`, `"Write"`),
	)) + "]"
	var wantAny, gotAny any
	if err := json.Unmarshal([]byte(want), &wantAny); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(got, &gotAny); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wantAny, gotAny); diff != "" {
		t.Errorf("objects (-want +got):\n%s", diff)
	}
}

func TestWhatStrimziWouldDoOtherwiseIsTold(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		body string
		want diag.Code
		sev  diag.Severity
		auth string
	}{
		"a certificate without CN=":     {"identity: {auth: mtls}", diag.ACLOtherCredential, diag.Warning, "tls"},
		"a certificate with CN=":        {"identity: {auth: mtls}\nadopt: {principal: CN=s}", "", "", "tls"},
		"a password":                    {"identity: {auth: scram-sha-512}", "", "", "scram-sha-512"},
		"a mechanism that it has not":   {"identity: {auth: scram-sha-256}", diag.ACLOtherCredential, diag.Warning, ""},
		"a principal that is no name":   {"identity: {auth: mtls}\nadopt: {principal: 'CN=s,OU=x'}", diag.ACLNoKafkaUser, diag.Error, ""},
		"a password of a CN":            {"identity: {auth: scram-sha-512}\nadopt: {principal: CN=s}", diag.ACLNoKafkaUser, diag.Error, ""},
		"a principal with capitals":     {"identity: {auth: scram-sha-512}\nadopt: {principal: Orders}", diag.ACLNoKafkaUser, diag.Error, ""},
		"a principal with an underline": {"identity: {auth: scram-sha-512}\nadopt: {principal: a_b}", diag.ACLNoKafkaUser, diag.Error, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := estate(t, "prod", map[string]string{
				"clusters.yaml": oneCluster,
				"s":             "topics: {a.b.v1: {}}\nproduces: {a.b.v1: {}}\n" + tt.body,
			})
			users, faults := acl.KafkaUsers(r, "one", acl.Derive(r))
			switch {
			case tt.want == "" && len(faults) > 0, tt.want != "" && (len(faults) != 1 || faults[0].Code != tt.want || faults[0].Severity != tt.sev):
				t.Errorf("problems %v, want %s %s", faults, tt.sev, tt.want)
			case tt.sev == diag.Error && users != nil:
				t.Errorf("objects beside an error: %+v", users)
			case tt.sev == diag.Error:
			case len(users) != 1 || (users[0].Spec.Authentication == nil) != (tt.auth == ""):
				t.Errorf("objects %+v, want one with authentication %q", users, tt.auth)
			case tt.auth != "" && users[0].Spec.Authentication.Type != tt.auth:
				t.Errorf("authentication %s, want %s", users[0].Spec.Authentication.Type, tt.auth)
			}
		})
	}
	other := acl.Grant{Binding: right("User:a", acl.DelegationToken, "t", acl.Describe)}
	if users, faults := acl.KafkaUsers(&contract.Resolved{}, "one", []acl.Grant{other}); users != nil || len(faults) != 1 || faults[0].Code != diag.ACLNoKafkaUser {
		t.Errorf("a delegation token: %v, %v", users, faults)
	}
}
