package contract

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/diag"
)

// Validate judges the contracts together, as written and in every environment
// of clusters.yaml. It does not repeat what [Load] reported. The list is
// sorted by place.
func (e *Estate) Validate() diag.List {
	v := newValidation(e)
	v.services()
	v.topics()
	for _, s := range e.Services {
		v.produces(s)
		v.consumes(s)
	}
	v.externalReaders()
	for _, env := range e.environments() {
		v.environment(env)
	}
	v.list.Sort()
	return v.list
}

// environments are those that clusters.yaml lists, and those that only
// contracts know: their overlays are judged too.
func (e *Estate) environments() []string {
	all := slices.Collect(maps.Keys(e.Clusters.Environments))
	for _, s := range e.Services {
		all = append(all, s.Environments...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// An owned is a topic with its owner; external ones have no service.
type owned struct {
	service  *Service
	topic    *Topic
	external *ExternalTopic
}

// validation is one run over an estate.
type validation struct {
	estate  *Estate
	names   []string         // of services
	topic   map[string]owned // by name
	written map[string]bool  // topics that somebody produces
	seen    map[string]bool  // what has been told
	list    diag.List
}

func newValidation(e *Estate) *validation {
	v := &validation{estate: e, topic: map[string]owned{}, written: map[string]bool{}, seen: map[string]bool{}}
	for _, s := range e.Services {
		v.names = append(v.names, s.Name)
		for _, d := range s.source.faults {
			v.seen[fingerprint(d)] = true
		}
		for topic := range s.Produces {
			v.written[topic] = true
		}
	}
	for name, t := range e.External.Topics {
		v.topic[name] = owned{external: t}
	}
	return v
}

func fingerprint(d diag.Diagnostic) string { return string(d.Code) + " " + d.Position.String() }

// add keeps a diagnostic unless its kind was told of its place before: what is
// wrong in one environment often is in all, and should be read once.
func (v *validation) add(list ...diag.Diagnostic) {
	for _, d := range list {
		if key := fingerprint(d); !v.seen[key] {
			v.seen[key] = true
			v.list.Add(d)
		}
	}
}

// services judges that names are not used twice, and collects who owns what.
func (v *validation) services() {
	first := map[string]*Service{}
	for _, s := range v.estate.Services {
		if other := first[s.Name]; other != nil {
			v.add(diag.New(diag.EstateDuplicateService, "service %s is also the name of %s", s.Name, other.File()).
				At(s.Position("metadata/name")).WithEvidence("first at %v", other.Position("metadata/name")))
			v.inherit(s)
			continue
		}
		first[s.Name] = s
		for _, name := range slices.Sorted(maps.Keys(s.Topics)) {
			v.own(s, s.Topics[name])
		}
		v.unusedEnvironments(s)
	}
}

// inherit makes a service whose name is taken the owner of what nobody else
// owns: that nobody did would not be true, and its name has been told.
func (v *validation) inherit(s *Service) {
	for name, t := range s.Topics {
		if _, taken := v.topic[name]; !taken {
			v.topic[name] = owned{service: s, topic: t}
		}
	}
}

func (v *validation) own(s *Service, t *Topic) {
	element := "topics/" + t.Name
	switch other, twice := v.topic[t.Name]; {
	case twice && other.service != nil:
		v.add(diag.New(diag.EstateTwoOwners, "topic %s is owned by %s and by %s", t.Name, other.service.Name, s.Name).
			At(s.Position(element)).WithEvidence("the other owner is at %v", other.service.Position(element)))
	case twice:
		v.add(diag.New(diag.EstateTwoOwners, "topic %s is owned by %s, and %s says that others own it", t.Name, s.Name, ExternalFile).
			At(s.Position(element)).WithEvidence("listed at %v", v.estate.External.Position(element)))
	default:
		v.topic[t.Name] = owned{service: s, topic: t}
	}
}

func (v *validation) unusedEnvironments(s *Service) {
	if v.estate.Clusters.source.root == nil {
		return
	}
	known := slices.Sorted(maps.Keys(v.estate.Clusters.Environments))
	for _, env := range s.Environments {
		if slices.Contains(known, env) {
			continue
		}
		d := diag.Warn(diag.EstateUnusedEnvironment, "%s does not list environment %s", ClustersFile, env).At(s.Position("environments", env))
		if near := nearest(env, known); near != "" {
			d = d.WithFix("did you mean %s?", near)
		}
		v.add(d)
	}
}

// topics judges the names of all topics, and whom their owners name.
func (v *validation) topics() {
	metrics := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(v.topic)) {
		o := v.topic[name]
		if other, twice := metrics[metricName(name)]; twice {
			at := o
			if at.service == nil {
				at = v.topic[other]
			}
			v.add(diag.New(diag.EstateMetricCollision, "%s and %s are both %s in metrics", other, name, metricName(name)).At(v.place(at)))
		}
		metrics[metricName(name)] = name
		if o.service != nil {
			v.ownedTopic(o.service, o.topic)
		}
	}
}

func (v *validation) place(o owned) diag.Position {
	if o.service != nil {
		return o.service.Position("topics", o.topic.Name)
	}
	return v.estate.External.Position("topics", o.external.Name)
}

func (v *validation) ownedTopic(s *Service, t *Topic) {
	element := "topics/" + t.Name
	reserved := strings.HasPrefix(t.Name, "svc-") || strings.HasPrefix(t.Name, "__")
	if rule := v.estate.Clusters.TopicNaming; rule != nil && !reserved && !rule.MatchString(t.Name) {
		v.add(diag.New(diag.EstateNaming, "topic %s does not match %s", t.Name, rule).At(s.Position(element)))
	}
	if !v.written[t.Name] && !v.estate.partial {
		v.add(diag.Warn(diag.EstateNoWriter, "%s owns %s, but no service produces it", s.Name, t.Name).At(s.Position(element)).
			WithFix("add %s to produces of %s", t.Name, s.Name))
	}
	for _, list := range []struct {
		key      string
		services []string
	}{{"readers", t.Readers}, {"writers", t.Writers}} {
		for i, name := range list.services {
			if slices.Contains(v.names, name) || v.estate.partial {
				continue
			}
			d := diag.Warn(diag.EstateUnknownService, "%s of %s lists %s, which the estate does not have", list.key, t.Name, name).
				At(s.Position(fmt.Sprintf("%s/%s/%d", element, list.key, i)))
			if near := nearest(name, v.names); near != "" {
				d = d.WithFix("did you mean %s?", near)
			}
			v.add(d)
		}
	}
}

// produces judges that a service writes only what it may.
func (v *validation) produces(s *Service) {
	for _, name := range slices.Sorted(maps.Keys(s.Produces)) {
		element := "produces/" + name
		o, found := v.topic[name]
		switch {
		case !found:
			v.unowned(s, element, name)
		case o.of(s):
		case o.service != nil && !slices.Contains(o.topic.Writers, s.Name):
			v.add(diag.New(diag.EstateForeignWriter, "%s writes %s, which %s owns", s.Name, name, o.service.Name).
				At(s.Position(element)).WithEvidence("owned at %v", v.place(o)).
				WithFix("add writers: [%s] to the topic at %v, or write to a topic of %s", s.Name, v.place(o), s.Name))
		case o.external != nil && o.external.Writers != nil && !slices.Contains(o.external.Writers, s.Name):
			v.add(diag.New(diag.EstateForeignWriter, "%s writes %s, whose external owner does not list it", s.Name, name).
				At(s.Position(element)).WithEvidence("listed at %v", v.place(o)))
		}
	}
}

// consumes judges that a service reads only what there is and what it may.
func (v *validation) consumes(s *Service) {
	for _, name := range slices.Sorted(maps.Keys(s.Consumes)) {
		c := s.Consumes[name]
		element := "consumes/" + name
		o, found := v.topic[c.Topic]
		if !found {
			v.unowned(s, element, c.Topic)
			continue
		}
		if readers := o.readers(); readers != nil && !o.of(s) && !slices.Contains(readers, s.Name) {
			v.add(diag.New(diag.EstateReader, "%s reads %s, whose owner does not list it as a reader", s.Name, c.Topic).
				At(s.Position(element)).WithEvidence("readers are listed at %v", v.place(o)).
				WithFix("add %s to readers at %v", s.Name, v.place(o)))
		}
		if theirs := o.schema(); c.Schema != nil && theirs != nil && c.Schema.Format != "" && theirs.Format != "" && c.Schema.Format != theirs.Format {
			v.add(diag.New(diag.EstateSchemaFormat, "%s reads %s as %s, and its owner writes %s", s.Name, c.Topic, c.Schema.Format, theirs.Format).
				At(s.Position(element, "schema")).WithEvidence("owned at %v", v.place(o)))
		}
		if o.service == nil {
			continue
		}
		if c.As == Stream && c.Order == ByKey && o.topic.Key.Field == "" {
			v.add(diag.Warn(diag.EstateUnkeyed, "%s reads %s in order of keys, and the topic has none", s.Name, c.Topic).
				At(s.Position(element, "order")).WithEvidence("owned at %v", v.place(o)))
		}
	}
}

// of reports whether the topic is the service's. One that another contract
// owns too, or whose owner has the service's name, counts as its own: that has
// been told, and what rights would follow is not known before it is settled.
func (o owned) of(s *Service) bool {
	return o.service != nil && o.service.Name == s.Name || s.Topics[o.name()] != nil
}

func (o owned) name() string {
	if o.service != nil {
		return o.topic.Name
	}
	return o.external.Name
}

func (o owned) readers() []string {
	if o.service != nil {
		return o.topic.Readers
	}
	return o.external.Readers
}

func (o owned) schema() *Schema {
	if o.service != nil {
		return o.topic.Schema
	}
	return o.external.Schema
}

// unowned reports a topic without owner, unless a file that could not be read
// may own it.
func (v *validation) unowned(s *Service, element, topic string) {
	if v.estate.partial {
		return
	}
	d := diag.New(diag.EstateUnownedTopic, "nobody owns %s, which %s names", topic, s.Name).At(s.Position(element))
	if near := nearest(topic, slices.Sorted(maps.Keys(v.topic))); near != "" {
		d = d.WithFix("did you mean %s? else let a service own it, or list it in %s", near, ExternalFile)
	}
	v.add(d)
}
