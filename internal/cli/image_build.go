package cli

import (
	"cmp"
	"context"
	"errors"
	gobuild "go/build"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/image"
	"github.com/slipway-go/slipway/internal/cli/view"
	"github.com/slipway-go/slipway/internal/share"
)

func runImageBuild(ctx context.Context, a *app, args imageArgs) error {
	platforms, err := image.ParsePlatforms(args.platforms)
	if err != nil {
		return err
	}
	svc, dir, err := a.program(args.service, args.dir)
	if err != nil {
		return err
	}
	spec := image.Spec{
		Name: svc.Name, Description: svc.Description, Owner: svc.Owner, Contract: svc.Hash(), Labels: args.labels,
		Roots: image.MozillaRoots(),
	}
	if args.roots != "" {
		text, err := os.ReadFile(args.roots)
		if err != nil {
			return diag.New(diag.ImageRoots, "read the authorities: %v", err)
		}
		if spec.Roots, err = image.ParseRoots(args.roots, text); err != nil {
			return err
		}
	}
	compiler := image.Compiler{Dir: dir, Name: svc.Name, Environ: a.sys.Environ, Tags: args.tags, Version: args.version}
	if args.out == "" && args.push == "" {
		a.view.Note("the image is made and not kept, because there is neither --out nor --push; its digest will be told")
	}
	clean := args.push == "" || args.modified
	origin, err := a.compile(ctx, compiler, platforms, &spec, func(o image.Origin) error {
		if clean || !o.Modified {
			return nil
		}
		return diag.New(diag.ImageModified, "%s is not pushed: its checkout has changes that are in no commit", svc.Name)
	})
	if err != nil {
		return err
	}
	spec.Version = cmp.Or(args.version, origin.Version)
	spec.Created = args.created
	if spec.Created.IsZero() {
		spec.Created = origin.Time
	}
	if spec.Created.IsZero() {
		spec.Created = time.Unix(0, 0)
	}
	built, err := image.Assemble(spec)
	if err != nil {
		return err
	}
	return a.deliverImage(ctx, args, spec, built)
}

// program finds a service's package main, as slipway up does.
func (a *app) program(name, dir string) (*contract.Service, string, error) {
	w, err := a.open(dir)
	if err != nil {
		return nil, "", err
	}
	estate, err := a.valid(w)
	if err != nil {
		return nil, "", err
	}
	i := slices.IndexFunc(estate.Services, func(s *contract.Service) bool { return s.Name == name })
	if i < 0 {
		var known []string
		for _, s := range estate.Services {
			known = append(known, s.Name)
		}
		return nil, "", diag.New(diag.ImageService, "there is no service %.60q", name).WithFix("name one of: %s", join(known))
	}
	svc := estate.Services[i]
	at := filepath.Join(dir, filepath.FromSlash(svc.Dir()))
	linux := gobuild.Default
	linux.GOOS, linux.CgoEnabled = "linux", true
	pkg, err := linux.ImportDir(at, 0)
	none := diag.New(diag.ImageNoProgram, "%s has a contract and no Go program beside it", name).At(diag.Position{File: svc.File()})
	if _, empty := errors.AsType[*gobuild.NoGoError](err); empty {
		return nil, "", none
	}
	if err == nil && pkg.Name != "main" {
		none.Message = name + " has package " + pkg.Name + " beside its contract, not main"
		return nil, "", none
	}
	return svc, at, nil // a package that cannot be read is left to the compiler
}

// compile adds the programs, and what lies beside them, and returns where they
// are from, if that is accepted: each program tells it, the first one soonest.
func (a *app) compile(ctx context.Context, c image.Compiler, platforms []image.Platform, spec *image.Spec, accept func(image.Origin) error) (image.Origin, error) {
	foreign, err := c.Foreign(ctx, platforms[0])
	if err != nil {
		return image.Origin{}, err
	}
	for _, p := range platforms {
		a.view.Note("compiling %s for %s", c.Name, p)
		program, err := c.Compile(ctx, p)
		if err != nil {
			return image.Origin{}, wantsCgo(err, foreign)
		}
		if err := accept(program.Origin()); err != nil {
			return image.Origin{}, err
		}
		spec.Programs = append(spec.Programs, program)
	}
	if len(foreign) > 0 {
		a.warn(diag.List{diag.Warn(diag.ImageCGO, "%s is compiled without code in C of packages it uses", c.Name).WithEvidence("%s", join(foreign))})
	}
	spec.Source = image.Source(c.Remote(ctx))
	spec.Zones, err = c.Zones(ctx)
	origin := spec.Programs[0].Origin()
	spec.Revision = origin.Revision
	return origin, err
}

// wantsCgo tells of packages with code in C what may be the cause.
func wantsCgo(err error, foreign []string) error {
	if !errors.Is(err, diag.ImageBuild) || len(foreign) == 0 {
		return err
	}
	list := diag.Of(err)
	d := diag.New(diag.ImageCGO, "%s, which goes without cgo", list[0].Message).WithEvidence("%s", join(foreign))
	d.Evidence = append(d.Evidence, list[0].Evidence...)
	return d
}

// deliverImage puts the image where it shall be, and tells of it.
func (a *app) deliverImage(ctx context.Context, args imageArgs, spec image.Spec, m *image.Image) error {
	told := view.Image{
		Service: m.Name, Release: m.Version, Revision: spec.Revision, Created: spec.Created.UTC().Format(time.RFC3339), Digest: m.Digest(), Out: args.out,
	}
	for _, v := range m.Variants {
		told.Variants = append(told.Variants, view.ImageVariant{Platform: v.Platform.String(), Digest: v.Digest, Compressed: v.Compressed, Unpacked: v.Unpacked})
	}
	reference := ""
	if args.push != "" {
		var err error
		if reference, err = share.CheckImage(args.push, m.Version); err != nil {
			return err
		}
	}
	if args.sbom != "" {
		if err := m.WriteMaterials(args.sbom); err != nil {
			return err
		}
		for i, v := range m.Variants {
			told.Variants[i].Materials = filepath.Join(args.sbom, m.MaterialsFile(v.Platform))
		}
	}
	var err error
	switch {
	case strings.HasSuffix(args.out, ".tar"):
		err = m.WriteArchiveFile(args.out, cmp.Or(reference, m.Name+":"+image.Tag(m.Version)))
	case args.out != "":
		err = m.WriteLayout(args.out, reference)
	}
	if err != nil {
		return err
	}
	if args.push != "" {
		got, err := share.PushImage(ctx, share.Config{Getenv: a.sys.Getenv}, m, args.push, share.Move(args.move))
		if err != nil {
			return err
		}
		told.Push = &view.ImagePush{Reference: got.Reference, Pinned: got.Pinned, Before: got.Before, Unchanged: got.Unchanged}
	}
	return a.view.Image(told)
}
