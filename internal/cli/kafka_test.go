//go:build kafka

package cli_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/internal/auth"
	"github.com/slipway-go/slipway/internal/dev"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/internal/secret"
)

// The whole way on a real cluster that runs in the background: start, plan and
// apply as its administrator, log in as the user that was created with the
// password that was delivered, stop.
func TestApplyDeliversPasswordsThatRealKafkaTakes(t *testing.T) {
	if _, err := exec.LookPath("java"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("java is not installed: install Java 17")
		}
		t.Skip("java is not installed: install Java 17")
	}
	name := fmt.Sprintf("clitest-%d", os.Getpid())
	slipway := func(want int, args ...string) string {
		t.Helper()
		var out, errs strings.Builder
		cmd := exec.Command("slipway", args...)
		cmd.Stdout, cmd.Stderr = &out, &errs
		err := cmd.Run()
		if got := cmd.ProcessState.ExitCode(); got != want {
			t.Fatalf("slipway %s: status %d, want %d (%v)\n%s%s", strings.Join(args, " "), got, want, err, out.String(), errs.String())
		}
		return out.String()
	}

	slipway(2, "dev", "status", "--name", name)
	slipway(0, "dev", "up", "--name", name)
	var in dev.Instance
	if err := json.Unmarshal([]byte(slipway(0, "dev", "status", "--name", name, "-o", "json")), &in); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(in.Dir) })
	t.Cleanup(func() { _ = dev.Down(context.WithoutCancel(t.Context()), dev.Config{Name: name}) })
	slipway(1, "dev", "up", "--name", name)

	admin := func(file string) string { return filepath.Join(in.Dir, "identities", "admin", file) }
	ca, err := os.ReadFile(admin("ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	dir := place(t, map[string]string{"ca.crt": string(ca),
		"slipway.yaml": strings.Replace(owner, "topics:", "identity: {auth: scram-sha-512}\ntopics:", 1),
		"clusters.yaml": fmt.Sprintf(`apiVersion: slipway.dev/v1
kind: Clusters
clusters:
  real: {id: %q, bootstrap: {mtls: %q, scram: %q}, ca: {file: ca.crt}}
environments:
  prod: {default: real}
`, in.ClusterID, in.MTLS, in.SCRAM)})
	as := []string{"--tls-cert", admin("tls.crt"), "--tls-key", admin("tls.key")}
	secrets := filepath.Join(dir, "secrets")
	slipway(2, append([]string{"plan", dir, "--exit-code"}, as...)...)
	slipway(0, append([]string{"apply", dir, "--yes", "--secrets", secrets}, as...)...)
	slipway(0, append([]string{"plan", dir, "--exit-code"}, as...)...)

	const user = "svc-orders-prod"
	password, err := os.ReadFile(filepath.Join(secrets, user, "password"))
	if err != nil {
		t.Fatal(err)
	}
	k, err := kafka.Connect(t.Context(), kafka.Config{
		Bootstrap: in.SCRAM, Auth: contract.SCRAMSHA512, User: user,
		Password: auth.Static(secret.New(string(password))), TLS: trust(t, ca),
	})
	if err != nil {
		t.Fatalf("log in as %s: %v", user, err)
	}
	k.Close()

	slipway(0, "dev", "down", "--name", name)
	slipway(1, "dev", "down", "--name", name)
}

func trust(t *testing.T, ca []byte) *tls.Config {
	t.Helper()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(ca) {
		t.Fatal("the CA is no certificate")
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool}
}
