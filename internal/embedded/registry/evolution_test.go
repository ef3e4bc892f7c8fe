package registry_test

import "strings"

// evolution is an old schema, a new one, and whether the new one reads old
// values and the old one new values.
type evolution struct {
	old, new          string
	backward, forward bool
}

// levels are what each level asks of an evolution.
var levels = map[string]func(evolution) bool{
	"NONE":                func(evolution) bool { return true },
	"BACKWARD":            func(e evolution) bool { return e.backward },
	"BACKWARD_TRANSITIVE": func(e evolution) bool { return e.backward },
	"FORWARD":             func(e evolution) bool { return e.forward },
	"FORWARD_TRANSITIVE":  func(e evolution) bool { return e.forward },
	"FULL":                func(e evolution) bool { return e.backward && e.forward },
	"FULL_TRANSITIVE":     func(e evolution) bool { return e.backward && e.forward },
}

// avroField is a record with one field f, its type and what else it says.
func avroField(attributes string) string {
	return `{"type":"record","name":"R","fields":[{"name":"f",` + attributes + `}]}`
}

func avroLevels(p peer) {
	none := `{"type":"record","name":"R","fields":[]}`
	enum := func(symbols string) string {
		return avroField(`"type":{"type":"enum","name":"E","symbols":[` + symbols + `]}`)
	}
	p.evolve("", map[string]evolution{
		"field with default added":    {none, avroField(`"type":"int","default":1`), true, true},
		"field without default added": {none, avroField(`"type":"int"`), false, true},
		"field without default gone":  {avroField(`"type":"int"`), none, true, false},
		"int to long":                 {avroField(`"type":"int"`), avroField(`"type":"long"`), true, false},
		"string to bytes":             {avroField(`"type":"string"`), avroField(`"type":"bytes"`), true, true},
		"int to string":               {avroField(`"type":"int"`), avroField(`"type":"string"`), false, false},
		"made nullable":               {avroField(`"type":"int"`), avroField(`"type":["null","int"]`), true, false},
		"symbol added":                {enum(`"A"`), enum(`"A","B"`), true, false},
		"nested in an array": {
			avroField(`"type":{"type":"array","items":"int"}`),
			avroField(`"type":{"type":"array","items":"string"}`), false, false,
		},
		"documentation alone": {avroField(`"type":"int"`), avroField(`"type":"int","doc":"the f"`), true, true},
	})
}

func jsonLevels(p peer) {
	typed := func(schema string) string {
		return `{"type":"object","properties":{"f":` + schema + `},"additionalProperties":false}`
	}
	cases := map[string]evolution{
		"closed, optional added":  {closed1, closed2, true, false},
		"closed, required added":  {closed1, closed3, false, false},
		"closed, now required":    {closed2, closed3, false, true},
		"open, optional added":    {open1, open2, false, true},
		"closed, opened":          {closed1, open1, true, false},
		"integer to number":       {typed(`{"type":"integer"}`), typed(`{"type":"number"}`), true, false},
		"string to integer":       {typed(`{"type":"string"}`), typed(`{"type":"integer"}`), false, false},
		"maxLength raised":        {typed(`{"type":"string","maxLength":3}`), typed(`{"type":"string","maxLength":4}`), true, false},
		"enum grown":              {typed(`{"type":"string","enum":["a"]}`), typed(`{"type":"string","enum":["a","b"]}`), true, false},
		"description alone":       {typed(`{"type":"string"}`), typed(`{"type":"string","description":"the f"}`), true, true},
		"items changed in a list": {typed(`{"type":"array","items":{"type":"string"}}`), typed(`{"type":"array","items":{"type":"integer"}}`), false, false},
	}
	if p.embedded {
		// Equal in meaning, and the check says that it did not look.
		cases["combination, not checked"] = evolution{
			typed(`{"anyOf":[{"type":"string"}]}`), typed(`{"anyOf":[{"type":"string"},{"type":"integer"}]}`), false, false,
		}
	}
	p.evolve("JSON", cases)
}

// evolve registers each old schema and asks at each level whether the new one
// may follow.
func (p peer) evolve(kind string, cases map[string]evolution) {
	for name, e := range cases {
		for level, allowed := range levels {
			s := p.subject(strings.NewReplacer(" ", "-", ",", "").Replace(name+"-"+level) + "-value")
			p.register(s, kind, e.old)
			p.level(s, level)
			got := p.post("/compatibility/subjects/"+s+"/versions?verbose=true", kind, e.new)
			if got.status != 200 || got.compatible() != allowed(e) {
				p.Errorf("%s at %s = %d %s, want compatible %t", name, level, got.status, got.body, allowed(e))
			}
			status := 409
			if allowed(e) {
				status = 200
			}
			if got := p.post("/subjects/"+s+"/versions", kind, e.new); got.status != status {
				p.Errorf("%s at %s: register = %d %s, want %d", name, level, got.status, got.body, status)
			}
		}
	}
}
