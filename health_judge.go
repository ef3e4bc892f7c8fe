package slipway

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/slipway-go/slipway/diag"
)

// rejoinGrace is how long a service that was in its group may be out of it: a
// rebalance takes as long as the slowest member.
const rejoinGrace = rebalanceTimeout

// A finding is a check on its way: what is wrong, and whose problem it is.
type finding struct {
	Check
	class class
	link  *link // to the cluster that it is about; nil for none
	err   error // in place of name and reason
}

func (f finding) error() error {
	switch {
	case f.err == nil:
		return errors.New(f.Name + ": " + f.Reason)
	case f.link != nil && f.link.other() != "":
		return fmt.Errorf("cluster %s: %w", f.link.alias, f.err)
	}
	return f.err
}

func okay(name, reason string) finding {
	return finding{Check: Check{Name: name, Status: CheckOK, Reason: reason}}
}

func warning(name string, code diag.Code, reason string, args ...any) finding {
	return finding{Check: Check{Name: name, Status: CheckWarn, Code: code, Reason: fmt.Sprintf(reason, args...)}}
}

func failure(of class, name string, code diag.Code, reason string, args ...any) finding {
	return finding{Check: Check{Name: name, Status: CheckFail, Code: code, Reason: fmt.Sprintf(reason, args...)}, class: of}
}

// judge makes the checks of what is known.
func (a *App) judge(now time.Time) []finding {
	s := a.health.now()
	var found []finding
	if s.up {
		found = slices.Concat(a.judgeGroups(s, now), a.judgeProblems(s), a.judgePipes(now), a.judgeSettings(), a.judgeOwn(now))
		for _, l := range a.links {
			found = append(found, l.stands(now)...)
		}
		for i := range found {
			found[i].excuse(s, now)
		}
	}
	found = append(found, startup(s))
	if s.stopping {
		found = append(found, failure(private, "shutdown", "", "the service stops: what runs finishes, nothing new starts"))
	}
	if a.health.remember(found, now) {
		a.tellReadiness(found)
	}
	for i := range found {
		found[i].Fix = cmp.Or(found[i].Fix, remedy(found[i].Code))
	}
	slices.SortStableFunc(found, func(f, o finding) int {
		return cmp.Or(cmp.Compare(severity[f.Status], severity[o.Status]), cmp.Compare(f.Name, o.Name))
	})
	return found
}

// tellReadiness logs that the service is not ready any more, and why, or that it
// is again.
func (a *App) tellReadiness(found []finding) {
	var why []string
	for _, f := range found {
		if f.Status == CheckFail {
			why = append(why, f.error().Error())
		}
	}
	if len(why) == 0 {
		a.log.Info("service ready again")
		return
	}
	a.log.Warn("service not ready", "failing", why)
}

var severity = map[CheckStatus]int{CheckFail: 0, CheckWarn: 1, CheckOK: 2}

func remedy(code diag.Code) string {
	if code == "" {
		return ""
	}
	entry, _ := diag.Lookup(code)
	return entry.Fix
}

func startup(s standing) finding {
	if s.up {
		return okay("startup", "")
	}
	return failure(private, "startup", "", "%s", cmp.Or(s.stage, "the service has not begun to start"))
}

// excuse makes a warning of a failure that no other instance would be spared,
// in a service that was ready before.
func (f *finding) excuse(s standing, now time.Time) {
	if f.Status != CheckFail || f.class == private || !s.proved {
		return
	}
	if f.class == shared || f.link != nil && (s.sharing(f.link.alias) || f.link.path.excuses(f.link.path.view(), f.Since, now)) {
		f.Status = CheckWarn
	}
}

// stands is how one cluster stands, and the service with it.
func (l *link) stands(now time.Time) []finding {
	return l.found(slices.Concat(l.judgePath(l.path.view()), l.judgeRights(), l.judgeIdentity(now))...)
}

// judgePath is what is known of the cluster and of the service's topics.
func (l *link) judgePath(v view) []finding {
	switch {
	case len(v.topics) == 0 && v.err == nil && v.asked.IsZero():
		if len(l.uses()) == 0 {
			return nil // a service without topics
		}
		return []finding{failure(private, "cluster", "", "has not been asked for the service's topics yet")}
	case v.err != nil:
		d := l.diagnose(v.err)
		reason := "no answer"
		if !v.answered.IsZero() {
			reason = fmt.Sprintf("no answer since %s", v.answered.UTC().Format(time.RFC3339))
		}
		f := failure(shared, "cluster", diag.HealthClusterAway, "%s: %s", reason, d.Message)
		return []finding{f}
	}
	found := []finding{okay("cluster", "")}
	for _, topic := range slices.Sorted(maps.Keys(v.topics)) {
		found = append(found, judgeTopic(topic, v.topics[topic], l.env.Name))
	}
	return found
}

func judgeTopic(topic string, s topicState, env string) finding {
	name := "topic " + topic
	f := okay(name, "")
	switch {
	case s.missing > 1:
		f = failure(private, name, diag.HealthTopicGone, "does not exist any more (%s)", s.use.entry)
		f.Fix = fmt.Sprintf("run slipway apply -e %s, and find out who deleted it: its records are gone", env)
	case s.err != nil:
		f = failure(private, name, "", "%v", s.err)
	case len(s.leaderless) > 0:
		f = failure(shared, name, diag.HealthNoLeader, "no leader for %s", numbers(s.leaderless))
	case s.use.writes && len(s.short) > 0:
		f = failure(shared, name, diag.HealthTooFewInSync, "%d of %d replicas in sync for %s, too few to write", s.inSync, s.replicas, numbers(s.short))
	case s.use.writes && s.tight:
		f = warning(name, diag.ProducerReplicas, "no replica to spare: the next broker that goes away stops all writing")
	}
	f.Since = s.since
	return f
}

// numbers names partitions, not more than a few.
func numbers(ids []int32) string {
	const most = 5
	text := strings.Trim(strings.ReplaceAll(fmt.Sprint(ids[:min(len(ids), most)]), " ", ", "), "[]")
	switch {
	case len(ids) == 1:
		return "partition " + text
	case len(ids) > most:
		return fmt.Sprintf("partitions %s and %d more", text, len(ids)-most)
	}
	return "partitions " + text
}

// judgeProblems is what somebody has told of.
func (a *App) judgeProblems(s standing) []finding {
	var found []finding
	for _, of := range slices.SortedFunc(maps.Keys(s.problems), concern.compare) {
		p, name := s.problems[of], of.thing
		if of.group != "" && len(s.members) > 1 {
			name = "group " + of.group + ": " + name
		}
		f := failure(p.class, name, "", "%s", p.text)
		f.Since = p.since
		if of.cluster == "" {
			found = append(found, f)
			continue
		}
		found = append(found, a.linkOf(of.cluster).found(f)...)
	}
	return found
}

// judgeRights is which rights the cluster refuses.
func (l *link) judgeRights() []finding {
	lacking := l.denials.standing()
	if len(lacking) == 0 {
		return []finding{okay("rights", "")}
	}
	var found []finding
	for _, d := range lacking {
		e := d.err
		f := failure(private, fmt.Sprintf("right to %s %s %s", e.Operation, e.ResourceType, e.Resource), diag.RuntimeNotAuthorized, "%s does not have it: %v", e.Principal, e.Err)
		f.Fix, f.Since, f.err = e.Fix, d.since, e
		found = append(found, f)
	}
	return found
}

// judgeIdentity is whether the service can show who it is.
func (l *link) judgeIdentity(now time.Time) []finding {
	files := l.login.trusted()
	if files == nil || files.Status().Leaf == nil {
		return nil
	}
	status := files.Status()
	if err := status.Expired(now); err != nil {
		f := failure(private, "certificate", codeOf(err), "%v", err)
		f.err = fmt.Errorf("certificate: %w", err)
		return []finding{f}
	}
	if err := status.Scarce(now); err != nil {
		return []finding{warning("certificate", codeOf(err), "%v", err)}
	}
	return []finding{okay("certificate", "")}
}

// codeOf is the code of an error that has one.
func codeOf(err error) diag.Code {
	if all := diag.Of(err); len(all) > 0 {
		return all[0].Code
	}
	return ""
}
