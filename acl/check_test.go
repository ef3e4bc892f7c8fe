package acl_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/diag"
)

// granted makes grants of bindings, as if an entry had called for each.
func granted(live []acl.Binding) []acl.Grant {
	grants := make([]acl.Grant, len(live))
	for i, b := range live {
		grants[i] = acl.Grant{Binding: b, Cluster: "one", Reasons: []acl.Reason{{Service: "s", Text: "calls for it"}}}
	}
	return grants
}

// service is a world in which the estate answers for what is called svc-….
func service(exists map[acl.Resource]bool) acl.World {
	return acl.World{
		Env:     "prod",
		Owns:    func(p string) bool { return strings.HasPrefix(p, "User:svc-") },
		Foreign: func(p string) bool { return p == "User:crm" },
		Exists:  exists,
	}
}

func lineOf(found []acl.Finding) []string {
	lines := []string{}
	for _, f := range found {
		lines = append(lines, string(f.Kind)+": "+f.Binding.String()+": "+f.Text+" | "+f.Command)
	}
	return lines
}

const (
	applyIt  = "slipway apply -e prod"
	removeIt = `kafka-acls.sh --bootstrap-server "$BOOTSTRAP_SERVERS" --command-config "$ADMIN_CONFIG" --remove `
)

func TestEachKindOfFindingIsToldWithWhatMendsIt(t *testing.T) {
	t.Parallel()
	gone := map[acl.Resource]bool{
		{Type: acl.Topic, Name: "gone"}: false, {Type: acl.Topic, Name: "t"}: true,
		{Type: acl.Group, Name: "gone"}: false, {Type: acl.User, Name: "gone"}: false, {Type: acl.User, Name: "x"}: true,
	}
	for name, tt := range map[string]struct {
		grants, live []string
		want         []string
	}{
		"all as it should be": {[]string{"allow User:svc-a READ TOPIC t"}, []string{"allow User:svc-a READ TOPIC t", "allow User:x READ TOPIC t"}, nil},
		"missing":             {[]string{"allow User:svc-a READ TOPIC t"}, nil, []string{"missing: User:svc-a READ TOPIC t: it is not on the cluster | " + applyIt}},
		"missing, and allowed otherwise": {[]string{"allow User:svc-a READ TOPIC t"}, []string{"allow User:* READ TOPIC t"}, []string{
			"missing: User:svc-a READ TOPIC t: it is not on the cluster; `t` allows READ to `User:*` for the time being | " + applyIt,
			"over-broad: User:* READ TOPIC t: it is for everybody who can connect | " + removeIt + "--allow-principal 'User:*' --operation Read --topic 't'",
		}},
		"missing, and denied": {[]string{"allow User:svc-a READ TOPIC t"}, []string{"deny User:x READ TOPIC t", "deny User:* READ TOPIC t"}, []string{
			"missing: User:svc-a READ TOPIC t: it is not on the cluster, and with it `t` denies READ to `User:*` would still win | " + applyIt,
			"shadowed: deny User:x READ TOPIC t: it changes nothing: `t` denies READ to `User:*` already | " + removeIt + "--deny-principal 'User:x' --operation Read --topic 't'",
		}},
		"surplus": {nil, []string{"allow User:svc-a READ TOPIC t"}, []string{
			"surplus: User:svc-a READ TOPIC t: no contract calls for it | " + applyIt + " --allow delete:acl/User:svc-a",
		}},
		"surplus, of a principal that a shell would act on": {nil, []string{"allow User:svc-$(reboot)-prod READ TOPIC t"}, []string{
			"surplus: User:svc-$(reboot)-prod READ TOPIC t: no contract calls for it | " + applyIt + " --allow 'delete:acl/User:svc-$(reboot)-prod'",
		}},
		"surplus, of a principal that a terminal would act on": {nil, []string{"allow User:svc-\x1b[2J-prod READ TOPIC t"}, []string{
			"surplus: User:svc-\x1b[2J-prod READ TOPIC t: no contract calls for it | ",
		}},
		"surplus, on what is gone": {nil, []string{"allow User:svc-a READ TOPIC gone"}, []string{
			"surplus: User:svc-a READ TOPIC gone: no contract calls for it, and topic `gone` does not exist | " + applyIt + " --allow delete:acl/User:svc-a",
		}},
		"surplus from one host": {[]string{"allow User:svc-a READ TOPIC t"}, []string{"allow User:svc-a READ TOPIC t", "allow User:svc-a READ TOPIC t at 10.0.0.1"}, []string{
			"surplus: User:svc-a READ TOPIC t from 10.0.0.1: no contract calls for it | " + applyIt + " --allow delete:acl/User:svc-a",
		}},
		"everything to a service": {nil, []string{"allow User:svc-order-processor ALL TOPIC *"}, []string{
			"surplus: User:svc-order-processor ALL TOPIC *: no contract calls for it | " + applyIt + " --allow delete:acl/User:svc-order-processor",
			"over-broad: User:svc-order-processor ALL TOPIC *: it is on every topic there is and will be; ALL is more than anybody does: it would also let it delete the topic and change its settings | " + applyIt + " --allow delete:acl/User:svc-order-processor",
		}},
		"an empty prefix": {nil, []string{`allow User:x DESCRIBE GROUP "`}, []string{}},
		"ALL to a stranger": {nil, []string{"allow User:x ALL GROUP g"}, []string{
			"over-broad: User:x ALL GROUP g: ALL is more than anybody does: it would also let it delete the group and its positions | " + removeIt + "--allow-principal 'User:x' --operation All --group 'g'",
		}},
		"a service that administrates": {nil, []string{"allow User:svc-a CLUSTER_ACTION CLUSTER kafka-cluster", "allow User:svc-a ALTER CLUSTER kafka-cluster", "allow User:svc-a ALTER_CONFIGS CLUSTER kafka-cluster"}, []string{
			"over-broad: User:svc-a ALTER CLUSTER kafka-cluster: ALTER on the cluster lets a service grant itself every other right",
			"over-broad: User:svc-a ALTER_CONFIGS CLUSTER kafka-cluster: ALTER_CONFIGS on the cluster lets a service change the brokers",
			"over-broad: User:svc-a CLUSTER_ACTION CLUSTER kafka-cluster: CLUSTER_ACTION is what brokers say to each other",
		}},
		"an administrator may":       {nil, []string{"allow User:x ALTER CLUSTER kafka-cluster"}, nil},
		"denials are not over-broad": {nil, []string{"deny User:* ALL TOPIC *"}, nil},
		"what others answer for":     {nil, []string{"allow User:crm ALL TOPIC *", "allow User:crm READ TOPIC gone"}, nil},
		"a right that another has too": {nil, []string{"allow User:x READ TOPIC orders.v1", "allow User:x READ TOPIC orders.*"}, []string{
			"shadowed: User:x READ TOPIC orders.v1: it changes nothing: prefix `orders.` allows READ to `User:x` already | " + removeIt + "--allow-principal 'User:x' --operation Read --topic 'orders.v1'",
		}},
		"a right that is implied":       {nil, []string{"allow User:x READ TOPIC t", "allow User:x DESCRIBE TOPIC t"}, []string{"shadowed: User:x DESCRIBE TOPIC t: it changes nothing: `t` allows READ to `User:x` already"}},
		"a denial implies nothing":      {nil, []string{"deny User:x READ TOPIC t", "deny User:x DESCRIBE TOPIC t"}, nil},
		"a right from one host":         {nil, []string{"allow User:x READ TOPIC t", "allow User:x READ TOPIC t at 10.0.0.1"}, []string{"shadowed: User:x READ TOPIC t from 10.0.0.1: it changes nothing: `t` allows READ to `User:x` already"}},
		"one from a host shadows none":  {nil, []string{"allow User:x READ TOPIC t at 10.0.0.1", "allow User:x READ TOPIC t at 10.0.0.2"}, nil},
		"a broader one beside a called": {[]string{"allow User:svc-a READ TOPIC t"}, []string{"allow User:svc-a READ TOPIC t", "allow User:x READ TOPIC t*"}, nil},
		"a denial that leaves nothing": {nil, []string{"allow User:x READ TOPIC t", "deny User:x ALL TOPIC t*"}, []string{
			"shadowed: User:x READ TOPIC t: it allows nothing: prefix `t` denies ALL to `User:x`, and DENY wins | " + removeIt + "--allow-principal 'User:x' --operation Read --topic 't'",
		}},
		"a denial of what is called for": {[]string{"allow User:svc-a READ TOPIC t"}, []string{"allow User:svc-a READ TOPIC t", "deny User:* READ TOPIC t"}, []string{
			"missing: User:svc-a READ TOPIC t: it is there, but `t` denies READ to `User:*`, and DENY wins | " + removeIt + "--deny-principal 'User:*' --operation Read --topic 't'",
		}},
		"a denial that leaves what is implied": {nil, []string{"allow User:x READ TOPIC t", "deny User:x READ TOPIC t"}, nil},
		"a denial that leaves something":       {nil, []string{"allow User:x READ TOPIC t*", "deny User:x READ TOPIC t"}, nil},
		"on a topic that is gone": {nil, []string{"allow User:x READ TOPIC gone"}, []string{
			"dangling: User:x READ TOPIC gone: topic `gone` does not exist | " + removeIt + "--allow-principal 'User:x' --operation Read --topic 'gone'",
		}},
		"of a user that is gone, on a group that is":  {nil, []string{"allow User:gone READ GROUP gone"}, []string{"dangling: User:gone READ GROUP gone: group `gone` does not exist, and user `gone` does not exist"}},
		"a prefix is for what is to come":             {nil, []string{"allow User:x READ TOPIC gone*"}, nil},
		"what nobody looked for":                      {nil, []string{"allow User:y READ TOPIC unknown"}, nil},
		"a group that never ran, and is called for":   {[]string{"allow User:svc-a READ GROUP gone"}, []string{"allow User:svc-a READ GROUP gone"}, nil},
		"a name that cannot be pasted has no command": {nil, []string{"allow User:x ALL TOPIC \x1b[2J"}, []string{"over-broad: User:x ALL TOPIC \x1b[2J: ALL is more than anybody does: it would also let it delete the topic and change its settings | "}},
		"a group for two": {[]string{"allow User:svc-a READ GROUP g"}, []string{"allow User:svc-a READ GROUP g", "allow User:x READ GROUP g"}, []string{
			"shared: User:x READ GROUP g: `User:x` and `User:svc-a` may be in the same group | " + removeIt + "--allow-principal 'User:x' --operation Read --group 'g'",
		}},
		"a group within a prefix of another":   {nil, []string{"allow User:y READ GROUP g-*", "allow User:x ALL GROUP g-1"}, []string{"over-broad: User:x ALL GROUP g-1", "shared: User:x ALL GROUP g-1: `User:x` and `User:y` may be in the same group"}},
		"two groups with a common beginning":   {nil, []string{"allow User:y READ GROUP g", "allow User:x READ GROUP g-1"}, nil},
		"one principal twice":                  {nil, []string{"allow User:x READ GROUP g", "allow User:x READ GROUP g at 10.0.0.1"}, []string{"shadowed: "}},
		"a group that is denied to the second": {nil, []string{"allow User:y READ GROUP g", "allow User:x READ GROUP g", "deny User:x READ GROUP g*"}, nil},
		"DESCRIBE is no membership":            {nil, []string{"allow User:y READ GROUP g", "allow User:x DESCRIBE GROUP g"}, nil},
		"transactional ids for two": {nil, []string{"allow User:y WRITE TRANSACTIONAL_ID svc-a.*", "allow User:x WRITE TRANSACTIONAL_ID svc-*"}, []string{
			"shared: User:y WRITE TRANSACTIONAL_ID svc-a.*: `User:y` and `User:x` may use the same transactional ids, and fence each other",
		}},
		"a group that a contract is about to make": {[]string{"allow User:svc-a READ GROUP gone"}, []string{"allow User:svc-a READ GROUP gone", "deny User:x READ GROUP gone"}, nil},
		"two that others answer for":               {nil, []string{"allow User:crm READ GROUP g"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := lineOf(acl.Check(rules(t, tt.live...), granted(rules(t, tt.grants...)), service(gone)))
			if name == "an empty prefix" || name == "a service that administrates" {
				got = slices.DeleteFunc(got, func(line string) bool { return strings.HasPrefix(line, "surplus") })
			}
			if !slices.EqualFunc(tt.want, got, func(want, got string) bool { return strings.HasPrefix(got, want) }) {
				t.Errorf("findings (-want +got):\n%s", cmp.Diff(tt.want, got))
			}
		})
	}
}

func TestAnEmptyPrefixIsEveryName(t *testing.T) {
	t.Parallel()
	live := rules(t, "allow User:x READ TRANSACTIONAL_ID t*")
	live[0].Name = ""
	got := lineOf(acl.Check(live, nil, acl.World{}))
	if len(got) != 1 || !strings.Contains(got[0], "it is on every transactional id there is and will be") {
		t.Errorf("findings %q", got)
	}
}

func TestEachKindOfFindingHasItsCode(t *testing.T) {
	t.Parallel()
	want := []diag.Code{diag.ACLMissing, diag.ACLSurplus, diag.ACLOverBroad, diag.ACLShadowed, diag.ACLDangling, diag.ACLShared}
	var got []diag.Code
	for _, kind := range acl.FindingKinds() {
		got = append(got, acl.Finding{Kind: kind}.Code())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("codes (-want +got):\n%s", diff)
	}
}

func TestWhatContractsCallForHasNoFindings(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := anyEstate(t)
		grants := slices.DeleteFunc(acl.Derive(r), func(g acl.Grant) bool { return g.Cluster != "one" })
		var live []acl.Binding
		for _, g := range grants {
			live = append(live, g.Binding)
		}
		if found := acl.Check(live, grants, acl.World{Env: r.Env, Owns: acl.Owner(r), Foreign: acl.Foreign(r)}); len(found) > 0 {
			t.Fatalf("findings:\n%s", strings.Join(lineOf(found), "\n"))
		}
		if len(live) == 0 {
			return
		}
		lost := rapid.IntRange(0, len(live)-1).Draw(t, "lost")
		found := acl.Check(slices.Delete(slices.Clone(live), lost, lost+1), grants, acl.World{Env: r.Env, Owns: acl.Owner(r)})
		if len(found) != 1 || found[0].Kind != acl.Missing || found[0].Binding != live[lost] || len(found[0].Reasons) == 0 {
			t.Fatalf("without %s:\n%s", live[lost], strings.Join(lineOf(found), "\n"))
		}
	})
}

// A binding is called shadowed only if no decision needs it. All of them at
// once can be taken away, because what shadows is never shadowed by what it
// shadows.
func TestNothingChangesWithoutTheShadowed(t *testing.T) {
	t.Parallel()
	shadowed := 0
	rapid.Check(t, func(t *rapid.T) {
		live := rapid.SliceOfN(rapid.Custom(anyBinding), 8, 40).Draw(t, "live")
		without := slices.Clone(live)
		for _, f := range acl.Check(live, nil, acl.World{}) {
			if f.Kind == acl.Shadowed {
				shadowed++
				without = slices.DeleteFunc(without, func(b acl.Binding) bool { return b == f.Binding })
			}
		}
		before, after := acl.NewRules(live), acl.NewRules(without)
		for _, host := range []string{"127.0.0.1", "10.0.0.9", ""} {
			for _, q := range anyRequests(host) {
				if before.Allows(q) != after.Allows(q) {
					t.Fatalf("%+v: %t, and %t without the shadowed", q, before.Allows(q), after.Allows(q))
				}
			}
		}
	})
	if shadowed < 50 && !testing.Short() {
		t.Errorf("only %d were shadowed", shadowed)
	}
}

func TestFindingsAreSortedAndEachIsToldOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		live := rapid.SliceOfN(rapid.Custom(anyBinding), 0, 15).Draw(t, "live")
		found := acl.Check(live, nil, acl.World{})
		lines := lineOf(found)
		again := lineOf(acl.Check(live, nil, acl.World{}))
		if diff := cmp.Diff(lines, again); diff != "" {
			t.Fatalf("findings differ from one call to the next:\n%s", diff)
		}
		slices.Sort(again)
		if len(slices.Compact(again)) != len(lines) {
			t.Fatalf("told twice:\n%s", strings.Join(lines, "\n"))
		}
		if !slices.IsSortedFunc(found, func(a, b acl.Finding) int {
			return slices.Index(acl.FindingKinds(), a.Kind) - slices.Index(acl.FindingKinds(), b.Kind)
		}) {
			t.Fatalf("not sorted:\n%s", strings.Join(lines, "\n"))
		}
	})
}

func TestManyWhoShareAreNotAllNamed(t *testing.T) {
	t.Parallel()
	var live []acl.Binding
	for _, user := range []string{"b", "c", "d", "e", "f", "g", "h", "i"} {
		live = append(live, rule(t, "allow User:"+user+" READ GROUP crowd"))
	}
	found := acl.Check(live, nil, acl.World{})
	last := found[len(found)-1]
	if len(found) != 7 || len(last.Others) != acl.MaxMisses || !strings.Contains(last.Text, "and others may be in the same group") {
		t.Errorf("%d findings, the last %+v", len(found), last)
	}
}

func TestTheEstateAnswersForItsOwnPrincipals(t *testing.T) {
	t.Parallel()
	r := estate(t, "dev", map[string]string{
		"orders":        orders,
		"s":             "consumes: {orders.created.v1: {}}\nadopt: {principal: old-user}",
		"external.yaml": "apiVersion: slipway.dev/v1\nkind: External\nprincipals: [\"User:svc-theirs-dev\", \"User:crm\"]\n",
	})
	owns, foreign := acl.Owner(r), acl.Foreign(r, "User:deployer")
	for principal, want := range map[string][2]bool{
		"User:svc-orders-dev":       {true, false},
		"User:old-user":             {true, false},
		"User:svc-s-dev-redrive":    {true, false},
		"User:svc-gone-dev":         {true, false},
		"User:svc-gone-dev-redrive": {true, false},
		"User:svc-gone-prod":        {false, false},
		"User:svc--dev":             {false, false},
		"User:svc-theirs-dev":       {false, true},
		"User:crm":                  {false, true},
		"User:deployer":             {false, true},
		"User:else":                 {false, false},
		"User:*":                    {false, false},
	} {
		if got := [2]bool{owns(principal), foreign(principal)}; got != want {
			t.Errorf("%s: owned and foreign %v, want %v", principal, got, want)
		}
	}
}

func TestWhatIsMentionedCanBeLookedFor(t *testing.T) {
	t.Parallel()
	got := acl.Mentioned(rules(t,
		"allow User:a READ TOPIC t", "allow User:a READ TOPIC t*", "allow User:* READ TOPIC *", "allow User:CN=b,O=c READ GROUP g",
		"allow User:a WRITE TRANSACTIONAL_ID x", "allow User:a CREATE_TOKENS USER User:d", "allow Group:e READ TOPIC t"))
	want := []acl.Resource{{Type: acl.Group, Name: "g"}, {Type: acl.Topic, Name: "t"}, {Type: acl.User, Name: "a"}, {Type: acl.User, Name: "d"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("mentioned (-want +got):\n%s", diff)
	}
}

func BenchmarkCheck(b *testing.B) {
	live, _ := estateOfRules(20_000)
	grants := granted(live[:19_000])
	for b.Loop() {
		if len(acl.Check(live, grants, acl.World{})) == 0 {
			b.Fatal("nothing is surplus")
		}
	}
}
