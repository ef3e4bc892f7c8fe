package kubernetes_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"testing"
)

// A party is one end of a connection: a pod, or an address outside of the cluster.
type party struct {
	namespace string // empty means an address
	labels    map[string]string
	address   netip.Addr
}

func (p party) String() string {
	if p.namespace == "" {
		return p.address.String()
	}
	return fmt.Sprintf("a pod of %s with %v", p.namespace, p.labels)
}

// A policy is a NetworkPolicy, with what the API says it means. Fields that are not
// here are a fault, so that nothing is passed over.
type policy struct {
	APIVersion string
	Kind       string
	Metadata   struct {
		Name, Namespace     string
		Labels, Annotations map[string]string
	}
	Spec struct {
		PodSelector     selector
		PolicyTypes     []string
		Ingress, Egress []trafficRule
	}
}

type trafficRule struct {
	From, To []trafficPeer
	Ports    []portRange
}

type trafficPeer struct {
	PodSelector, NamespaceSelector *selector
	IPBlock                        *struct {
		CIDR   netip.Prefix
		Except []netip.Prefix
	}
}

type portRange struct {
	Protocol string
	Port     *int // by number: what a name means is for the other pod to say
	EndPort  int
}

type selector struct{ MatchLabels map[string]string }

// policies are those among objects.
func policies(t *testing.T, objects []object) []policy {
	t.Helper()
	var all []policy
	for _, o := range objects {
		if o.kind() != "NetworkPolicy" {
			continue
		}
		data, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		var p policy
		decoder := json.NewDecoder(bytes.NewReader(data))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&p); err != nil {
			t.Fatalf("%s: %v", o, err)
		}
		all = append(all, p)
	}
	return all
}

// may reports whether one party may connect to a port of another one. The policies of
// both have to let it through.
func may(all []policy, from, to party, protocol string, port int) bool {
	return lets(all, "Egress", from, to, protocol, port) && lets(all, "Ingress", to, from, protocol, port)
}

// lets reports whether the policies that apply to a pod in a direction let a connection
// with another party through: one of them does, or none applies.
func lets(all []policy, direction string, pod, other party, protocol string, port int) bool {
	applies := false
	for _, p := range all {
		if pod.namespace == "" || p.Metadata.Namespace != pod.namespace || !p.directed(direction) || !p.Spec.PodSelector.selects(pod.labels) {
			continue
		}
		applies = true
		rules := p.Spec.Egress
		if direction == "Ingress" {
			rules = p.Spec.Ingress
		}
		if slices.ContainsFunc(rules, func(r trafficRule) bool { return r.lets(pod.namespace, other, protocol, port) }) {
			return true
		}
	}
	return !applies
}

// directed reports whether a policy is for a direction. Without types it is for ingress,
// and for egress if it has rules for that.
func (p policy) directed(direction string) bool {
	if len(p.Spec.PolicyTypes) == 0 {
		return direction == "Ingress" || len(p.Spec.Egress) > 0
	}
	return slices.Contains(p.Spec.PolicyTypes, direction)
}

// lets reports whether a rule has the other party and the port. Whoever names nobody
// means everybody, and likewise with ports.
func (r trafficRule) lets(own string, other party, protocol string, port int) bool {
	peers := slices.Concat(r.From, r.To)
	return (len(peers) == 0 || slices.ContainsFunc(peers, func(p trafficPeer) bool { return p.is(own, other) })) &&
		(len(r.Ports) == 0 || slices.ContainsFunc(r.Ports, func(p portRange) bool { return p.has(protocol, port) }))
}

// is reports whether a peer of a policy in a namespace is a party. Both selectors at
// once mean those pods of those namespaces; a selector of pods alone, the policy's own.
func (p trafficPeer) is(own string, other party) bool {
	if p.IPBlock != nil {
		return other.namespace == "" && p.IPBlock.CIDR.Contains(other.address) &&
			!slices.ContainsFunc(p.IPBlock.Except, func(x netip.Prefix) bool { return x.Contains(other.address) })
	}
	if other.namespace == "" || p.NamespaceSelector == nil && other.namespace != own {
		return false
	}
	return (p.NamespaceSelector == nil || p.NamespaceSelector.selects(map[string]string{"kubernetes.io/metadata.name": other.namespace})) &&
		(p.PodSelector == nil || p.PodSelector.selects(other.labels))
}

func (p portRange) has(protocol string, port int) bool {
	if p.Protocol != protocol && (p.Protocol != "" || protocol != "TCP") {
		return false
	}
	return p.Port == nil || port == *p.Port || *p.Port < port && port <= p.EndPort
}

// selects reports whether labels are those of a selector; an empty one selects all.
func (s selector) selects(labels map[string]string) bool {
	for name, value := range s.MatchLabels {
		if got, has := labels[name]; !has || got != value {
			return false
		}
	}
	return true
}

// What follows is judged by the words of the API's reference.
func TestANetworkPolicyMeansWhatTheAPISays(t *testing.T) {
	t.Parallel()
	web := party{namespace: "shop", labels: map[string]string{"app": "web"}}
	for name, tt := range map[string]struct {
		spec string // of a policy in namespace shop
		want string // who may connect to web at 80, of those below
	}{
		"no policy for the pod":          {`{"podSelector": {"matchLabels": {"app": "db"}}}`, "abc12"},
		"a policy without rules":         {`{"podSelector": {}}`, ""},
		"another direction":              {`{"podSelector": {}, "policyTypes": ["Egress"]}`, "c12"},
		"a rule that names nobody":       {`{"podSelector": {}, "ingress": [{}]}`, "abc12"},
		"all pods of the namespace":      {`{"podSelector": {}, "ingress": [{"from": [{"podSelector": {}}]}]}`, "ab"},
		"all pods of all namespaces":     {`{"podSelector": {}, "ingress": [{"from": [{"namespaceSelector": {}}]}]}`, "abc"},
		"pods by their labels":           {`{"podSelector": {}, "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "a"}}}]}]}`, "a"},
		"pods of a namespace, both":      {`{"podSelector": {}, "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "a"}}, "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "bank"}}}]}]}`, "c"},
		"one or the other":               {`{"podSelector": {}, "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "b"}}}, {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "bank"}}}]}]}`, "bc"},
		"a network with an exception":    {`{"podSelector": {}, "ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.2.0.0/16"]}}]}]}`, "1"},
		"the port, and another protocol": {`{"podSelector": {}, "ingress": [{"ports": [{"protocol": "UDP", "port": 80}, {"port": 81}]}]}`, ""},
		"a range of ports":               {`{"podSelector": {}, "ingress": [{"ports": [{"port": 1, "endPort": 80}]}]}`, "abc12"},
		"every port of a protocol":       {`{"podSelector": {}, "ingress": [{"from": [{"podSelector": {}}], "ports": [{"protocol": "TCP"}]}]}`, "ab"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := object{"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": map[string]any{"namespace": "shop"}, "spec": json.RawMessage(tt.spec)}
			all := policies(t, []object{o})
			got := ""
			for _, from := range []struct {
				name string
				party
			}{
				{"a", party{namespace: "shop", labels: map[string]string{"app": "a"}}},
				{"b", party{namespace: "shop", labels: map[string]string{"app": "b"}}},
				{"c", party{namespace: "bank", labels: map[string]string{"app": "a"}}},
				{"1", party{address: netip.MustParseAddr("10.1.0.1")}},
				{"2", party{address: netip.MustParseAddr("10.2.0.1")}},
			} {
				if may(all, from.party, web, "TCP", 80) {
					got += from.name
				}
			}
			if got != tt.want {
				t.Errorf("%q may connect, want %q", got, tt.want)
			}
		})
	}
}
