package cli_test

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/internal/kafka"
)

// makeACLs adds ACLs to the cluster of the script, as its administrator: acls
// FILE DIR SECRETS. Each line of the file is
//
//	allow|deny PRINCIPAL OPERATION RESOURCE LITERAL|PREFIXED NAME HOST
//
// with the name in quotes as Go writes them. DIR has the cluster's
// clusters.yaml; the users whose passwords are in SECRETS can log in after it.
// BOOTSTRAP is set to where the cluster is, and ESCAPE to what clears a screen.
func makeACLs(ts *testscript.TestScript, _ bool, args []string) {
	cfg := administrator(ts, args[1])
	admit(ts, cfg, args[2])
	ts.Setenv("BOOTSTRAP", cfg.Bootstrap)
	ts.Setenv("ESCAPE", "\x1b[2J")
	var bindings []acl.Binding
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		words := strings.Fields(line)
		name, err := strconv.Unquote(words[5])
		ts.Check(err)
		bindings = append(bindings, acl.Binding{
			Permission: acl.Permission(strings.ToUpper(words[0])), Principal: words[1], Operation: acl.Operation(words[2]),
			ResourceType: acl.ResourceType(words[3]), Pattern: acl.Pattern(words[4]), Name: name, Host: words[6],
		})
	}
	k, err := kafka.Connect(context.Background(), cfg)
	ts.Check(err)
	defer k.Close()
	ts.Check(errors.Join(k.Grant(context.Background(), bindings)...))
}
