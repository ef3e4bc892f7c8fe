package config

import (
	"maps"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

// reserved are variables that mean something to a service and are no key.
var reserved = map[string]string{
	"ENVIRONMENT": "the environment's name", "CONFIG_PATH": "the directory of configuration files",
	"SECRETS_PATH": "the directory of secrets",
}

// Check judges the keys that a contract makes: that no setting takes the place
// of another key, and that no two keys share a variable.
func Check(svc *contract.Service) (list diag.List) {
	keys := KeysOf(svc)
	for _, name := range slices.Sorted(maps.Keys(svc.Config)) {
		if name == entries || within(name, entries) {
			list.Add(diag.New(diag.ConfigSettingName, "setting %s stands where entries are configured", name).
				At(svc.Position("config", name)).WithFix("rename it; service.%s is free", name))
			continue
		}
		for _, k := range keys {
			// Of two settings the longer one is told.
			if k.own && !within(name, k.Name) || !overlap(name, k.Name) {
				continue
			}
			list.Add(diag.New(diag.ConfigSettingName, "setting %s and key %s cannot both be in a file", name, k.Name).
				At(svc.Position("config", name)).WithFix("rename it; service.%s is free", name))
			break
		}
	}
	return append(list, clashes(svc, keys)...)
}

// within reports whether a key stands below another one.
func within(key, outer string) bool { return strings.HasPrefix(key, outer+".") }

func overlap(a, b string) bool { return a == b || within(a, b) || within(b, a) }

// clashes reports keys with a common variable or a common name.
func clashes(svc *contract.Service, keys []Key) (list diag.List) {
	owner, told := map[string]Key{}, map[string]bool{}
	for _, k := range keys {
		for _, name := range k.Variables {
			if meaning := reserved[name]; meaning != "" {
				list.Add(diag.New(diag.ConfigVariableClash, "%s is %s, and %s cannot have it", name, meaning, k.Name).
					At(k.position(svc)).WithFix("write another variable below env"))
			}
			other, taken := owner[name]
			owner[name] = k
			pair := other.home() + " " + k.home()
			if !taken || told[pair] || other.Name == k.Name {
				continue
			}
			told[pair] = true
			list.Add(diag.New(diag.ConfigVariableClash, "%s and %s have the same variable %s", other.Name, k.Name, name).
				At(k.position(svc)).WithEvidence("the other one is at %v", other.position(svc)))
		}
	}
	return list
}

// home is what two keys have in common that clash for one reason: their entry.
func (k Key) home() string {
	if k.entry != "" {
		return entries + " " + k.entry
	}
	return k.Name
}

// position is where the contract makes the key.
func (k Key) position(svc *contract.Service) diag.Position {
	if k.entry != "" {
		return svc.Position(entries, k.entry)
	}
	return svc.Position("config", k.Name)
}
