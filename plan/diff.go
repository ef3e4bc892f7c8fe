package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

// Diff compares what is desired with what is. It is pure. It fails only, as
// [ErrRefused], if the cluster is not the one the desired state is for.
func Diff(want *Desired, have *Actual) (*Plan, error) {
	if err := checkCluster(want, have); err != nil {
		return nil, err
	}
	p := &Plan{Env: want.Env, Cluster: want.Cluster, ClusterID: have.ClusterID, Changes: []Change{}}
	p.Changes = append(p.Changes, diffTopics(want, have)...)
	for _, u := range want.Users {
		p.Changes = append(p.Changes, diffUser(u, have)...)
	}
	for _, g := range want.Grants {
		if !have.Bindings[g.Binding] {
			p.Changes = append(p.Changes, createBinding(g))
		}
	}
	running := have.running()
	for _, q := range want.Quotas {
		p.Changes = append(p.Changes, diffQuota(q, have, running)...)
	}
	for _, g := range want.Groups {
		p.Changes = append(p.Changes, diffGroup(g, have)...)
	}
	for _, s := range want.Subjects {
		p.Changes = append(p.Changes, diffSubject(s, have.Subjects[s.Name])...)
	}
	for _, c := range want.Connectors {
		p.Changes = append(p.Changes, diffConnector(c, have.Connectors[c.Name])...)
	}
	slices.SortStableFunc(p.Changes, Change.compare)
	p.Orphans = Orphans(want, have)
	p.stays = func(allow string) string { return stays(want, have, allow) }
	p.seal()
	return p, nil
}

func checkCluster(want *Desired, have *Actual) error {
	if want.ClusterID == "" || want.ClusterID == have.ClusterID {
		return nil
	}
	return refuse(diag.New(diag.PlanWrongCluster, "cluster %s is pinned to id %s, and the one that answers has id %s",
		want.Cluster, want.ClusterID, have.ClusterID))
}

func diffUser(want User, have *Actual) []Change {
	for _, is := range have.Users[want.Name] {
		if is.Mechanism == want.Mechanism {
			return nil
		}
	}
	return []Change{{
		Action: Create, Kind: KindUser, Name: want.Name, Class: Safe, Service: want.Service, Reasons: want.Reasons,
		Fields: []Field{{Name: "mechanism", After: string(want.Mechanism)}},
		item:   item{user: want},
	}}
}

func createBinding(g acl.Grant) Change {
	return Change{
		Action: Create, Kind: KindACL, Name: g.Binding.String(), Class: Safe, Service: g.Reasons[0].Service, Reasons: g.Reasons,
		Fields: []Field{
			{Name: "principal", After: g.Principal},
			{Name: "operation", After: string(g.Operation)},
			{Name: "resourceType", After: string(g.ResourceType)},
			{Name: "name", After: g.Name},
			{Name: "pattern", After: string(g.Pattern)},
			{Name: "permission", After: string(g.Permission)},
			{Name: "host", After: g.Host},
		},
		item: item{binding: g.Binding},
	}
}

func diffSubject(want Subject, is SubjectState) []Change {
	var changes []Change
	if want.Level != is.Level {
		changes = append(changes, relevel(want, is.Level))
	}
	if !is.Registered {
		changes = append(changes, register(want, is))
	}
	return changes
}

func relevel(want Subject, before contract.Compatibility) Change {
	c := Change{
		Action: Update, Kind: KindSubject, Name: want.Name, Class: Safe, Service: want.Service, Reasons: want.Reasons,
		Fields: []Field{{"compatibility", string(before), string(want.Level)}},
		item:   item{subject: want},
	}
	if before == "" {
		c.Action = Create
	} else if loosens(before, want.Level) {
		c.Class, c.Allow = Disruptive, "compatibility:"+want.Name
		c.Note = "versions that the present level refuses can be registered from then on; who relies on it must know"
	}
	return c
}

// promises are the pairs of versions that a level keeps readable: b that the
// new schema reads the last one's data, B that of all before; f and F that the
// last one, or all before, read the new one's.
var promises = map[contract.Compatibility]string{
	contract.NoCompatibility:    "",
	contract.Backward:           "b",
	contract.BackwardTransitive: "bB",
	contract.Forward:            "f",
	contract.ForwardTransitive:  "fF",
	contract.Full:               "bf",
	contract.FullTransitive:     "bBfF",
}

func loosens(before, after contract.Compatibility) bool {
	return strings.ContainsFunc(promises[before], func(p rune) bool {
		return !strings.ContainsRune(promises[after], p)
	})
}

// register is a new version. The registry judged it by the subject's present
// level; if that is about to change, its judgement is not the last word.
func register(want Subject, is SubjectState) Change {
	sum := sha256.Sum256([]byte(want.Schema))
	c := Change{
		Action: Create, Kind: KindSchema, Name: want.Name, Class: Safe, Service: want.Service, Reasons: want.Reasons,
		Fields: []Field{
			{Name: "format", After: string(want.Format)},
			{Name: "sha256", After: hex.EncodeToString(sum[:6])},
		},
		item: item{subject: want},
	}
	if len(is.Incompatible) > 0 && is.Level == want.Level {
		c.Class = Impossible
		c.Note = fmt.Sprintf("it is not %s compatible: %s", want.Level, strings.Join(is.Incompatible, "; "))
	}
	if why := unreadable(want); why != "" {
		c.Class, c.Note = Impossible, why
	}
	return c
}
