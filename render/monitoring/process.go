package monitoring

import (
	"fmt"

	"github.com/slipway-go/slipway/contract"
)

// process adds the alerts on the instances themselves.
func (s *scope) process(svc *contract.Service) {
	up, other := s.series("up", flat("1")), s.series("up", flat("0"))
	s.alert(serviceAbsent, "absent("+s.of("up")+" == 1)", probe{[]series{other}, []series{up}, 10 * minute, nil})
	if w := svc.Workload; w != nil && w.Scale.Min > 1 {
		s.alert(instancesMissing, fmt.Sprintf("sum(%s) < %d", s.of("up"), w.Scale.Min),
			probe{[]series{up, s.second("up", flat("0"))}, s.instances(w.Scale.Min), 20 * minute, nil},
			because(svc, "workload/scale/min", "workload.scale.min is %d", w.Scale.Min))
	}
	check := func(status string) []series {
		return []series{s.series("slipway_health_check", flat("1"), `check="cluster"`, `status="`+status+`"`)}
	}
	s.alert(healthCheckFails, "max by (check) ("+s.of("slipway_health_check", `status="fail"`)+") > 0",
		probe{check("fail"), check("warn"), 10 * minute, map[string]string{"check": "cluster"}})
	s.plain(configRejected, "max", "slipway_config_rejected", "> 0", "1", "0")
	s.plain(configPending, "max", "slipway_config_pending", "> 0", "2", "0")
}

func (s *scope) second(metric, values string) series {
	return series{s.of(metric, `instance="10.0.0.2:8080"`), values}
}

func (s *scope) instances(n int) []series {
	var all []series
	for i := range n {
		all = append(all, series{s.of("up", fmt.Sprintf(`instance="10.0.1.%d:8080"`, i)), flat("1")})
	}
	return all
}

// rights adds the alert on what the cluster denies.
func (s *scope) rights() {
	right := []string{`operation="WRITE"`, `resource_type="topic"`, `resource="orders.v1"`, `topic="orders.v1"`}
	of := func(v string) []series { return []series{s.series("kafka_acl_missing", flat(v), right...)} }
	s.alert(aclDenied, "max by (operation, resource_type, resource) ("+s.of("kafka_acl_missing")+") == 1",
		probe{of("1"), of("0"), 5 * minute, map[string]string{"operation": "WRITE", "resource_type": "topic", "resource": "orders.v1"}})
}

const day = 24 * 60 * 60

// identity adds the alerts on certificates and passwords.
func (s *scope) identity(auth contract.Auth) {
	const expiry, lifetime = "slipway_certificate_expiry_seconds", "slipway_certificate_lifetime_seconds"
	own, authority := `which="own"`, `which="authority"`
	left := func(days int) []series {
		return []series{s.series(expiry, flat(fmt.Sprint(days*day)), own), s.series(lifetime, flat(fmt.Sprint(100*day)), own)}
	}
	share := "min(" + s.of(expiry, own) + " / " + s.of(lifetime, own) + ") < "
	if auth == contract.MTLS {
		s.alert(certificateEnds, share+"0.05", probe{left(4), left(6), 5 * minute, nil})
		s.alert(certificateNotRenewed, share+"0.2", probe{left(19), left(21), 90 * minute, nil})
	} else {
		s.password()
	}
	trusted := func(days int) []series { return []series{s.series(expiry, flat(fmt.Sprint(days*day)), authority)} }
	s.alert(authorityEnds, fmt.Sprintf("min(%s) < %d", s.of(expiry, authority), 90*day), probe{trusted(89), trusted(90), 90 * minute, nil})
	const failures = "slipway_certificate_reload_failures_total"
	s.alert(certificateReloadFails, s.grew("", failures)+" > 0",
		probe{[]series{s.series(failures, counting(1))}, []series{s.series(failures, flat("1"))}, 20 * minute, nil})
	s.plain(revocationListOverdue, "max", "slipway_certificate_revocation_overdue", "> 0", "1", "0")
}

func (s *scope) password() {
	which := func(metric, is, v string) []series { return []series{s.series(metric, flat(v), `which="`+is+`"`)} }
	s.alert(credentialFormer, "max("+s.of("slipway_credential", `which="former"`)+") == 1",
		probe{which("slipway_credential", "former", "1"), which("slipway_credential", "current", "1"), 10 * minute, nil})
	const refused = "slipway_credential_refused_total"
	s.alert(credentialRefused, s.grew("", refused)+" > 3",
		probe{[]series{s.series(refused, counting(1))}, []series{s.series(refused, flat("9"))}, 20 * minute, nil})
	s.alert(credentialUnreadable, "min("+s.of("slipway_credential_mounted", `which="current"`)+") == 0",
		probe{which("slipway_credential_mounted", "current", "0"), which("slipway_credential_mounted", "current", "1"), 10 * minute, nil})
}
