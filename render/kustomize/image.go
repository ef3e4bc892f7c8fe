package kustomize

import (
	"cmp"
	"strings"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/render/manifest"
)

// An image is where a container's image is and which one it is.
type image struct {
	name   string // of its repository
	tag    string
	digest string
}

// parseImage takes the name of an image apart. A registry may have a port.
func parseImage(text string) image {
	var img image
	text, img.digest, _ = strings.Cut(text, "@")
	colon := strings.LastIndex(text, ":")
	if colon < 0 || strings.Contains(text[colon:], "/") {
		img.name = text
		return img
	}
	img.name, img.tag = text[:colon], text[colon+1:]
	return img
}

// moving reports whether the name can mean another image tomorrow.
func (i image) moving() bool { return i.digest == "" && (i.tag == "" || i.tag == "latest") }

// image is the contract's. One that only environments name is called by the service.
func (s *site) image() image {
	return parseImage(cmp.Or(s.svc.Workload.Image, s.svc.Name))
}

// named is the name that the base has for the image, by which overlays say which one
// it is.
func (s *site) named() string {
	if s.env != nil {
		return s.env.named
	}
	return s.image().name
}

// dev is the environment in which an image may move.
const dev = "dev"

// judgeImage refuses what would run tomorrow without anybody having decided it.
func (s *site) judgeImage() (list diag.List) {
	w := s.svc.Workload
	switch img := s.image(); {
	case w.Image == "":
		list.Add(diag.New(diag.RenderImage, "%s has no workload.image, in environment %s", s.svc.Name, s.env.Env).
			At(s.svc.Position("workload")).WithFix("write workload: {image: registry.example.com/shop/%s}; slipway image build makes one", s.svc.Name))
	case s.env.Env != dev && img.moving():
		list.Add(diag.New(diag.RenderImageMoves, "%s does not say which %s runs in environment %s", w.Image, s.svc.Name, s.env.Env).
			At(s.svc.Position("workload/image")).
			WithFix("write environments: {%s: {workload: {image: %q}}} with the tag or digest that was tested", s.env.Env, img.name+":<tag>"))
	}
	return list
}

// sqliteInstances is how many instances may share a database that is a file.
const sqliteInstances = 1

// judgeState refuses what the service would lose, or would not find, on its disk.
func (s *site) judgeState() (list diag.List) {
	w := s.svc.Workload
	rows := manifest.KeepsRows(s.svc)
	if rows != "" && manifest.DatabaseOf(s.svc) == manifest.FileDatabase && s.env.scale.Max > sqliteInstances {
		list.Add(diag.New(diag.RenderFileShared, "%s keeps rows (%s) in a file of each instance, and there are up to %d instances in environment %s", s.svc.Name, strings.ReplaceAll(rows, "/", "."), s.env.scale.Max, s.env.Env).
			At(s.svc.Position("workload/scale/max")))
	}
	if need, size := spilled(s.svc), manifest.Volume(s.svc); need > size {
		list.Add(diag.New(diag.RenderVolumeSmall, "%s keeps up to %v on disk while the cluster is away, and its volume has %v, in environment %s", s.svc.Name, need, size, s.env.Env).
			At(s.svc.Position("workload/volume")).WithFix("write workload: {volume: %v} or more, or lower spill.max", need))
	}
	if s.svc.RelaysByDebezium() && w.Egress[manifest.DatabaseEgress] == nil {
		list.Add(diag.New(diag.RenderDatabaseNowhere, "%s writes its outbox into a database, and nothing says where that is, in environment %s", s.svc.Name, s.env.Env).
			At(s.svc.Position("workload")))
	}
	return list
}

// spilled is the most that the spills of an instance take on disk.
func spilled(svc *contract.Service) contract.Bytes {
	var sum contract.Bytes
	for _, p := range manifest.Spills(svc) {
		sum += p.Spill.Max
	}
	return sum
}
