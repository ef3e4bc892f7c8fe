package image

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"errors"
	"io/fs"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/slipway-go/slipway/internal/proc"
)

// An Origin is what a program was built from, as far as the go command found
// version control around it.
type Origin struct {
	Version  string // a tag, or a pseudo-version of the commit; empty without version control
	Revision string // the commit
	Time     time.Time
	Modified bool // there were changes that are in no commit
}

// Origin reads what the go command noted in the program.
func (p Program) Origin() Origin {
	info, err := buildinfo.Read(bytes.NewReader(p.Binary))
	if err != nil {
		return Origin{} // Assemble tells
	}
	o := Origin{Version: info.Main.Version}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			o.Revision = s.Value
		case "vcs.modified":
			o.Modified = s.Value == "true"
		case "vcs.time":
			o.Time, _ = time.Parse(time.RFC3339Nano, s.Value) // zero if it is not one
		}
	}
	if o.Version == "" || o.Version == "(devel)" {
		o.Version = o.pseudo()
	}
	return o
}

// pseudo is the version of a commit without tags, as Go writes it. Go itself has
// none for a module in a directory of another module's repository.
func (o Origin) pseudo() string {
	switch {
	case o.Revision == "" || o.Time.IsZero():
		return ""
	case o.Modified:
		return o.stamp() + "+dirty"
	default:
		return o.stamp()
	}
}

func (o Origin) stamp() string {
	return "v0.0.0-" + o.Time.UTC().Format("20060102150405") + "-" + o.Revision[:min(12, len(o.Revision))]
}

// Remote is where git says the checkout was cloned from, or "" if it does not.
func (c Compiler) Remote(ctx context.Context) string {
	at, err := c.look("git")
	if err != nil {
		return ""
	}
	var said string
	err = proc.Run(ctx, proc.Config{
		Path: at, Args: []string{"config", "--get", "remote.origin.url"}, Dir: c.Dir, Env: c.Environ,
		Output: func(line string) { said = line },
	}, 0)
	if err != nil {
		return ""
	}
	return said
}

var shorthand = regexp.MustCompile(`^(?:[A-Za-z0-9_.-]+@)?([A-Za-z0-9.-]+):([^/].*)$`)

// Source makes of a remote of git what people open in a browser, without user,
// password and query. It is the same however the repository was cloned. What
// leads nowhere else, such as a path, gives "".
func Source(remote string) string {
	if m := shorthand.FindStringSubmatch(remote); m != nil && !strings.Contains(remote, "://") {
		remote = "https://" + m[1] + "/" + m[2]
	}
	u, err := url.Parse(remote)
	if err != nil || u.Hostname() == "" {
		return ""
	}
	switch u.Scheme {
	case "https", "http":
	case "ssh", "git", "git+ssh":
		u.Scheme, u.Host = "https", u.Hostname() // the port is ssh's
	default:
		return ""
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: strings.TrimSuffix(strings.TrimSuffix(u.Path, "/"), ".git")}).String()
}

// cause is an error without the path that the message names already.
func cause(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}
