package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
)

// A Plan is what must change on a cluster. The same desired and actual state
// give the same plan, to the byte.
type Plan struct {
	Env       string `json:"environment"`
	Cluster   string `json:"cluster"`   // its name in clusters.yaml
	ClusterID string `json:"clusterId"` // of the cluster that was looked at

	// Hash names this very plan: another set of changes, or the same for
	// another cluster, has another one.
	Hash string `json:"hash"`

	Changes []Change `json:"changes"` // in the order they are applied; never nil

	// Orphans are what is there and no contract declares, if the cluster was
	// surveyed for them. They are no part of the hash.
	Orphans []Orphan `json:"orphans,omitempty"`

	// stays tells why a name is never deleted.
	stays func(allow string) string
}

// Empty reports whether there is nothing to do.
func (p *Plan) Empty() bool { return len(p.Changes) == 0 }

// A Summary counts a plan's changes.
type Summary struct {
	Create     int `json:"create"`
	Update     int `json:"update"`
	Delete     int `json:"delete"`
	NeedAllow  int `json:"needAllow"` // among the above
	Impossible int `json:"impossible"`
}

// Summary counts the changes.
func (p *Plan) Summary() Summary {
	var s Summary
	for _, c := range p.Changes {
		switch {
		case c.Class == Impossible:
			s.Impossible++
			continue
		case c.Action == Create:
			s.Create++
		case c.Action == Delete:
			s.Delete++
		default:
			s.Update++
		}
		if c.Allow != "" {
			s.NeedAllow++
		}
	}
	return s
}

// String is the line below a plan.
func (s Summary) String() string {
	text := fmt.Sprintf("Plan: %d to add, %d to change, %d to delete", s.Create, s.Update, s.Delete)
	switch s.NeedAllow {
	case 0:
	case 1:
		text += ", 1 needs --allow"
	default:
		text += fmt.Sprintf(", %d need --allow", s.NeedAllow)
	}
	if s.Impossible > 0 {
		text += fmt.Sprintf(", %d impossible", s.Impossible)
	}
	return text + "."
}

// seal computes the hash over everything that the plan does. Why it does it, and
// where in the contracts that stands, is left out: a comment in a contract
// makes no other plan.
func (p *Plan) seal() { p.Hash = p.hash() }

func (p *Plan) hash() string {
	bare := Plan{Env: p.Env, Cluster: p.Cluster, ClusterID: p.ClusterID, Changes: slices.Clone(p.Changes)}
	for i := range bare.Changes {
		bare.Changes[i].Reasons, bare.Changes[i].Impact = nil, nil
	}
	text, err := json.Marshal(bare)
	if err != nil {
		panic("plan: a plan is not JSON: " + err.Error())
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
