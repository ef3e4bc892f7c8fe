package kustomize

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/render/manifest"
)

// judge says what keeps the service from being rendered for its environment. All of
// it at once: whoever mends one thing wants to know of the others.
func (s *site) judge() diag.List {
	list := slices.Concat(s.judgeImage(), s.judgeState(), s.judgeNames())
	if w := s.svc.Workload; w.HTTP == 0 && w.GRPC == healthPort {
		list.Add(diag.New(diag.RenderHealthPort, "%s serves gRPC at %d, where it answers probes too, in environment %s", s.svc.Name, healthPort, s.env.Env).
			At(s.svc.Position("workload/grpc")))
	}
	return append(list, s.judgeNetwork()...)
}

// judgeNames refuses what two services would write under one name, or both read.
func (s *site) judgeNames() (list diag.List) {
	taken := func(other *contract.Service, kind, name string) {
		list.Add(diag.New(diag.RenderNameTaken, "%s and %s would both have the %s %s, in environment %s", s.svc.Name, other.Name, kind, name, s.env.Env).
			At(other.Position("metadata/name")))
	}
	mine := s.secrets()
	for _, other := range s.env.Services {
		if other.Workload == nil || !strings.HasPrefix(other.Name, s.svc.Name+"-") {
			continue // who has the shorter name judges for both
		}
		if s.stateful() && other.Name == instances(s.svc) {
			taken(other, "Service", other.Name)
		}
		if s.env.platform.Credentials.From == contract.FromVault && other.Name == s.svc.Name+"-vault" {
			taken(other, "NetworkPolicy", other.Name)
		}
		theirs := (&site{svc: other, env: s.env}).secrets()
		for _, name := range mine {
			if slices.Contains(theirs, name) {
				taken(other, "Secret", name)
			}
		}
	}
	return list
}

// secrets are what the Secrets with a service's logins are called.
func (s *site) secrets() (names []string) {
	for _, c := range s.logins() {
		names = append(names, s.svc.Name+"-"+c.Named("kafka"), s.svc.Name+"-"+c.Named("registry"))
	}
	return append(names, s.svc.Name+"-database", s.svc.Name+"-settings")
}

// judgeNetwork refuses to leave out of the network policy what the service needs.
func (s *site) judgeNetwork() (list diag.List) {
	for _, c := range s.logins() {
		list = append(list, s.judgeCluster(c)...)
	}
	return list
}

// elsewhere is what to do about a cluster that pods cannot reach.
func (s *site) elsewhere() string {
	fix := fmt.Sprintf("bind environment %s to a cluster with bootstrap addresses, or render another one", s.env.Env)
	if s.env.Clusters.Platforms[s.env.Env] != nil {
		fix += " and take this one out of platform, whose environments are all rendered"
	}
	return fix
}

func (s *site) judgeCluster(c manifest.Connection) (list diag.List) {
	name, env := c.Cluster.Name, s.env.Env
	position := s.env.Clusters.Position("clusters", name)
	if c.Bootstrap == "" {
		list.Add(diag.New(diag.RenderAddress, "cluster %s has no address that pods could reach for %s, in environment %s", cmp.Or(name, "of alias "+c.Alias), s.svc.AuthOn(name), env).
			At(s.env.Clusters.Position("environments", env)).
			WithFix("%s", s.elsewhere()))
		return list
	}
	if s.brokers(c) == nil {
		fix := fmt.Sprintf("add cidrs: [10.20.0.0/16] to cluster %s, or platform: {%s: {kafka: {namespace: kafka, pods: {…}}}}", name, env)
		list.Add(diag.New(diag.RenderBrokersNowhere, "nothing says where in the network the brokers of %s are, in environment %s", name, env).At(position).
			WithFix("%s", s.nowhere(c, fix)))
	}
	if c.Cluster.Registry != nil && s.registry(c) == nil {
		fix := fmt.Sprintf("add platform: {%s: {registry: {namespace: …}}}, or cidrs to cluster %s", env, name)
		list.Add(diag.New(diag.RenderRegistryNowhere, "nothing says where in the network the schema registry of %s is, in environment %s", name, env).At(position).
			WithFix("%s", s.nowhere(c, fix)))
	}
	return list
}

// nowhere is what to do for a cluster that is nowhere: what the platform says is about
// the default one.
func (s *site) nowhere(c manifest.Connection, home string) string {
	if c.Home {
		return home
	}
	return fmt.Sprintf("add cidrs: [10.20.0.0/16] to cluster %s: what platform.%s says is about %s, which alias default means",
		c.Cluster.Name, s.env.Env, cmp.Or(s.env.ClusterName(contract.DefaultAlias), "the cluster"))
}

// portOf is the port of an address with a scheme.
func portOf(address string) int {
	u, err := url.Parse(address)
	if err != nil {
		return 0
	}
	if port, err := strconv.Atoi(u.Port()); err == nil {
		return port
	}
	if u.Scheme == "https" {
		return 443
	}
	return 80
}
