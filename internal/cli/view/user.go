package view

import (
	"cmp"
	"fmt"
	"io"
	"strings"
)

// A User is one that can log in to a cluster by SCRAM, or that a contract
// declares.
type User struct {
	Name        string       `json:"name"`
	Service     string       `json:"service,omitempty"` // that declares it, if one does
	Credentials []Credential `json:"credentials"`       // none if the cluster lacks it
}

// A Credential is what a cluster tells of a password.
type Credential struct {
	Mechanism  string `json:"mechanism"`
	Iterations int    `json:"iterations"`
}

type usersDocument struct {
	Header
	Users []User `json:"users"`
}

// Users writes who can log in.
func (v *View) Users(users []User) error {
	var names []string
	for _, u := range users {
		names = append(names, "user/"+u.Name)
	}
	return v.answer(usersDocument{header("Users"), users}, func(w io.Writer) {
		if len(users) == 0 {
			fmt.Fprintln(w, "The cluster has no SCRAM users.")
			return
		}
		t := newTable(w, "USER", "CREDENTIALS", "SERVICE")
		for _, u := range users {
			var all []string
			for _, c := range u.Credentials {
				all = append(all, fmt.Sprintf("%s (%d)", c.Mechanism, c.Iterations))
			}
			t.row(u.Name, cmp.Or(strings.Join(all, ", "), "missing: run apply"), cmp.Or(u.Service, "-"))
		}
		t.flush()
	}, names)
}

type userDeletedDocument struct {
	Header
	User       string   `json:"user"`
	Mechanisms []string `json:"mechanisms"`
}

// UserDeleted writes that a user was deleted.
func (v *View) UserDeleted(user string, mechanisms []string) error {
	return v.answer(userDeletedDocument{header("UserDeleted"), user, mechanisms}, func(w io.Writer) {
		t := newTable(w, "DELETED", "CREDENTIALS")
		t.row(user, strings.Join(mechanisms, ", "))
		t.flush()
	}, []string{"user/" + user})
}

// What became of a login with a password.
const (
	Taken   = "taken"
	Refused = "refused"
	Absent  = "absent" // there is no such password
)

// A Rotation is how far a user is on the way to another password.
type Rotation struct {
	User      string `json:"user"`
	Service   string `json:"service"`
	Mechanism string `json:"mechanism"`
	Dir       string `json:"dir"`      // where its passwords are
	Password  string `json:"password"` // what a login with it came to
	Next      string `json:"next"`
	State     string `json:"state"`        // at rest, staged, altered, broken, unknown
	Do        string `json:"do,omitempty"` // what is next
}

type rotationsDocument struct {
	Header
	Rotations []Rotation `json:"rotations"`
}

// Rotations writes how far rotations are.
func (v *View) Rotations(all []Rotation) error {
	var names []string
	for _, r := range all {
		names = append(names, "user/"+r.User)
	}
	return v.answer(rotationsDocument{header("Rotations"), all}, func(w io.Writer) {
		if len(all) == 0 {
			fmt.Fprintln(w, "No service here logs in by SCRAM.")
			return
		}
		t := newTable(w, "USER", "SERVICE", "PASSWORD", "NEXT", "STATE", "WHAT NEXT")
		for _, r := range all {
			t.row(r.User, r.Service, r.Password, r.Next, r.State, cmp.Or(r.Do, "-"))
		}
		t.flush()
	}, names)
}
