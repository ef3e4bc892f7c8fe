package config

import (
	"fmt"
	"io"
	"regexp"
)

// mask is what is shown in place of a secret, as package secret does.
const mask = "***"

var (
	userinfo  = regexp.MustCompile(`(?s)://.*@`)
	passwords = regexp.MustCompile(`(?i)\b(password|passwd|pwd|secret|token)=[^&\s]*`)
)

// masked hides what of a text that is no secret as a whole may be one: who logs
// in by a URL, and passwords among parameters. It hides too much rather than
// too little, because passwords can have any character.
func masked(text string) string {
	return passwords.ReplaceAllString(userinfo.ReplaceAllString(text, "://"+mask+"@"), "$1="+mask)
}

// shown is a value of the key as people may see it.
func (k Key) shown(text string) string {
	switch {
	case text == "":
		return ""
	case k.Secret:
		return mask
	}
	return masked(text)
}

// Format shows which key is given, and where, for every verb. Whether it is
// secret is not known here.
func (g Given) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "%s at %v", g.Key, g.At)
}

// Format shows whose configuration it loads, for every verb.
func (l *Loader) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "configuration of "+l.cfg.Contract.Name)
}
