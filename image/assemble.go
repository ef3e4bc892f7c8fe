package image

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"time"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// A Spec is all that an image follows from.
type Spec struct {
	Name        string // of the service, and of the program in the root directory
	Description string
	Owner       string // the team to ask
	Version     string // of the service
	Revision    string // the commit
	Source      string // where the sources are to be read
	Contract    string // the hash of the contract

	Created time.Time         // of the sources, not of the image
	Labels  map[string]string // of the user's, which count over those that follow from the above

	Roots    Roots
	Zones    []byte    // a zoneinfo.zip of Go's
	Programs []Program // one for each platform
}

// A Program is a static executable for a platform.
type Program struct {
	Platform Platform
	Binary   []byte
}

// A Blob is one of the parts of an image, by its digest.
type Blob struct {
	ocispec.Descriptor // with Data nil

	Content  []byte
	Manifest bool // it names other blobs, and registries keep it as a manifest
}

// An Image is a multi-platform image with its bills of materials.
type Image struct {
	Name    string
	Version string

	Index Blob   // what the image is known by
	Blobs []Blob // everything else; what names another one comes after it

	Variants []Variant // in the order of the platforms
}

// A Variant is the image of one platform.
type Variant struct {
	Platform   Platform
	Digest     string // of its manifest
	Compressed int64  // bytes of its layers as they are fetched
	Unpacked   int64  // bytes of its layers as a machine keeps them
	Materials  []byte // the bill of materials
}

// Digest is what the whole image is known by.
func (m *Image) Digest() string { return m.Index.Digest.String() }

// The labels that lead from an image to its contract, as artifacts of contracts
// have them.
const (
	serviceLabel  = "dev.slipway.service"
	contractLabel = "dev.slipway.contract"
)

// materialsType is the bill of materials' media type.
const materialsType = "application/vnd.cyclonedx+json"

// Assemble makes an image. It is a pure function. It fails for a program that
// needs more than the image has, or that carries no note of what it was built
// from.
func Assemble(s Spec) (*Image, error) {
	b := &builder{spec: s, seen: map[string]bool{}, image: &Image{Name: s.Name, Version: s.Version}}
	common := base(s.Roots.PEM, s.Zones)
	shared := layer{common, b.add(ocispec.MediaTypeImageLayerGzip, compress(common))}
	index := ocispec.Index{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex, Annotations: b.labels(),
	}
	for _, p := range s.Programs {
		if err := judge(s.Name, p); err != nil {
			return nil, err
		}
		d, err := b.variant(p, shared)
		if err != nil {
			return nil, err
		}
		index.Manifests = append(index.Manifests, d)
	}
	b.image.Index = blob(ocispec.MediaTypeImageIndex, encode(index))
	b.image.Index.Manifest = true
	return b.image, nil
}

// A builder collects the parts of an image.
type builder struct {
	spec  Spec
	image *Image
	seen  map[string]bool
}

// A layer is a tar with what is fetched of it.
type layer struct {
	tar    []byte
	packed ocispec.Descriptor
}

// labels are what the image says of itself.
func (b *builder) labels() map[string]string {
	all := map[string]string{
		ocispec.AnnotationTitle:       b.spec.Name,
		ocispec.AnnotationDescription: b.spec.Description,
		ocispec.AnnotationAuthors:     b.spec.Owner,
		ocispec.AnnotationVersion:     b.spec.Version,
		ocispec.AnnotationRevision:    b.spec.Revision,
		ocispec.AnnotationSource:      b.spec.Source,
		ocispec.AnnotationCreated:     b.created().Format(time.RFC3339),
		serviceLabel:                  b.spec.Name,
		contractLabel:                 b.spec.Contract,
	}
	maps.Copy(all, b.spec.Labels)
	maps.DeleteFunc(all, func(_, value string) bool { return value == "" })
	return all
}

func (b *builder) created() time.Time { return b.spec.Created.UTC().Truncate(time.Second) }

// variant adds the image of a platform and its bill of materials.
func (b *builder) variant(p Program, shared layer) (ocispec.Descriptor, error) {
	text, err := materials(b.spec, b.created(), p)
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	data := program(b.spec.Name, p.Binary)
	layers := []layer{shared, {data, b.add(ocispec.MediaTypeImageLayerGzip, compress(data))}}
	v := Variant{Platform: p.Platform, Materials: text}
	m := ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest, Annotations: b.labels(),
		Config: b.add(ocispec.MediaTypeImageConfig, encode(b.config(p.Platform, layers))),
	}
	for _, l := range layers {
		m.Layers = append(m.Layers, l.packed)
		v.Compressed += l.packed.Size
		v.Unpacked += int64(len(l.tar))
	}
	d := b.addManifest(ocispec.MediaTypeImageManifest, encode(m))
	v.Digest = d.Digest.String()
	b.attach(d, text)
	b.image.Variants = append(b.image.Variants, v)
	d.Platform = &ocispec.Platform{OS: "linux", Architecture: p.Platform.Arch}
	return d, nil
}

// config is how the image is run.
func (b *builder) config(p Platform, layers []layer) ocispec.Image {
	created := b.created()
	c := ocispec.Image{
		Created: &created, Platform: ocispec.Platform{OS: "linux", Architecture: p.Arch},
		Config: ocispec.ImageConfig{
			User: user, Env: []string{zonesEnv}, Entrypoint: []string{"/" + b.spec.Name}, WorkingDir: "/",
			Labels: b.labels(), StopSignal: "SIGTERM",
		},
		RootFS: ocispec.RootFS{Type: "layers"},
	}
	for i, l := range layers {
		c.RootFS.DiffIDs = append(c.RootFS.DiffIDs, digest.FromBytes(l.tar))
		comment := []string{"authorities, time zones, users", "the program"}[i]
		c.History = append(c.History, ocispec.History{Created: &created, CreatedBy: "slipway image build", Comment: comment})
	}
	return c
}

// attach adds a bill of materials that refers to an image.
func (b *builder) attach(subject ocispec.Descriptor, text []byte) {
	b.add(ocispec.DescriptorEmptyJSON.MediaType, ocispec.DescriptorEmptyJSON.Data)
	empty := ocispec.DescriptorEmptyJSON
	empty.Data = nil
	b.addManifest(ocispec.MediaTypeImageManifest, encode(ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest, ArtifactType: materialsType,
		Config: empty, Layers: []ocispec.Descriptor{b.add(materialsType, text)}, Subject: &subject,
		Annotations: map[string]string{ocispec.AnnotationCreated: b.created().Format(time.RFC3339)},
	}))
}

func (b *builder) add(kind string, data []byte) ocispec.Descriptor { return b.keep(blob(kind, data)) }

func (b *builder) addManifest(kind string, data []byte) ocispec.Descriptor {
	m := blob(kind, data)
	m.Manifest = true
	return b.keep(m)
}

func (b *builder) keep(part Blob) ocispec.Descriptor {
	if !b.seen[part.Digest.String()] {
		b.seen[part.Digest.String()] = true
		b.image.Blobs = append(b.image.Blobs, part)
	}
	return part.Descriptor
}

func blob(kind string, data []byte) Blob {
	sum := sha256.Sum256(data)
	d := digest.NewDigestFromEncoded(digest.SHA256, hex.EncodeToString(sum[:]))
	return Blob{Descriptor: ocispec.Descriptor{MediaType: kind, Digest: d, Size: int64(len(data))}, Content: data}
}

// encode is JSON whose keys have one order: those of a struct as it lists them,
// those of a map sorted.
func encode(v any) []byte {
	text, err := json.Marshal(v)
	must(err)
	return text
}
