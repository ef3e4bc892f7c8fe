package image

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/slipway-go/slipway/diag"
)

// A bom is a CycloneDX document, as far as there is something to say.
type bom struct {
	Schema       string       `json:"$schema"`
	Format       string       `json:"bomFormat"`
	SpecVersion  string       `json:"specVersion"`
	Serial       string       `json:"serialNumber,omitempty"`
	Version      int          `json:"version"`
	Metadata     metadata     `json:"metadata"`
	Components   []component  `json:"components"`
	Dependencies []dependency `json:"dependencies"`
}

type metadata struct {
	Timestamp  string     `json:"timestamp"`
	Component  component  `json:"component"`
	Properties []property `json:"properties,omitempty"`
}

type component struct {
	Type       string     `json:"type"`
	Ref        string     `json:"bom-ref"`
	Name       string     `json:"name"`
	Version    string     `json:"version,omitempty"`
	Hashes     []hash     `json:"hashes,omitempty"`
	PURL       string     `json:"purl,omitempty"`
	Properties []property `json:"properties,omitempty"`
}

type hash struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type dependency struct {
	Ref       string   `json:"ref"`
	DependsOn []string `json:"dependsOn,omitempty"`
}

// materials is the bill of materials of a program and of what lies beside it in
// the image. What the program holds is taken from the linker's own note in it, so
// a module that is required and not linked is not in it. The note has no graph;
// everything is what the program depends on.
func materials(s Spec, created time.Time, p Program) ([]byte, error) {
	info, err := buildinfo.Read(bytes.NewReader(p.Binary))
	if err != nil {
		return nil, diag.New(diag.ImageProgram, "%s for %s does not tell what it was built from: %v", s.Name, p.Platform, err)
	}
	main := module(debug.Module{Path: info.Main.Path, Version: s.Version})
	main.Type, main.Name, main.Hashes = "application", s.Name, sum(p.Binary)
	main.Properties = nil
	doc := bom{
		Schema: "http://cyclonedx.org/schema/bom-1.6.schema.json", Format: "CycloneDX", SpecVersion: "1.6", Version: 1,
		Metadata: metadata{Timestamp: created.Format(time.RFC3339), Component: main, Properties: settings(info)},
		Components: []component{
			module(debug.Module{Path: "stdlib", Version: strings.TrimPrefix(info.GoVersion, "go")}),
			data(rootsAt, s.Roots.Version, s.Roots.PEM, rootsModule),
			data(zonesAt, info.GoVersion, s.Zones, ""),
		},
	}
	for _, m := range info.Deps {
		doc.Components = append(doc.Components, module(*m))
	}
	slices.SortFunc(doc.Components, func(a, b component) int { return cmp.Compare(a.Ref, b.Ref) })
	on := dependency{Ref: main.Ref}
	for _, c := range doc.Components {
		on.DependsOn = append(on.DependsOn, c.Ref)
	}
	doc.Dependencies = []dependency{on}
	doc.Serial = serial(encode(doc))
	text, err := json.MarshalIndent(doc, "", "  ")
	must(err)
	return append(text, '\n'), nil
}

// module is a Go module as it was linked: the one that replaces it, if one does.
// A directory that replaces a module has no version, and stands under the
// module's name.
func module(m debug.Module) component {
	var notes []property
	if r := m.Replace; r != nil {
		notes = append(notes, property{"slipway:replaces", m.Path + "@" + m.Version})
		if r.Version != "" {
			m.Path = r.Path
		}
		m.Version, m.Sum = r.Version, r.Sum
	}
	if m.Sum != "" {
		notes = append(notes, property{"slipway:gosum", m.Sum})
	}
	if m.Version == "(devel)" {
		m.Version = ""
	}
	purl := "pkg:golang/" + strings.ToLower(m.Path)
	if m.Version != "" {
		purl += "@" + url.QueryEscape(m.Version)
	}
	return component{Type: "library", Ref: purl, Name: m.Path, Version: m.Version, PURL: purl, Properties: notes}
}

// data is a file of the image that is no program.
func data(at, version string, content []byte, from string) component {
	c := component{Type: "data", Ref: "file:/" + at, Name: "/" + at, Version: version, Hashes: sum(content)}
	if from != "" && version != "" {
		c.PURL = module(debug.Module{Path: from, Version: version}).PURL
	}
	return c
}

// settings are how the program was compiled.
func settings(info *debug.BuildInfo) []property {
	var all []property
	for _, s := range info.Settings {
		all = append(all, property{"slipway:build:" + s.Key, s.Value})
	}
	return all
}

// MaterialsFile is the name of the file with a platform's bill of materials.
func (m *Image) MaterialsFile(p Platform) string { return m.Name + ".linux-" + p.Arch + ".cdx.json" }

// WriteMaterials writes the bills of materials into a directory, which it makes
// if need be.
func (m *Image) WriteMaterials(dir string) error {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return unwritable(dir, err)
	}
	for _, v := range m.Variants {
		name := filepath.Join(dir, m.MaterialsFile(v.Platform))
		if err := os.WriteFile(name, v.Materials, 0o600); err != nil {
			return unwritable(name, err)
		}
	}
	return nil
}

func sum(data []byte) []hash {
	s := sha256.Sum256(data)
	return []hash{{"SHA-256", hex.EncodeToString(s[:])}}
}

// serial is a UUID that follows from the document: version 8 of RFC 9562.
func serial(text []byte) string {
	s := sha256.Sum256(text)
	s[6], s[8] = s[6]&0x0f|0x80, s[8]&0x3f|0x80
	h := hex.EncodeToString(s[:16])
	return "urn:uuid:" + h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
