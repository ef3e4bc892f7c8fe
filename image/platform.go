package image

import (
	"maps"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/diag"
)

// A Platform is what an image runs on. Its operating system is Linux.
type Platform struct {
	Arch string // as Go calls it
}

// String is the platform as container engines write it, such as linux/amd64.
func (p Platform) String() string { return "linux/" + p.Arch }

// baselines are the variables that choose the oldest processor of an
// architecture that Go supports, which is Go's own default, and how they are
// written. Without them the program would depend on the environment.
var baselines = map[string]string{
	"amd64":   "GOAMD64=v1",
	"arm64":   "GOARM64=v8.0",
	"ppc64le": "GOPPC64=power8",
	"riscv64": "GORISCV64=rva20u64",
	"s390x":   "",
}

// ParsePlatforms reads platforms as --platform takes them. They come back sorted,
// each once: an image does not depend on the order in which they are named.
func ParsePlatforms(names []string) ([]Platform, error) {
	var all []Platform
	for _, name := range names {
		arch, ok := strings.CutPrefix(name, "linux/")
		if _, known := baselines[arch]; !ok || !known {
			return nil, diag.New(diag.ImagePlatform, "there is no platform %.60q", name).
				WithFix("name one of: %s", strings.Join(platforms(), ", "))
		}
		all = append(all, Platform{arch})
	}
	if len(all) == 0 {
		return nil, diag.New(diag.ImagePlatform, "no platform is named").
			WithFix("name one of: %s", strings.Join(platforms(), ", "))
	}
	slices.SortFunc(all, func(a, b Platform) int { return strings.Compare(a.Arch, b.Arch) })
	return slices.Compact(all), nil
}

func platforms() []string {
	var all []string
	for _, arch := range slices.Sorted(maps.Keys(baselines)) {
		all = append(all, Platform{arch}.String())
	}
	return all
}
