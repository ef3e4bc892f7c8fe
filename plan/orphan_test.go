package plan_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/plan"
)

// ownership is an estate of two services beside others' names: what of an
// inventory is its own?
func ownership(t *testing.T, clusters string) *plan.Desired {
	t.Helper()
	r := estate(t, "dev", map[string]string{
		"clusters.yaml": clusters,
		"external.yaml": "apiVersion: slipway.dev/v1\nkind: External\ntopics: {crm.v1: {}}\ngroups: [svc-elsewhere-dev]\nprincipals: ['User:svc-elsewhere-dev', 'User:svc-elsewhere-dev-redrive']\n",
		"a":             "identity: {auth: scram-sha-512}\ntopics: {a.b.v1: {protect: [delete]}, a.c.v1: {}}\nproduces: {a.b.v1: {}}\nconsumes: {a.b.v1: {}, crm.v1: {as: table}}",
		"m":             "identity: {auth: mtls}\nadopt: {principal: legacy-m, group: legacy-group}\nconsumes: {a.b.v1: {retry: {then: stop}}}",
	})
	return derive(t, r, r.Bindings["default"].Cluster)
}

const alone = "apiVersion: slipway.dev/v1\nkind: Clusters\nclusters: {one: {id: abc, bootstrap: {scram: 'k:9094', mtls: 'k:9093'}}}\nenvironments: {dev: {default: one}}\n"

const shared = `apiVersion: slipway.dev/v1
kind: Clusters
clusters: {one: {id: abc, bootstrap: {scram: 'k:9094', mtls: 'k:9093'}}}
environments:
  dev: {default: {cluster: one, topicPrefix: dev.}}
  two: {default: {cluster: one, topicPrefix: two.}}
`

func TestOnlyWhatIsOursByNameIsAnOrphan(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		clusters string
		add      func(*plan.Actual)
		want     []string
	}{
		"nothing": {alone, func(*plan.Actual) {}, nil},
		"derived topics of services gone": {alone, topics("svc-gone-dev.x.v1.retry", "svc-gone-dev.grp.x.v1.dlq", "svc-a-dev.old.v1.dlq"),
			[]string{"delete:topic/svc-a-dev.old.v1.dlq", "delete:topic/svc-gone-dev.grp.x.v1.dlq", "delete:topic/svc-gone-dev.x.v1.retry"}},
		"topics that are no derived ones": {alone, topics("x.v1", "svc-gone-prod.x.v1.retry", "svc-gone-dev.x.v1", "svc-gone-dev", "svc--dev.retry", "xsvc-gone-dev.x.dlq", "__consumer_offsets", "crm.v1", "dev.x.v1", "svc-gone-dev.dlq"), nil},
		"topics under a prefix":           {shared, topics("dev.x.v1", "two.x.v1", "devx.v1", "dev.a.b.v1", "dev.crm.v1"), []string{"delete:topic/dev.x.v1"}},
		"users": {alone, users("svc-gone-dev", "svc-gone-dev-redrive", "svc-gone-prod", "svc-a-dev", "gone", "svc-elsewhere-dev", "admin"),
			[]string{"delete:user/svc-gone-dev", "delete:user/svc-gone-dev-redrive"}},
		"a login that an mTLS service does not need": {alone, users("legacy-m"), []string{"delete:user/legacy-m"}},
		"another mechanism": {alone, func(h *plan.Actual) {
			h.Inventory.Users["svc-a-dev"] = append(h.Inventory.Users["svc-a-dev"], kafka.Credential{User: "svc-a-dev", Mechanism: contract.SCRAMSHA256})
		}, []string{"delete:user/svc-a-dev"}},
		"surplus ACLs": {alone, acls("User:svc-a-dev", "User:svc-gone-dev", "User:svc-gone-dev-redrive", "User:legacy-m", "User:gone", "User:*", "User:svc-gone-prod", "User:svc-elsewhere-dev", "User:admin", "Group:svc-gone-dev"),
			[]string{"delete:acl/User:legacy-m", "delete:acl/User:svc-a-dev", "delete:acl/User:svc-gone-dev", "delete:acl/User:svc-gone-dev-redrive"}},
		"quotas": {alone, func(h *plan.Actual) {
			h.Inventory.Quotas = map[string]map[string]float64{"svc-gone-dev": {"producer_byte_rate": 1024}, "gone": {}, "svc-elsewhere-dev": {}}
		}, []string{"delete:quota/svc-gone-dev"}},
		"groups": {alone, func(h *plan.Actual) {
			for _, id := range []string{"svc-gone-dev", "svc-gone-dev.x", "svc-a-dev", "svc-a-dev.old", "svc-gone-dev-redrive", "legacy-group", "gone", "slipway-apply-dev", "svc-elsewhere-dev", "svc-gone-prod"} {
				h.Inventory.Groups[id] = "Empty"
			}
			h.Inventory.Groups["svc-dead-dev"] = "Dead"
		}, []string{"delete:group/svc-a-dev.old", "delete:group/svc-gone-dev", "delete:group/svc-gone-dev-redrive", "delete:group/svc-gone-dev.x"}},
		"connectors": {alone, func(h *plan.Actual) {
			h.Inventory.Connectors = map[string]bool{"svc-gone-dev.sink": true, "svc-gone-prod.sink": true, "sink": true, "svc-gone-dev": true}
		}, []string{"delete:connector/svc-gone-dev.sink"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := ownership(t, tt.clusters)
			have := surveyed(want)
			tt.add(have)
			p := diff(t, want, have)
			var got []string
			for _, o := range p.Orphans {
				got = append(got, o.Allow)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("orphans (-want +got):\n%s", diff)
			}
			if !p.Empty() {
				t.Errorf("orphans are changes:\n%s", text(p))
			}
		})
	}
}

// surveyed is a cluster that is as desired, with an inventory of that.
func surveyed(want *plan.Desired) *plan.Actual {
	have := settled(want)
	have.Inventory = &plan.Inventory{
		Topics: map[string]int{}, Users: maps.Clone(have.Users), Groups: map[string]string{}, Applier: []string{"User:admin"},
	}
	for name, t := range have.Topics {
		have.Inventory.Topics[name] = t.Partitions
	}
	return have
}

func topics(names ...string) func(*plan.Actual) {
	return func(h *plan.Actual) {
		for _, name := range names {
			h.Inventory.Topics[name] = 3
		}
	}
}

func users(names ...string) func(*plan.Actual) {
	return func(h *plan.Actual) {
		for _, name := range names {
			h.Inventory.Users[name] = []kafka.Credential{{User: name, Mechanism: contract.SCRAMSHA512}}
		}
	}
}

func acls(principals ...string) func(*plan.Actual) {
	return func(h *plan.Actual) {
		for _, principal := range principals {
			h.Bindings[surplus(principal)] = true
		}
	}
}

func surplus(principal string) acl.Binding {
	return acl.Binding{Principal: principal, ResourceType: acl.Topic, Name: "surplus", Pattern: acl.Literal, Operation: acl.Read, Permission: acl.Allow, Host: acl.AnyHost}
}

func TestAnOrphanTellsWhatBearsOnItsDeletion(t *testing.T) {
	t.Parallel()
	want := ownership(t, alone)
	have := surveyed(want)
	topics("svc-gone-dev.x.v1.retry")(have)
	acls("User:svc-gone-dev")(have)
	have.Inventory.Groups["svc-gone-dev"] = "Stable"
	var got []string
	for _, o := range diff(t, want, have).Orphans {
		got = append(got, o.Service+": "+o.String()+" ("+strings.Join(o.Evidence, "; ")+")")
	}
	if diff := cmp.Diff([]string{
		"gone: topic svc-gone-dev.x.v1.retry: retry topic that no contract derives (3 partitions; group svc-gone-dev is still there (Stable))",
		"gone: acl User:svc-gone-dev: 1 ACL that no contract calls for (User:svc-gone-dev READ TOPIC surplus)",
		"gone: group svc-gone-dev: group that no contract reads in (state Stable)",
	}, got); diff != "" {
		t.Errorf("orphans (-want +got):\n%s", diff)
	}
}

func TestWithoutTheWholeEstateNothingIsAnOrphan(t *testing.T) {
	t.Parallel()
	want := ownership(t, alone)
	have := surveyed(want)
	topics("svc-gone-dev.x.v1.retry")(have)
	if p := diff(t, want, have).Of("a"); len(p.Orphans) != 0 {
		t.Errorf("a part of the estate has orphans: %v", p.Orphans)
	}
	have.Inventory = nil
	if p := diff(t, want, have); len(p.Orphans) != 0 {
		t.Errorf("a cluster that was not surveyed has orphans: %v", p.Orphans)
	}
}

func TestSomeNamesAreNeverDeleted(t *testing.T) {
	t.Parallel()
	want := ownership(t, shared)
	have := surveyed(want)
	topics("legacy.v1", "dev.crm.v1", "svc-gone-dev.x.v1.dlq")(have)
	users("admin", "eve", "svc-elsewhere-dev")(have)
	acls("User:admin", "User:eve")(have)
	have.Inventory.Groups = map[string]string{"svc-a-dev": "Stable", "legacy": "Empty", "svc-elsewhere-dev": "Empty"}
	have.Inventory.Connectors = map[string]bool{"sink": true}
	p := diff(t, want, have)
	for allow, why := range map[string]string{
		"delete:topic/dev.a.b.v1":            "topic/dev.a.b.v1 is not deleted: the contract of a protects it from deletion",
		"delete:topic/dev.a.c.v1":            "the contract of a calls for it",
		"delete:topic/dev.crm.v1":            "external.yaml says that it is owned elsewhere",
		"delete:topic/legacy.v1":             "nothing in its name makes it this estate's",
		"delete:user/admin":                  "it is, or may be, the principal that applies",
		"delete:acl/User:admin":              "it is, or may be, the principal that applies",
		"delete:acl/admin":                   "it is, or may be, the principal that applies",
		"delete:user/eve":                    "nothing in its name makes it this estate's",
		"delete:acl/User:eve":                "nothing in its name makes it this estate's",
		"delete:user/svc-a-dev":              "the contract of a calls for every user it has",
		"delete:acl/User:svc-a-dev":          "the contract of a calls for every acl it has",
		"delete:acl/User:svc-elsewhere-dev":  "external.yaml says that User:svc-elsewhere-dev is owned elsewhere",
		"delete:user/svc-elsewhere-dev":      "is owned elsewhere",
		"delete:group/svc-a-dev":             "the contract of a reads in it",
		"delete:group/svc-elsewhere-dev":     "external.yaml says that it is owned elsewhere",
		"delete:group/legacy":                "nothing in its name makes it this estate's",
		"delete:connector/sink":              "nothing in its name makes it this estate's",
		"delete:topic/never.was.v1":          "",
		"delete:user/svc-never-dev":          "",
		"delete:group/never":                 "",
		"delete:connector/never":             "",
		"delete:nonsense":                    "",
		"delete:schema/a.b.v1-value":         "",
		"delete:topic/svc-gone-dev.x.v1.dlx": "",
	} {
		deleting := p.Deleting(allow)
		err := plan.Guard(deleting, []string{allow})
		code := diag.PlanKept
		if why == "" {
			code = diag.PlanUnknownAllow
		}
		if !errors.Is(err, plan.ErrRefused) || !errors.Is(err, code) || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v, want %s with %q", allow, err, code, why)
		}
		if !deleting.Empty() {
			t.Errorf("%s makes changes:\n%s", allow, text(deleting))
		}
	}
	near := diag.Of(plan.Guard(p, []string{"delete:topic/svc-gone-dev.x.v1.dlx"}))[0].Fix
	if near != "did you mean delete:topic/svc-gone-dev.x.v1.dlq?" {
		t.Errorf("fix is %q, want the orphan's name", near)
	}
}

// TestExactlyWhatIsNamedIsDeleted takes an estate of which a service went, and
// deletes its things one by one.
func TestExactlyWhatIsNamedIsDeleted(t *testing.T) {
	t.Parallel()
	r := start(t)
	files := map[string]string{
		"stays": "topics: {a.b.v1: {}}\nproduces: {a.b.v1: {}}",
		"gone":  "quotas: {produce: 1MiB/s}\nconsumes: {a.b.v1: {protocol: consumer, session: 1m, heartbeat: 9s}}",
	}
	whole := derive(t, estate(t, "dev", files), contract.Embedded)
	if err := plan.Apply(t.Context(), r.target(), r.plan(t, whole), nil); err != nil {
		t.Fatal(err)
	}
	r.foreign(t)
	r.commit(t, "svc-gone-dev", "a.b.v1")
	delete(files, "gone")
	want := derive(t, estate(t, "dev", files), contract.Embedded)
	left := r.orphans(t, want)
	for _, name := range []string{
		"delete:topic/svc-gone-dev.a.b.v1.dlq", "delete:topic/svc-gone-dev.a.b.v1.retry", "delete:user/svc-gone-dev", "delete:user/svc-gone-dev-redrive",
		"delete:acl/User:svc-gone-dev", "delete:acl/User:svc-gone-dev-redrive", "delete:quota/svc-gone-dev", "delete:group/svc-gone-dev",
	} {
		if !slices.Contains(left, name) {
			t.Errorf("%s is not among the orphans %q", name, left)
		}
	}
	before := r.everything(t)
	for len(left) > 0 {
		allow := left[0]
		p := r.survey(t, want).Deleting(allow)
		for _, c := range p.Changes {
			if c.Allow != allow || c.Action != plan.Delete || c.Class == plan.Safe || len(c.Reasons) == 0 || c.Note == "" {
				t.Errorf("%s leads to %+v", allow, c)
			}
		}
		if err := plan.Apply(t.Context(), r.target(), p, nil); !errors.Is(err, plan.ErrRefused) || !errors.Is(err, diag.PlanNeedsAllow) {
			t.Errorf("without leave: %v, want %s", err, diag.PlanNeedsAllow)
		}
		target := r.target()
		target.Allow = []string{allow}
		if err := plan.Apply(t.Context(), target, p, nil); err != nil {
			t.Fatalf("%s: %v", allow, err)
		}
		left = left[1:]
		if diff := cmp.Diff(left, r.orphans(t, want)); diff != "" {
			t.Errorf("orphans after %s (-want +got):\n%s", allow, diff)
		}
		after := r.everything(t)
		for _, name := range before {
			if !slices.Contains(after, name) && !strings.Contains(name, strings.SplitN(allow, "/", 2)[1]) {
				t.Errorf("%s took %s away too", allow, name)
			}
		}
		before = after
	}
	if p := r.survey(t, want); !p.Empty() || len(p.Orphans) > 0 {
		t.Errorf("there is still\n%s%v", text(p), p.Orphans)
	}
}

// foreign puts things on the cluster that are nobody's business here.
func (r *rig) foreign(t testing.TB) {
	t.Helper()
	errs := r.admin.CreateTopics(t.Context(), []kafka.Topic{{Name: "legacy.v1", Partitions: 1}, {Name: "svc-legacy-prod.x.v1.dlq", Partitions: 1}})
	errs = append(errs, r.admin.Grant(t.Context(), []binding{surplus("User:legacy"), surplus("User:svc-legacy-prod"), surplus("User:" + r.Admin().User)})...)
	errs = append(errs, r.admin.SetPasswords(t.Context(), []kafka.Login{{
		Credential: kafka.Credential{User: "svc-legacy-prod", Mechanism: contract.SCRAMSHA512, Iterations: 4096}, Password: secretOf("legacy"),
	}})...)
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func (r *rig) survey(t testing.TB, want *plan.Desired) *plan.Plan {
	t.Helper()
	have := r.read(t, want)
	if err := have.Survey(t.Context(), r.admin); err != nil {
		t.Fatal(err)
	}
	return diff(t, want, have)
}

func (r *rig) read(t testing.TB, want *plan.Desired) *plan.Actual {
	t.Helper()
	have, err := plan.Read(t.Context(), want, r.admin, r.registry)
	if err != nil {
		t.Fatal(err)
	}
	return have
}

func (r *rig) orphans(t testing.TB, want *plan.Desired) []string {
	t.Helper()
	names := []string{}
	for _, o := range r.survey(t, want).Orphans {
		names = append(names, o.Allow)
	}
	return names
}

// everything is all that the cluster has, one name each.
func (r *rig) everything(t testing.TB) []string {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	topics, err := r.admin.AllTopics(ctx)
	users, more := r.admin.AllUsers(ctx)
	groups, yet := r.admin.AllGroups(ctx)
	bindings, last := r.admin.ACLs(ctx)
	quotas, end := r.admin.Quotas(ctx)
	if err := errors.Join(err, more, yet, last, end); err != nil {
		t.Fatal(err)
	}
	var all []string
	for name, partitions := range topics {
		all = append(all, fmt.Sprintf("topic %s %d", name, partitions))
	}
	for name, credentials := range users {
		all = append(all, fmt.Sprintf("user %s %d", name, len(credentials)))
	}
	for id := range groups {
		all = append(all, "group "+id)
	}
	for _, b := range bindings {
		all = append(all, "acl "+b.String())
	}
	for user, limits := range quotas {
		all = append(all, fmt.Sprintf("quota %s %v", user, limits))
	}
	slices.Sort(all)
	return all
}
