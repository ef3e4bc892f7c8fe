package share

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"strings"

	"oras.land/oras-go/v2/registry"

	"github.com/slipway-go/slipway/diag"
)

// A Reference is a place that a contract is published to and pulled from: a
// tag or digest of an OCI repository, or a directory of a git branch.
type Reference struct {
	text string
	oci  registry.Reference // zero for git

	remote string // the URL that git is given
	branch string // or a tag, or a commit, to pull from
	dir    string // "." for the top of the repository
}

// The forms of a reference.
const (
	ociScheme  = "oci://"
	gitHTTPS   = "git+https://"
	gitSSH     = "git+ssh://"
	gitFile    = "git+file://"
	fileScheme = "file://"
)

// maxReference is the longest reference, which estate.yaml bounds too.
const maxReference = 2000

var (
	hostName   = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$`)
	userName   = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]*$`)
	branchName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._/-]*$`)
	commitHash = regexp.MustCompile(`^[0-9a-f]{40}$`)
	credential = regexp.MustCompile(`://[^/#]*@`) // what must not be shown
	plainPath  = regexp.MustCompile(`^/[A-Za-z0-9~_.][A-Za-z0-9._~/@%+-]*$`)
)

// ParseReference reads a place as users write it. It takes no credentials: they
// would end up in files and logs.
func ParseReference(text string) (Reference, error) {
	r := Reference{text: text}
	var err error
	switch scheme := schemeOf(text); {
	case len(text) > maxReference:
		err = fmt.Errorf("it is longer than %d characters", maxReference)
	case scheme == ociScheme:
		err = r.parseOCI(strings.TrimPrefix(text, ociScheme))
	case scheme != "":
		err = r.parseGit(strings.TrimPrefix(text, "git+"))
	default:
		err = errors.New("it begins with none of oci://, git+https://, git+ssh:// and file://")
	}
	if err != nil {
		return Reference{}, diag.New(diag.ShareReference, "%.200q cannot be used: %v", credential.ReplaceAllString(text, "://***@"), err)
	}
	return r, nil
}

func schemeOf(text string) string {
	for _, s := range []string{ociScheme, gitHTTPS, gitSSH, gitFile, fileScheme} {
		if strings.HasPrefix(text, s) {
			return s
		}
	}
	return ""
}

// String returns the reference as it was written.
func (r Reference) String() string { return r.text }

func (r Reference) isOCI() bool { return r.oci.Registry != "" }

func (r *Reference) parseOCI(text string) error {
	ref, err := registry.ParseReference(text)
	switch {
	case err != nil:
		return err
	case ref.Reference == "":
		return errors.New("the tag is missing: end it with :main, say")
	case ref.ValidateReferenceAsDigest() == nil && !strings.HasPrefix(ref.Reference, "sha256:"):
		return errors.New("only digests by sha256 are taken")
	}
	r.oci = ref
	return nil
}

// tagged reports whether the reference can be published to.
func (r Reference) tagged() bool { return r.isOCI() && r.oci.ValidateReferenceAsTag() == nil }

// loopback reports whether an OCI registry is on this machine, and need not
// speak TLS.
func loopback(host string) bool {
	u := url.URL{Host: host}
	if u.Hostname() == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(u.Hostname())
	return err == nil && addr.IsLoopback()
}

func (r *Reference) parseGit(text string) error {
	address, where, found := strings.Cut(text, "#")
	if !found || where == "" {
		return errors.New("the branch is missing: end it with #main, or #main:directory")
	}
	u, err := url.Parse(address)
	if err != nil {
		return errors.New("it is no URL")
	}
	if err := checkRemote(u); err != nil {
		return err
	}
	branch, dir, found := strings.Cut(where, ":")
	if !found {
		dir = "."
	}
	if err := checkBranch(branch); err != nil {
		return err
	}
	if err := checkName(dir); err != nil && dir != "." {
		return fmt.Errorf("the directory %.100q %w", dir, err)
	}
	r.remote, r.branch, r.dir = address, branch, dir
	return nil
}

// checkRemote leaves nothing in the URL that git, ssh or a server could take
// for something else than a host and a path.
func checkRemote(u *url.URL) error {
	_, password := u.User.Password()
	switch {
	case u.RawQuery != "" || u.ForceQuery:
		return errors.New("it has a query, behind a question mark")
	case password || u.User != nil && u.Scheme != "ssh":
		return errors.New("it holds a user or a password")
	case u.User != nil && !userName.MatchString(u.User.Username()):
		return errors.New("its user is not one of ssh")
	case !plainPath.MatchString(u.EscapedPath()) || strings.Contains(u.Path+"/", "/../"):
		return errors.New("its path is not one of letters, digits and . _ ~ / @ + -")
	case u.Scheme == "file" && u.Host != "":
		return errors.New("file:// takes a path of this machine, which begins with a third slash")
	case u.Scheme == "file":
		return nil
	}
	if _, err := netip.ParseAddr(u.Hostname()); err != nil && !hostName.MatchString(u.Hostname()) {
		return errors.New("its host is no name and no address")
	}
	return nil
}

// checkBranch takes what git takes as a name, without what it gives a meaning.
func checkBranch(name string) error {
	bad := !branchName.MatchString(name) || len(name) > 250 || name == "HEAD" || name == "FETCH_HEAD"
	for part := range strings.SplitSeq(name, "/") {
		bad = bad || part == "" || strings.HasPrefix(part, ".") || strings.HasSuffix(part, ".") || strings.HasSuffix(part, ".lock")
	}
	if bad || strings.Contains(name, "..") {
		return fmt.Errorf("%.100q is no branch", name)
	}
	return nil
}

// checkName takes the name of a file of a bundle, or of a directory in a
// repository: relative, on every system, and nothing a terminal would act on.
func checkName(name string) error {
	switch {
	case !fs.ValidPath(name) || name == ".":
		return errors.New("is not a relative path without . and .. in it")
	case strings.ContainsAny(name, `\:`) || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return errors.New(`holds a \, a : or a control character`)
	case len(name) > 255 || strings.EqualFold(strings.SplitN(name, "/", 2)[0], ".git"):
		return errors.New("is too long, or belongs to git")
	}
	return nil
}

// protocols are what git may speak to the remote. Users rewrite https to ssh
// in their configuration, so those two go together.
func (r Reference) protocols() string {
	if strings.HasPrefix(r.remote, fileScheme) {
		return "file"
	}
	return "https:ssh"
}

// in is the path of a bundle's file in the repository.
func (r Reference) in(name string) string { return path.Join(r.dir, name) }
