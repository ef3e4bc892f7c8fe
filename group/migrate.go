package group

import (
	"context"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/diag"
)

// Migrate says which group takes over from which.
type Migrate struct {
	From, To string // required

	// Replace lets the group lose the positions it has.
	Replace bool

	// Retry names the retry topic of each topic, as in [Seek].
	Retry map[string]string
}

// Migrate tells what it would take for a group to go on under another name,
// where Kafka by itself would begin anew: every position is copied, with
// epoch and metadata, retry topics included. [Admin.Apply] does it. Both must
// be at rest. The old group's positions stay until they expire.
func (a *Admin) Migrate(ctx context.Context, g Migrate) (*Move, error) {
	from, err := a.read(ctx, g.From)
	if err != nil {
		return nil, err
	}
	if err := a.known(ctx, from); err != nil {
		return nil, err
	}
	to, err := a.read(ctx, g.To, from.held()...)
	if err != nil {
		return nil, err
	}
	if err := g.guard(from, to); err != nil {
		return nil, err
	}
	m := a.newMove(ctx, "migrate", to)
	retry := valuesOf(retryTopics(from.held(), g.Retry))
	for at, p := range from.positions {
		if _, ok := to.topics[at.Topic]; !ok {
			m.note("topic %s does not exist any more: its positions are left behind", at.Topic)
			continue
		}
		step := m.step(to, at, p, "")
		p.Metadata, p.Offset = moved(p, step.To), step.To // unless it was brought within the log
		if step.Retry = slices.Contains(retry, at.Topic); step.Retry {
			step.will.Metadata = p.Metadata
		} else {
			step.will.Metadata = fenced(p, step.was)
		}
	}
	if len(m.Steps) == 0 {
		return nil, diag.New(diag.GroupNothing, "group %s has no position to copy", g.From)
	}
	m.note("give the service the right to READ group %s before it starts: change its contract and run slipway apply", g.To)
	m.note("positions of a group that nobody joins expire, after 7 days by default")
	m.note("group %s keeps its positions, so that it can go on as before if this is undone", g.From)
	return m.sorted(), nil
}

// guard refuses what would lose positions, or records that wait.
func (g Migrate) guard(from, to *state) error {
	if from.share() || to.share() {
		return refuse(diag.New(diag.GroupShare, "group %s cannot be copied to %s: one of them is a share group", g.From, g.To))
	}
	if err := empty(from.Membership); err != nil {
		return err
	}
	if err := empty(to.Membership); err != nil {
		return err
	}
	if len(to.positions) > 0 && !g.Replace {
		return refuse(diag.New(diag.GroupTaken, "group %s has positions in %s already", g.To, list(to.held(), 5)))
	}
	return g.waiting(from)
}

// waiting refuses to leave records behind: a retry topic that is named after
// the group is not the retry topic of the group's next name.
func (g Migrate) waiting(from *state) error {
	var left diag.List
	for _, topic := range valuesOf(retryTopics(from.held(), g.Retry)) {
		if n := from.waiting(topic); n > 0 && strings.HasPrefix(topic, g.From+".") {
			left.Add(diag.New(diag.GroupRetryWaiting, "up to %s in %s, which belongs to the name %s", count(n, "record waits", "records wait"), topic, g.From))
		}
	}
	slices.SortFunc(left, func(a, b diag.Diagnostic) int { return strings.Compare(a.Message, b.Message) })
	if len(left) > 0 {
		return refuse(left...)
	}
	return nil
}
