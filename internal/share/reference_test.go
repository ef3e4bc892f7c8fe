package share_test

import (
	"strings"
	"testing"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/share"
)

func TestAReferenceNamesATagOrADirectoryOfABranch(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"oci://registry.example.com/contracts/payments:main",
		"oci://localhost:5000/payments:1.2.3",
		"oci://registry.example.com/p@sha256:" + strings.Repeat("a", 64),
		"git+https://git.example.com/team/orders.git#main",
		"git+https://git.example.com:8443/orders.git#release/1.2:deploy/contract",
		"git+ssh://git@git.example.com/orders.git#main:deploy",
		"git+file:///srv/git/orders.git#main",
		"file:///srv/git/orders.git#" + strings.Repeat("a", 40),
	} {
		ref, err := share.ParseReference(text)
		if err != nil || ref.String() != text {
			t.Errorf("%s: got %v, %v", text, ref, err)
		}
	}
}

func TestAReferenceThatCouldMeanSomethingElseIsRefused(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"nothing":               "",
		"a path":                "../estate",
		"no scheme":             "registry.example.com/p:main",
		"in the clear":          "git+http://git.example.com/orders.git#main",
		"a program":             "ext::sh -c touch% /tmp/x#main",
		"a program behind git+": "git+ext::sh -c true#main",
		"git's own protocol":    "git://git.example.com/orders.git#main",
		"no tag":                "oci://registry.example.com/p",
		"no repository":         "oci://registry.example.com:main",
		"a user in front":       "oci://u:p@registry.example.com/p:main",
		"a short digest":        "oci://registry.example.com/p@sha256:abc",
		"another digest":        "oci://registry.example.com/p@sha512:" + strings.Repeat("a", 128),
		"no branch":             "git+https://git.example.com/orders.git",
		"an empty branch":       "git+https://git.example.com/orders.git#",
		"an option as branch":   "git+https://git.example.com/orders.git#--upload-pack=x",
		"a refspec":             "git+https://git.example.com/orders.git#+main:x",
		"a revision":            "git+https://git.example.com/orders.git#main~1",
		"a range":               "git+https://git.example.com/orders.git#a..b",
		"HEAD":                  "git+https://git.example.com/orders.git#HEAD",
		"a lock as branch":      "git+https://git.example.com/orders.git#main.lock",
		"a way out":             "git+https://git.example.com/orders.git#main:../x",
		"an absolute directory": "git+https://git.example.com/orders.git#main:/etc",
		"git's own directory":   "git+https://git.example.com/orders.git#main:.git/hooks",
		"a pathspec":            "git+https://git.example.com/orders.git#main::(top)x",
		"a password":            "git+https://u:secret@git.example.com/orders.git#main",
		"a token as user":       "git+https://token@git.example.com/orders.git#main",
		"an option as host":     "git+ssh://-oProxyCommand=x/orders.git#main",
		"an option as user":     "git+ssh://-oProxyCommand=x@host/orders.git#main",
		"a query":               "git+https://git.example.com/orders.git?x=1#main",
		"a shell's words":       "git+ssh://git@host/$(touch x)#main",
		"up in a path":          "file:///srv/../etc#main",
		"a host of a file":      "file://host/srv/git#main",
		"an option as path":     "file:///-x#main",
		"a line":                "oci://registry.example.com/p:main\nx",
		"too long":              "oci://registry.example.com/" + strings.Repeat("a", 2000) + ":main",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := share.ParseReference(text)
			wantCode(t, err, diag.ShareReference)
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Error("the error shows a secret")
			}
		})
	}
}

func FuzzParseReference(f *testing.F) {
	for _, seed := range []string{"oci://h/p:t", "git+https://h/p#b:d", "git+ssh://u@h/p#b", "file:///p#b", "ext::sh#x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		ref, err := share.ParseReference(text)
		if err != nil {
			return
		}
		if ref.String() != text {
			t.Errorf("%q became %q", text, ref)
		}
		if !strings.HasPrefix(text, "oci://") && (strings.Contains(text, "::") || strings.ContainsAny(text, " \n\x00$`;|&<>\\\"'")) {
			t.Errorf("%q is taken", text)
		}
	})
}
