package acl

import (
	"regexp"
	"strings"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

// A KafkaUser is the object by which Strimzi's user operator makes a user and
// its rights.
type KafkaUser struct {
	APIVersion string       `json:"apiVersion"`
	Kind       string       `json:"kind"`
	Metadata   userMetadata `json:"metadata"`
	Spec       userSpec     `json:"spec"`
}

// userMetadata names a KafkaUser and the Kafka it belongs to.
type userMetadata struct {
	Name   string            `json:"name"`
	Labels map[string]string `json:"labels"`
}

// userSpec says how the user logs in and what it may do. Without
// Authentication the operator makes no credential.
type userSpec struct {
	Authentication *userLogin        `json:"authentication,omitempty"`
	Authorization  userAuthorization `json:"authorization"`
}

// userLogin is how a user proves who it is, by the name Strimzi has for it.
type userLogin struct {
	Type string `json:"type"`
}

// userAuthorization is rights as ACLs.
type userAuthorization struct {
	Type string    `json:"type"`
	ACLs []userACL `json:"acls"`
}

// userACL is the operations on one resource.
type userACL struct {
	Type       string       `json:"type"`
	Resource   userResource `json:"resource"`
	Operations []string     `json:"operations"`
	Host       string       `json:"host"`
}

// userResource is what an ACL is about. A cluster has neither name nor
// pattern.
type userResource struct {
	Type        string `json:"type"`
	Name        string `json:"name,omitempty"`
	PatternType string `json:"patternType,omitempty"`
}

// strimziTypes are the resources that Strimzi's simple authorization knows.
var strimziTypes = map[ResourceType]string{Topic: "topic", Group: "group", TransactionalID: "transactionalId", Cluster: "cluster"}

// dnsName is what Kubernetes takes as the name of a KafkaUser, and what fits
// a certificate's common name.
var dnsName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9.]{0,62}[a-z0-9])?$`)

// KafkaUsers returns the grants of one cluster as objects for Strimzi, one for
// each principal. The list warns of users that Strimzi would let in otherwise
// than their contracts say; what it cannot express at all is an error, and then
// there are no objects, because a part of the rights would look like all of
// them.
//
// Strimzi's principal of a certificate is User:CN=<name>, and of a password
// User:<name>. A principal that is of neither form, or belongs to no service of
// the estate, gets rights and no credential.
func KafkaUsers(r *contract.Resolved, cluster string, grants []Grant) ([]KafkaUser, diag.List) {
	auths := credentials(r, cluster)
	var users []KafkaUser
	var faults diag.List
	last := ""
	for _, same := range stacked(bindingsOf(grants)) {
		if principal := same[0].Principal; principal != last {
			user, list := newKafkaUser(principal, auths[principal], cluster)
			users, faults, last = append(users, user), append(faults, list...), principal
		}
		rule, err := newUserACL(same)
		if err != nil {
			faults = append(faults, diag.Of(err)...)
			continue
		}
		acls := &users[len(users)-1].Spec.Authorization.ACLs
		*acls = append(*acls, rule)
	}
	if faults.Failed() {
		return nil, faults
	}
	return users, faults
}

func bindingsOf(grants []Grant) []Binding {
	bindings := make([]Binding, len(grants))
	for i, g := range grants {
		bindings[i] = g.Binding
	}
	return bindings
}

// credentials are the ways in which the estate's principals log in.
func credentials(r *contract.Resolved, cluster string) map[string]contract.Auth {
	all := map[string]contract.Auth{}
	for _, svc := range r.Services {
		all[svc.Principal()] = svc.AuthOn(cluster)
		all[svc.RedrivePrincipal()] = svc.AuthOn(cluster)
	}
	return all
}

func newKafkaUser(principal string, auth contract.Auth, cluster string) (KafkaUser, diag.List) {
	user, isUser := strings.CutPrefix(principal, "User:")
	name, certified := strings.CutPrefix(user, "CN=")
	certified = certified && (auth == contract.MTLS || auth == "")
	var list diag.List
	if !isUser || !dnsName.MatchString(name) || user != name && !certified {
		list.Add(diag.New(diag.ACLNoKafkaUser, "no KafkaUser can have the principal %s", principal))
	}
	u := KafkaUser{
		APIVersion: "kafka.strimzi.io/v1", Kind: "KafkaUser",
		Metadata: userMetadata{Name: name, Labels: map[string]string{"strimzi.io/cluster": cluster}},
		Spec:     userSpec{Authorization: userAuthorization{Type: "simple"}},
	}
	switch {
	case certified:
		u.Spec.Authentication = &userLogin{"tls"}
	case auth == contract.MTLS:
		u.Spec.Authentication = &userLogin{"tls"}
		list.Add(diag.Warn(diag.ACLOtherCredential, "the certificate that Strimzi makes for %s has the principal User:CN=%s", principal, name).
			WithFix("write adopt: {principal: CN=%s} in its contract, so that both mean the same", name))
	case auth == contract.SCRAMSHA512:
		u.Spec.Authentication = &userLogin{"scram-sha-512"}
	case auth != "":
		list.Add(diag.Warn(diag.ACLOtherCredential, "Strimzi makes no credential for %s, which logs in with %s", principal, auth).
			WithFix("write identity: {auth: scram-sha-512} in its contract, or let slipway apply make the user"))
	}
	return u, list
}

func newUserACL(same []Binding) (userACL, error) {
	b := same[0]
	rule := userACL{Type: strings.ToLower(string(b.Permission)), Resource: userResource{Type: strimziTypes[b.ResourceType]}, Host: b.Host}
	if rule.Resource.Type == "" {
		return rule, diag.New(diag.ACLNoKafkaUser, "no KafkaUser can have a right on %s %s", b.ResourceType, b.Name)
	}
	if b.ResourceType != Cluster {
		rule.Resource.Name, rule.Resource.PatternType = b.Name, "literal"
		if b.Pattern == Prefixed {
			rule.Resource.PatternType = "prefix"
		}
	}
	for _, each := range same {
		rule.Operations = append(rule.Operations, pascal(each.Operation))
	}
	return rule, nil
}
