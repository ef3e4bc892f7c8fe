package importer

import (
	"regexp"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/plan"
)

// A File is one that an import writes.
type File struct {
	Path string // relative to the directory, with slashes
	Text []byte
}

// A Draft is what an import would write.
type Draft struct {
	Source   Source
	Services []Service
	Files    []File // sorted by path
	Items    []Item // what could not be expressed

	// Changes are what the first plan would do. There are none unless rights
	// were guessed.
	Changes []string
}

// A Service is a contract of the draft, in short.
type Service struct {
	Name      string `json:"name"`
	Principal string `json:"principal"`
	Owns      int    `json:"owns"`
	Produces  int    `json:"produces"`
	Consumes  int    `json:"consumes"`
}

// New drafts an estate from a snapshot. It fails if nothing of it can be
// expressed, and if what it makes does not go together with what is in the
// directory; the draft then holds the items alone.
func New(in *Snapshot, opt Options) (*Draft, error) {
	opt = opt.withDefaults()
	at, err := opt.surroundings(in)
	if err != nil {
		return nil, err
	}
	b := newBuilder(in, opt, at)
	for {
		e := b.build()
		if len(e.services) == 0 {
			return &Draft{Source: in.Source, Items: b.items(e, nil)},
				diag.New(diag.ImportNothing, "nothing that was read can be a contract")
		}
		files := b.render(e)
		resolved, err := b.judge(files)
		if err != nil {
			return &Draft{Source: in.Source, Items: b.items(e, nil)}, err
		}
		changes, err := b.compare(resolved)
		if err != nil {
			return &Draft{Source: in.Source, Items: b.items(e, nil)}, err
		}
		if changes = ours(e, changes); b.demote(changes) {
			continue
		}
		return b.finish(e, files, resolved, changes), nil
	}
}

func (b *builder) finish(e *estate, files []File, resolved *contract.Resolved, changes []plan.Change) *Draft {
	d := &Draft{Source: b.in.Source, Files: files, Items: b.items(e, resolved)}
	why := "the source lacks it"
	if b.opt.Expand {
		why = "it is not there by name; the contract has it because rights were expanded"
	}
	for _, c := range changes {
		d.Changes = append(d.Changes, c.String())
		d.Items = append(d.Items, Item{
			Code: diag.ImportChange, Principal: c.Service, What: c.String(),
			Why: why, Do: "look at it in the first plan, and take out of the contract what the service does not use",
		})
	}
	d.Items = sorted(d.Items)
	d.Files = append(d.Files, File{ReportFile, report(b.in.Source, d.Items)}, File{ReportJSON, reportJSON(d)})
	slices.SortFunc(d.Files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	for _, s := range e.services {
		d.Services = append(d.Services, Service{Name: s.name, Principal: s.principal, Owns: len(s.owns), Produces: len(s.produces), Consumes: len(s.readings)})
	}
	return d
}

// ours are the changes that follow from the draft, and not from contracts that
// were in the directory before.
func ours(e *estate, changes []plan.Change) []plan.Change {
	return slices.DeleteFunc(changes, func(c plan.Change) bool {
		return !slices.ContainsFunc(e.services, func(s *service) bool { return s.name == c.Service })
	})
}

// A builder makes an estate of a snapshot. What turned out not to be exact it
// remembers, and makes the next one without it.
type builder struct {
	in       *Snapshot
	opt      Options
	at       surroundings
	bindings []acl.Binding
	has      map[acl.Binding]bool
	rights   []*rights
	collided map[string]string // topic → the one that has its name in metrics

	identity *regexp.Regexp // of services in the environment
	offshoot *regexp.Regexp // topics that Slipway derives there

	unowned map[string]string // topic → why no contract can own it
	bare    map[string]string // service → why it has no derived topics
}

func newBuilder(in *Snapshot, opt Options, at surroundings) *builder {
	env := regexp.QuoteMeta(opt.Env)
	b := &builder{
		in: in, opt: opt, at: at, bindings: in.bindings(), has: map[acl.Binding]bool{},
		identity: regexp.MustCompile(`^svc-([a-z](?:[a-z0-9-]*[a-z0-9])?)-` + env + `$`),
		offshoot: regexp.MustCompile(`^(svc-[a-z](?:[a-z0-9-]*[a-z0-9])?-` + env + `)\..+\.(retry|dlq)$`),
		unowned:  map[string]string{}, bare: map[string]string{},
	}
	for _, bound := range b.bindings {
		b.has[bound] = true
	}
	b.rights = b.gather()
	b.collided = b.collisions()
	return b
}

// derived reports whether a topic is one that Slipway derives.
func (b *builder) derived(topic string) bool { return b.offshoot.MatchString(topic) }

// redriver reports whether a name is that of somebody who works on a service's
// dead letters.
func (b *builder) redriver(user string) bool {
	base, ok := strings.CutSuffix(user, "-redrive")
	return ok && b.identity.MatchString(base)
}

// collisions are topics that metrics could not tell from another one. The
// first by name stays.
func (b *builder) collisions() map[string]string {
	first, collided := map[string]string{}, map[string]string{}
	for _, topic := range b.mentioned() {
		name := strings.ReplaceAll(topic, ".", "_")
		if other, taken := first[name]; taken {
			collided[topic] = other
			continue
		}
		first[name] = topic
	}
	return collided
}

// mentioned are the topics that rights name, as contracts would, sorted. The
// ones that only exist come after them, because they can be left out.
func (b *builder) mentioned() []string {
	named, others := map[string]bool{}, map[string]bool{}
	add := func(into map[string]bool, topic string) {
		if logical, ok := strings.CutPrefix(topic, b.at.prefix); ok && topicName(logical) && !named[logical] {
			into[logical] = true
		}
	}
	for _, r := range b.rights {
		for _, topics := range []map[string]bool{r.reads, r.writes} {
			for topic := range topics {
				add(named, topic)
			}
		}
	}
	for topic := range b.in.Topics {
		add(others, topic)
	}
	return append(sortedKeys(named), sortedKeys(others)...)
}

// logical is a topic as contracts name it. It is not ok if none can.
func (b *builder) logical(topic string) (name string, ok bool) {
	name, ok = strings.CutPrefix(topic, b.at.prefix)
	if !ok || !topicName(name) || b.collided[name] != "" {
		return "", false
	}
	if _, exists := b.in.Topics[topic]; b.in.live() && !exists {
		return "", false
	}
	return name, true
}
