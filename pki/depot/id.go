package depot

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/diag"
)

// A Kind says what a leaf's holder is.
type Kind string

// The kinds. Broker and Controller are peers: they answer and they connect. The
// others only connect.
const (
	Broker     Kind = "broker"
	Controller Kind = "controller"
	Client     Kind = "client" // a service in an environment
	Admin      Kind = "admin"  // the people who operate an environment
)

// Kinds are all of them, in the order in which they are listed.
var Kinds = []Kind{Broker, Controller, Client, Admin}

// An ID names a leaf for good, whichever certificate it has just now. It is
// written KIND/NAME, and so is its directory below issued.
type ID struct {
	Kind Kind   `json:"kind" yaml:"kind"`
	Name string `json:"name" yaml:"name"`
}

// String returns KIND/NAME.
func (id ID) String() string { return string(id.Kind) + "/" + id.Name }

// ParseID reads KIND/NAME.
func ParseID(s string) (ID, error) {
	kind, name, _ := strings.Cut(s, "/")
	id := ID{Kind: Kind(kind), Name: name}
	return id, id.check()
}

var name = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

func (id ID) check() error {
	switch id.Kind {
	case Broker, Controller, Client, Admin:
	default:
		return diag.New(diag.DepotUnknown, "there is no kind of leaf %q", string(id.Kind)).
			WithFix("write KIND/NAME, with one of the kinds %s", fmt.Sprint(Kinds))
	}
	if !name.MatchString(id.Name) {
		return diag.New(diag.DepotUnknown, "%q is not the name of a leaf", id.Name)
	}
	return nil
}

// compare orders IDs by kind, as [Kinds] lists them, and name.
func (id ID) compare(other ID) int {
	return cmp.Or(
		cmp.Compare(slices.Index(Kinds, id.Kind), slices.Index(Kinds, other.Kind)),
		cmp.Compare(id.Name, other.Name),
	)
}
