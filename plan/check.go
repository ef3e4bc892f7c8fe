package plan

import (
	"maps"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/diag"
)

// Check refuses a saved plan that is not the one that contracts and cluster
// lead to now, which fresh tells: as [diag.PlanForeign] if it is for another
// environment or cluster, as [diag.PlanStale] if contracts or cluster have
// changed in what it names, with up to five of the differences, and as
// [diag.PlanEdited] if its changes are others all the same.
func Check(saved, fresh *Saved) error {
	was, is := saved.Plan, fresh.Plan
	if was.Env != is.Env || was.Cluster != is.Cluster || was.ClusterID != is.ClusterID {
		return refuse(diag.New(diag.PlanForeign, "the plan is for environment %s on cluster %s (%s), and this is environment %s on cluster %s (%s)",
			was.Env, was.Cluster, was.ClusterID, is.Env, is.Cluster, is.ClusterID))
	}
	var changed []string
	var evidence []string
	if saved.Contracts.Hash != fresh.Contracts.Hash {
		changed = append(changed, "the contracts")
		evidence = append(evidence, differences("in the contracts", saved.Contracts.Items, fresh.Contracts.Items)...)
	}
	if saved.State.Hash != fresh.State.Hash {
		changed = append(changed, "the cluster")
		evidence = append(evidence, differences("on the cluster", saved.State.Items, fresh.State.Items)...)
	}
	if len(changed) > 0 {
		d := diag.New(diag.PlanStale, "%s changed since the plan was made at %s",
			strings.Join(changed, " and "), saved.Created.Format("2006-01-02 15:04:05 UTC"))
		for _, line := range evidence {
			d = d.WithEvidence("%s", line)
		}
		return refuse(d)
	}
	if was.hash() != is.Hash || was.Hash != is.Hash {
		return refuse(diag.New(diag.PlanEdited, "the changes in the plan are not the ones that its contracts and its cluster lead to"))
	}
	return nil
}

// Same refuses, as [diag.PlanStale], a plan that is not the one that was shown
// any more.
func Same(shown, now *Plan) error {
	if shown.Hash == now.Hash {
		return nil
	}
	d := diag.New(diag.PlanStale, "contracts or cluster changed after the plan was shown")
	for _, line := range differences("of the changes", lines(shown), lines(now)) {
		d = d.WithEvidence("%s", line)
	}
	return refuse(d)
}

func lines(p *Plan) map[string]string {
	all := make(map[string]string, len(p.Changes))
	for _, c := range p.Changes {
		all[c.String()] = c.Note
	}
	return all
}

// differences names up to five things that are not what they were.
func differences(where string, was, is map[string]string) []string {
	const most = 5
	names := maps.Clone(was)
	if names == nil {
		names = map[string]string{}
	}
	maps.Copy(names, is)
	var lines []string
	more := 0
	for _, name := range slices.Sorted(maps.Keys(names)) {
		before, had := was[name]
		after, has := is[name]
		word := "is different"
		switch {
		case before == after && had == has:
			continue
		case !had:
			word = "is new"
		case !has:
			word = "is gone"
		}
		if len(lines) == most {
			more++
			continue
		}
		lines = append(lines, where+", "+name+" "+word)
	}
	if more > 0 {
		lines = append(lines, where+", "+count(more, "thing more is different", "things more are different"))
	}
	return lines
}
