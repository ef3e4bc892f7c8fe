package cli

import (
	"context"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/internal/cli/view"
	"github.com/slipway-go/slipway/internal/share"
)

// imageTimeout leaves time to fetch modules and to compile everything anew.
const imageTimeout = 15 * time.Minute

func newImageCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:         "image",
		Short:       "Make images of services",
		Long:        "Makes OCI images of services without a container engine.",
		Example:     "  slipway image build orders --push registry.example.com/shop/orders",
		Annotations: exits(exitOK, exitUsage),
		RunE:        group,
	}
	c.AddCommand(newImageBuildCommand(a))
	return c
}

type imageArgs struct {
	service, dir    string
	platforms, tags []string
	labels          map[string]string
	out, push, sbom string
	version, roots  string
	modified, move  bool
	created         time.Time // zero means that of the commit
	timeout         time.Duration
}

func newImageBuildCommand(a *app) *cobra.Command {
	var args imageArgs
	c := &cobra.Command{
		Use:   "build SERVICE [DIR]",
		Short: "Make the OCI image of a service",
		Long: `Compiles the program of SERVICE, whose contract is in DIR or below, and makes an
OCI image of it for each platform. It needs Go, and neither a container engine
nor root.

The image holds the static program, certificate authorities, time zones and a
user that is not root, 65532. There is no shell. It is the same to the byte
wherever and whenever it is built from the same commit with the same Go and the
same slipway; its date is the commit's, or SOURCE_DATE_EPOCH. The version is the
one that Go derives from git: the tag, or a pseudo-version of the commit.

--out DIR writes an OCI layout, --out FILE.tar an archive that docker load and
podman load take. --push REF pushes to a registry, with the credentials of docker
login (DOCKER_CONFIG); a REF without a tag gets the version as its tag, never
latest. A tag that stands for another image is left alone without --move, and a
checkout with changes is pushed only with --modified. With neither --out nor
--push the image is made, and nothing of it is kept: the command tells its digest
and its size.

Where it shall go is judged before anything is compiled.

Each platform's image has a bill of materials (CycloneDX), which goes with it as
an artifact that refers to it; --sbom DIR writes it to files too.`,
		Example: `  slipway image build orders                                   # what would it be?
  slipway image build orders --out image.tar --platform linux/amd64
  slipway image build orders services --out image              # an OCI layout; contracts below services
  slipway image build orders --push registry.example.com/shop/orders
  slipway image build orders --push registry.example.com/shop/orders -o name     # for a pipeline
  slipway image build orders --label org.opencontainers.image.licenses=Apache-2.0 --out image`,
		Annotations: exits(exitOK, exitError, exitRefused, exitUsage, exitInterrupted),
		Args:        arguments(1, 2, "a service"),
		RunE: func(c *cobra.Command, rest []string) error {
			args.service, args.dir = rest[0], directory(rest, 1)
			for _, name := range []string{"out", "push", "sbom"} {
				if f := c.Flags().Lookup(name); f.Changed && f.Value.String() == "" {
					return usage("--%s is empty", name).WithFix("give it a value, or leave it out")
				}
			}
			if err := args.check(a.sys.Getenv); err != nil {
				return err
			}
			return bounded(c.Context(), args.timeout, func(ctx context.Context) error { return runImageBuild(ctx, a, args) })
		},
	}
	f := c.Flags()
	f.StringSliceVar(&args.platforms, "platform", []string{"linux/amd64", "linux/arm64"}, "platforms to build for")
	f.StringSliceVar(&args.tags, "tags", nil, "build tags, beside grpcnotrace, which leaves out pages for debugging")
	args.labels = map[string]string{}
	f.Var(labels(args.labels), "label", "a label of the image; repeatable")
	f.StringVar(&args.out, "out", "", "directory for an OCI layout, or file that ends in .tar")
	f.StringVar(&args.push, "push", "", "name of the image in a registry")
	f.StringVar(&args.sbom, "sbom", "", "directory for the bills of materials")
	f.StringVar(&args.version, "version", "", "version of the service; what Go derives from git if left out")
	f.StringVar(&args.roots, "roots", "", "file of certificate authorities to trust instead of Mozilla's")
	f.BoolVar(&args.modified, "modified", false, "push although the checkout has changes")
	f.BoolVar(&args.move, "move", false, "move a tag that stands for another image")
	timeoutFlag(c, &args.timeout, imageTimeout)
	outputFlag(c, a, view.Table, view.JSON, view.YAML, view.Name)
	return c
}

// check judges what can be judged before anything is compiled.
func (args *imageArgs) check(getenv func(string) string) error {
	if v := args.version; v != "" && strings.ContainsFunc(v, notVersion) {
		return usage("--version %q cannot be a version", v).WithFix("use letters, digits and . _ + -")
	}
	for _, tag := range args.tags {
		if tag == "" || strings.ContainsFunc(tag, notTag) {
			return usage("--tags: %.60q cannot be a build tag", tag).WithFix("use letters, digits, _ and ., with commas between tags")
		}
	}
	if args.push != "" {
		if _, err := share.CheckImage(args.push, "v0"); err != nil {
			return err
		}
	}
	if text := getenv("SOURCE_DATE_EPOCH"); text != "" {
		seconds, err := strconv.ParseInt(text, 10, 64)
		if err != nil || seconds < 0 {
			return usage("SOURCE_DATE_EPOCH is %.40q, not seconds since 1970", text).WithFix("set it to the output of git log -1 --format=%%ct, or unset it")
		}
		args.created = time.Unix(seconds, 0)
	}
	return args.places()
}

func notVersion(r rune) bool {
	return !strings.ContainsRune("._+-", r) && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
}

func notTag(r rune) bool { return r != '.' && r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }

// labels is a flag that may be repeated. A comma belongs to the value.
type labels map[string]string

func (l labels) String() string { return "" }

func (l labels) Type() string { return "name=value" }

func (l labels) Set(text string) error {
	name, value, found := strings.Cut(text, "=")
	var fault string
	switch {
	case !found:
		fault = "has no ="
	case name == "" || strings.ContainsAny(name, " \t\n\""):
		fault = "does not begin with the name of a label"
	default:
		l[name] = value
		return nil
	}
	return usage("--label: %.60q %s", text, fault).WithFix("write it like org.opencontainers.image.licenses=Apache-2.0")
}
