package slipway

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/slipway-go/slipway/config"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

// configured returns the entries of a contract as the settings make them, and
// what of it cannot be. What was written stays as it is.
//
// Settings say how an entry is consumed, never what it needs on the cluster:
// topics and rights were planned from the contract alone.
func configured(svc *contract.Service, written map[string]*contract.Consume, v *config.Values) (map[string]*contract.Consume, diag.List) {
	entries := make(map[string]*contract.Consume, len(written))
	var faults diag.List
	for _, name := range slices.Sorted(maps.Keys(written)) {
		p := policy{Consume: *written[name], values: v, at: svc.Position("consumes/" + name)}
		if p.Grouped() {
			p.settle()
		}
		entries[name] = &p.Consume
		faults = append(faults, p.faults...)
	}
	return entries, faults
}

// A policy is an entry on its way from the contract to what the settings make
// of it.
type policy struct {
	contract.Consume
	values *config.Values
	at     diag.Position // of the entry in the contract
	faults diag.List
}

func (p *policy) settle() {
	retried := p.Retries()
	now := tuningOf(p.values, p.Name)
	p.Concurrency, p.Bulkhead, p.Rate = *now.Concurrency, *now.Bulkhead, contract.Rate(*now.Rate)
	p.Timeout = time.Duration(*now.TimeoutMillis) * time.Millisecond
	if p.given("preset") != "" {
		p.Preset = contract.Preset(p.values.Text(p.key("preset")))
	}
	if p.given("breaker.failures", "breaker.open") != "" {
		p.breaker()
	}
	if first := p.given("retry.first", "retry.factor", "retry.max", "retry.attempts", "retry.budget"); first != "" {
		p.retry(first, retried)
	}
}

func (p *policy) key(setting string) string { return "consumes." + p.Name + "." + setting }

// given returns the first of some settings that something beside the contract
// gives, empty for none.
func (p *policy) given(settings ...string) string {
	for _, s := range settings {
		if p.values.Has(p.key(s)) {
			return s
		}
	}
	return ""
}

func (p *policy) breaker() {
	b := contract.Breaker{Probes: 1}
	if p.Breaker != nil {
		b = *p.Breaker
	}
	b.Failures = int(p.values.Int(p.key("breaker.failures")))
	b.Open = p.values.Duration(p.key("breaker.open"))
	p.Breaker = &b
}

// retry makes waits grow as the settings say, in place of what the contract has.
func (p *policy) retry(first string, retried bool) {
	b := contract.Backoff{
		First: p.values.Duration(p.key("retry.first")), Factor: p.values.Float(p.key("retry.factor")), Max: p.values.Duration(p.key("retry.max")),
		Attempts: int(p.values.Int(p.key("retry.attempts"))), Budget: p.values.Duration(p.key("retry.budget")),
	}
	p.Retry.Delays, p.Retry.Backoff = nil, &b
	switch {
	case b.First > b.Max:
		p.fault(cmp.Or(p.given("retry.first", "retry.max"), first), "the first wait, %v, is above the longest one, %v", b.First, b.Max).
			fix("make retry.first %v or less, or retry.max %v or more", b.Max, b.First)
	case b.Budget < b.First:
		p.fault(cmp.Or(p.given("retry.budget", "retry.first"), first), "the budget, %v, is below the first wait, %v", b.Budget, b.First).
			fix("make retry.budget %v or more", 2*b.First)
	case !retried && p.Retries():
		p.fault(first, "records would wait in a retry topic, and the contract gives the entry none").
			fix("take the setting out, or add retry: {backoff: {}} to the entry in the contract and apply it")
	case !retried && b.Max > p.Retry.InPlace:
		p.fault(cmp.Or(p.given("retry.max"), first), "waits of up to %v are spent in a retry topic, and the entry has none; without one they are %v at most", b.Max, p.Retry.InPlace).
			fix("make retry.max %v or less", p.Retry.InPlace)
	}
}

// remediable lets a fault be given its fix where it is found.
type remediable struct{ d *diag.Diagnostic }

func (r remediable) fix(format string, args ...any) { *r.d = r.d.WithFix(format, args...) }

// fault notes that a setting cannot have the value it has, and where that comes
// from.
func (p *policy) fault(setting, format string, args ...any) remediable {
	v := valueAt(p.values, p.key(setting))
	p.faults.Add(diag.New(diag.SettingsImpossible, "%s is %s: %s", v.Key, v.Text, fmt.Sprintf(format, args...)).
		At(p.at).WithEvidence("it comes from %s", v.Source))
	return remediable{&p.faults[len(p.faults)-1]}
}

// valueAt is a key with its value and where that comes from.
func valueAt(v *config.Values, key string) config.Value {
	all := v.All()
	if i := slices.IndexFunc(all, func(v config.Value) bool { return v.Key == key }); i >= 0 {
		return all[i]
	}
	return config.Value{Key: key}
}
