package registry_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"github.com/slipway-go/slipway/internal/embedded/registry"
)

// TestACompatibleJSONSchemaReadsEveryOldValue generates schemas and values and
// holds the registry's word "compatible" against a validator.
func TestACompatibleJSONSchemaReadsEveryOldValue(t *testing.T) {
	t.Parallel()
	checked := 0
	rapid.Check(t, func(rt *rapid.T) {
		old := jsonSchemas(2).Draw(rt, "old")
		values := validValues(rt, compileSchema(rt, old))
		for range 20 {
			changed := mutated(rt, old)
			r := open(t, registry.Config{})
			call(r, "POST", "/subjects/a/versions", body("JSON", encode(old)))
			if got := call(r, "POST", "/subjects/a/versions", body("JSON", encode(changed))); got.Code != 200 {
				continue
			}
			reader := compileSchema(rt, changed)
			for _, v := range values {
				checked++
				if err := reader.Validate(v); err != nil {
					rt.Fatalf("%s was registered after %s and refuses %s: %v", encode(changed), encode(old), encode(v), err)
				}
			}
		}
	})
	if checked == 0 {
		t.Error("no value was checked: the test proves nothing")
	}
}

// validValues generates values and keeps those that a schema accepts.
func validValues(rt *rapid.T, s *jsonschema.Schema) []any {
	all := rapid.SliceOfN(jsonValues(2), 60, 60).Draw(rt, "values")
	return slices.DeleteFunc(all, func(v any) bool { return s.Validate(v) != nil })
}

// mutated adds, changes or removes one keyword, here or in a property.
func mutated(rt *rapid.T, schema any) any {
	s, ok := schema.(map[string]any)
	donor, dok := jsonSchemas(2).Draw(rt, "donor").(map[string]any)
	if !ok || !dok || len(s)+len(donor) == 0 {
		return jsonSchemas(2).Draw(rt, "new")
	}
	changed := maps.Clone(s)
	properties, ok := s["properties"].(map[string]any)
	if ok && len(properties) > 0 && rapid.Bool().Draw(rt, "deeper") {
		name := rapid.SampledFrom(slices.Sorted(maps.Keys(properties))).Draw(rt, "property")
		inner := maps.Clone(properties)
		inner[name] = mutated(rt, inner[name])
		changed["properties"] = inner
		return changed
	}
	keywords := slices.Concat(slices.Sorted(maps.Keys(s)), slices.Sorted(maps.Keys(donor)))
	keyword := rapid.SampledFrom(keywords).Draw(rt, "keyword")
	if v, ok := donor[keyword]; ok {
		changed[keyword] = v
	} else {
		delete(changed, keyword)
	}
	return changed
}

// jsonSchemas generates schemas of the keywords that the check decides, and
// one that it does not.
func jsonSchemas(depth int) *rapid.Generator[any] {
	return rapid.Custom(func(rt *rapid.T) any {
		if rapid.IntRange(0, 7).Draw(rt, "boolean") == 0 {
			return rapid.Bool().Draw(rt, "any")
		}
		s := map[string]any{}
		maybe := func(keyword string, v func() any) {
			if rapid.IntRange(0, 2).Draw(rt, keyword) == 0 {
				s[keyword] = v()
			}
		}
		number := func() any { return rapid.IntRange(0, 3).Draw(rt, "bound") }
		maybe("type", func() any {
			return rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"string", "integer", "number", "object", "array", "null"}), 1, 3, rapid.ID).Draw(rt, "types")
		})
		for _, keyword := range []string{"maximum", "minimum", "maxLength", "minItems", "maxProperties"} {
			maybe(keyword, number)
		}
		maybe("enum", func() any { return rapid.SliceOfN(jsonValues(1), 1, 3).Draw(rt, "enum") })
		maybe("not", func() any { return map[string]any{"const": 1} })
		maybe("required", func() any {
			return rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b"}), 0, 2, rapid.ID).Draw(rt, "names")
		})
		if depth == 0 {
			return s
		}
		maybe("items", func() any { return jsonSchemas(depth-1).Draw(rt, "item") })
		maybe("additionalProperties", func() any { return jsonSchemas(depth-1).Draw(rt, "others") })
		maybe("properties", func() any {
			return rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "c"}), jsonSchemas(depth-1), 0, 2).Draw(rt, "properties")
		})
		return s
	})
}

func jsonValues(depth int) *rapid.Generator[any] {
	return rapid.Custom(func(rt *rapid.T) any {
		switch k := rapid.IntRange(0, 5).Draw(rt, "kind"); {
		case k == 0:
			return nil
		case k == 1:
			return json.Number(rapid.SampledFrom([]string{"0", "1", "2", "3", "1.5"}).Draw(rt, "number"))
		case k == 2 || depth == 0:
			return rapid.SampledFrom([]string{"", "x", "xyz"}).Draw(rt, "string")
		case k == 3:
			return rapid.SliceOfN(jsonValues(depth-1), 0, 3).Draw(rt, "array")
		default:
			return rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "c", "d"}), jsonValues(depth-1), 0, 3).Draw(rt, "object")
		}
	})
}

func encode(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func compileSchema(rt *rapid.T, schema any) *jsonschema.Schema {
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(encode(schema)))
	if err != nil {
		rt.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("s:///s.json", doc); err != nil {
		rt.Fatal(err)
	}
	s, err := c.Compile("s:///s.json")
	if err != nil {
		rt.Fatal(err)
	}
	return s
}
