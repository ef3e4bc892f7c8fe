package kustomize

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/render/manifest"
)

// judge says what keeps the service from being rendered for its environment. All of
// it at once: whoever mends one thing wants to know of the others.
func (s *site) judge() diag.List {
	list := slices.Concat(s.judgeImage(), s.judgeState())
	clusters := s.clusters()
	if len(clusters) > 1 {
		list.Add(diag.New(diag.RenderClusters, "%s uses the clusters %s, and its variables name one, in environment %s", s.svc.Name, strings.Join(clusters, " and "), s.env.Env).
			At(s.svc.Position("metadata/name")))
	}
	if w := s.svc.Workload; w.HTTP == 0 && w.GRPC == healthPort {
		list.Add(diag.New(diag.RenderHealthPort, "%s serves gRPC at %d, where it answers probes too, in environment %s", s.svc.Name, healthPort, s.env.Env).
			At(s.svc.Position("workload/grpc")))
	}
	return append(list, s.judgeNetwork()...)
}

// judgeNetwork refuses to leave out of the network policy what the service needs.
func (s *site) judgeNetwork() (list diag.List) {
	p := s.env.platform
	name := s.cluster()
	known := s.env.Cluster(name)
	position := s.env.Clusters.Position("clusters", name)
	if manifest.Bootstrap(s.env.Resolved, s.svc, name) == "" {
		list.Add(diag.New(diag.RenderAddress, "cluster %s has no address that pods could reach for %s, in environment %s", name, s.svc.AuthOn(name), s.env.Env).
			At(s.env.Clusters.Position("environments", s.env.Env)).
			WithFix("bind environment %s to a cluster with bootstrap addresses, or take it out of platform and render another one", s.env.Env))
		return list
	}
	if p.Kafka == nil && len(known.CIDRs) == 0 {
		list.Add(diag.New(diag.RenderBrokersNowhere, "nothing says where in the network the brokers of %s are, in environment %s", name, s.env.Env).At(position).
			WithFix("add cidrs: [10.20.0.0/16] to cluster %s, or platform: {%s: {kafka: {namespace: kafka, pods: {…}}}}", name, s.env.Env))
	}
	if known.Registry != nil && p.Registry == nil && len(known.CIDRs) == 0 {
		list.Add(diag.New(diag.RenderRegistryNowhere, "nothing says where in the network the schema registry of %s is, in environment %s", name, s.env.Env).At(position).
			WithFix("add platform: {%s: {registry: {namespace: …}}}, or cidrs to cluster %s", s.env.Env, name))
	}
	return list
}

// clusters are the Kafka clusters that the service uses, by their names.
func (s *site) clusters() []string {
	var all []string
	for _, alias := range s.aliases() {
		all = append(all, s.env.ClusterName(alias))
	}
	slices.Sort(all)
	return slices.Compact(all)
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
