package cli_test

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/internal/connect/connecttest"
)

// startWorkers runs Kafka Connect for as long as the script, and makes it that
// of the cluster in DIR's clusters.yaml: workers DIR. The file connect.auth has
// what it wants of those who ask. A connector whose name stands in FAIL fails.
func startWorkers(ts *testscript.TestScript, _ bool, args []string) {
	w := &connecttest.Worker{User: "apply", Password: "connect-password"}
	for _, name := range args[1:] {
		w.Fail(name, "java.lang.Error: disk \x1b[2J full\n\tat a.B(B.java:1)")
	}
	s := httptest.NewServer(w)
	ts.Defer(s.Close)
	file := filepath.Join(ts.MkAbs(args[0]), contract.ClustersFile)
	text := strings.Replace(ts.ReadFile(file), "    defaults:", `    connect: {url: "`+s.URL+`"}`+"\n    defaults:", 1)
	ts.Check(os.WriteFile(file, []byte(text), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs("connect.auth"), []byte("apply:connect-password\n"), 0o600))
}
