package strimzi

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/plan"
	"github.com/slipway-go/slipway/render/manifest"
)

// A login is a principal as Strimzi has users.
type login struct {
	service   *contract.Service // nil if it is no service's
	user      string            // without "User:"
	principal string
	redrive   bool
}

// users are the principals that contracts know, with the rights of each, and no
// others: the operator takes away what a KafkaUser does not list.
func (d *derivation) users() error {
	rights, faults := acl.KafkaUsers(d.estate, d.platform.Strimzi.Cluster, d.want.Grants)
	if faults.Failed() {
		return faults.Err()
	}
	logins := d.logins()
	byName := make(map[string]acl.KafkaUser)
	for _, u := range rights {
		byName[u.Metadata.Name] = u
	}
	for _, name := range slices.Sorted(maps.Keys(logins)) {
		if !objectName.MatchString(name) {
			return diag.New(diag.ACLNoKafkaUser, "no KafkaUser can have the principal %s", logins[name].principal).At(logins[name].service.Position("adopt/principal"))
		}
		d.user(name, logins[name], byName[name])
	}
	for _, u := range rights {
		if _, known := logins[u.Metadata.Name]; !known {
			d.connect(u)
		}
	}
	return nil
}

// logins are the services that come to the cluster, and those who work on their dead
// letters, by the name that Strimzi has for each.
func (d *derivation) logins() map[string]login {
	all := make(map[string]login)
	granted := make(map[string]bool)
	for _, g := range d.want.Grants {
		granted[g.Principal] = true
	}
	for _, svc := range d.estate.Services {
		if d.here(svc) {
			all[strimziName(svc.User())] = login{svc, svc.User(), svc.Principal(), false}
		}
		if granted[svc.RedrivePrincipal()] {
			all[svc.RedriveUser()] = login{svc, svc.RedriveUser(), svc.RedrivePrincipal(), true}
		}
	}
	return all
}

// here reports whether a service logs in to the cluster, be it without any right.
func (d *derivation) here(svc *contract.Service) bool {
	return slices.ContainsFunc(svc.Aliases(), func(alias string) bool { return d.estate.ClusterName(alias) == d.cluster.Name })
}

// strimziName is what Strimzi calls a user, whose certificate has CN= before it.
func strimziName(user string) string { return strings.TrimPrefix(user, "CN=") }

func (d *derivation) user(name string, l login, rights acl.KafkaUser) {
	auth, note := d.authentication(l, name)
	spec := manifest.Map{
		manifest.E("authentication", auth),
		manifest.E("authorization", manifest.Map{manifest.E("type", "simple"), manifest.E("acls", d.rules(l.principal, rights))}),
		manifest.E("quotas", d.quotas(l)),
	}
	object := d.object("KafkaUser", name, manifest.Labels(l.service))
	d.add("users/"+name+".yaml", note, append(object, manifest.E("spec", spec)))
}

// rules are rights, each with the contract entries that call for it.
func (d *derivation) rules(principal string, rights acl.KafkaUser) []manifest.Map {
	rules := []manifest.Map{}
	for _, rule := range rights.Spec.Authorization.ACLs {
		why := d.why(right{principal, rule.Resource.Type, rule.Resource.Name, rule.Resource.PatternType})
		rules = append(rules, manifest.Map{
			manifest.E("resource", manifest.Map{
				manifest.E("type", rule.Resource.Type), manifest.E("name", rule.Resource.Name), manifest.E("patternType", rule.Resource.PatternType),
			}).From("%s", why),
			manifest.E("operations", rule.Operations),
			manifest.E("type", rule.Type),
			manifest.E("host", rule.Host),
		})
	}
	return rules
}

// authentication is how the user logs in, and what is to be said of it. Certificates
// that cert-manager, a store or Vault has made are external to Strimzi; a password of
// theirs is read from a Secret, so that there is one only.
func (d *derivation) authentication(l login, name string) (auth any, note string) {
	how := l.service.AuthOn(d.cluster.Name)
	from := d.platform.Credentials.From
	place := manifest.At(l.service, "identity/auth")
	note = "Who service " + l.service.Name + " is in Kafka."
	if l.redrive {
		note = "Who works on the dead letters of service " + l.service.Name + ": an operator, not the service."
	}
	external := from != contract.FromSecret
	switch {
	case how == contract.MTLS && external:
		note += "\nThe certificate comes from " + string(from) + ", and brokers have to trust its authority as the clients' CA."
		auth = manifest.Map{manifest.E("type", "tls-external").From("%s", place)}
	case how == contract.MTLS:
		note += "\nThe operator writes a certificate into Secret " + name + " of this namespace: user.crt, user.key."
		auth = manifest.Map{manifest.E("type", "tls").From("%s", place)}
	case how == contract.SCRAMSHA512 && !l.redrive && (from == contract.FromExternalSecrets || from == contract.FromVault):
		note += "\nThe password comes from " + string(from) + ": put the same one into Secret " + name + "-password of this namespace."
		auth = manifest.Map{manifest.E("type", "scram-sha-512").From("%s", place), manifest.E("password", fromSecret(name+"-password", "password"))}
	case how == contract.SCRAMSHA512:
		note += "\nThe operator writes a password into Secret " + name + " of this namespace: password."
		auth = manifest.Map{manifest.E("type", "scram-sha-512").From("%s", place)}
	default:
		note += fmt.Sprintf("\nIt logs in with %s, for which Strimzi makes no credential: its rights are here, its password is not.", how)
	}
	if how == contract.MTLS && l.user == name {
		note += "\nBrokers of Strimzi call it User:CN=" + name + ", and slipway plan calls it " + l.principal + "."
	}
	return auth, note
}

func fromSecret(name, key string) manifest.Map {
	return manifest.Map{manifest.E("valueFrom", manifest.Map{manifest.E("secretKeyRef", manifest.Map{
		manifest.E("name", name), manifest.E("key", key),
	})})}
}

// A right is what one rule of a KafkaUser is about.
type right struct{ principal, kind, name, pattern string }

// why are the contract entries that rights on a resource follow from.
func (d *derivation) why(of right) string {
	reasons := slices.SortedFunc(slices.Values(d.reasons[of]), acl.Reason.Compare)
	return because(slices.Compact(reasons))
}

// reasons are those of all rights, in Strimzi's words.
func reasons(grants []acl.Grant) map[right][]acl.Reason {
	kinds := map[acl.ResourceType]string{acl.Topic: "topic", acl.Group: "group", acl.TransactionalID: "transactionalId"}
	patterns := map[acl.Pattern]string{acl.Literal: "literal", acl.Prefixed: "prefix"}
	all := make(map[right][]acl.Reason)
	for _, g := range grants {
		of := right{g.Principal, kinds[g.ResourceType], g.Name, patterns[g.Pattern]}
		all[of] = append(all[of], g.Reasons...)
	}
	return all
}

// quotaKeys are Strimzi's words for Kafka's.
var quotaKeys = []struct{ kafka, strimzi string }{
	{kafka.QuotaProduce, "producerByteRate"}, {kafka.QuotaConsume, "consumerByteRate"}, {kafka.QuotaRequests, "requestPercentage"},
}

func (d *derivation) quotas(l login) any {
	i := slices.IndexFunc(d.want.Quotas, func(q plan.Quota) bool { return q.User == l.user })
	if i < 0 {
		return nil
	}
	var m manifest.Map
	for _, key := range quotaKeys {
		if limit, found := d.want.Quotas[i].Limits[key.kafka]; found {
			m = append(m, manifest.E(key.strimzi, int64(limit)).From("%s", manifest.At(l.service, "quotas")))
		}
	}
	return m
}
