package cli_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/internal/auth"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/internal/secret"
)

// staffed is a cluster with the users of an estate, whose passwords lie in
// secrets as apply leaves them.
func staffed(t *testing.T) (f *liveFixture, estate, secrets string) {
	t.Helper()
	f = alive(t)
	estate = place(t, map[string]string{
		"orders/slipway.yaml": shopOrders, "stock/slipway.yaml": shopStock, "ca.crt": string(f.cluster.CA()),
		"gate/slipway.yaml": "apiVersion: slipway.dev/v1\nkind: Service\nmetadata: {name: gate, owner: team}\ntopics: {gate.opened.v1: {}}\nproduces: {gate.opened.v1: {}}\n",
		"clusters.yaml":     "apiVersion: slipway.dev/v1\nkind: Clusters\nclusters:\n  kafka: {id: \"" + f.admin.ID() + "\", bootstrap: {scram: \"" + f.bootstrap() + "\", mtls: \"127.0.0.1:1\"}, ca: {file: ca.crt}}\nenvironments:\n  prod: {default: kafka}\n",
	})
	secrets = t.TempDir()
	for _, user := range []string{"svc-orders-prod", "svc-stock-prod", "svc-stock-prod-redrive"} {
		f.must(f.admin.SetPasswords(t.Context(), []kafka.Login{f.user(user, contract.SCRAMSHA512)})...)
		f.must(os.Mkdir(filepath.Join(secrets, user), 0o700), os.WriteFile(filepath.Join(secrets, user, "password"), []byte(f.cluster.Password(user)+"\n"), 0o600))
	}
	return f, estate, secrets
}

// logsIn reports whether the cluster takes a user's password.
func (f *liveFixture) logsIn(user string, mechanism contract.Auth, password string) bool {
	c, err := kafka.Connect(f.Context(), kafka.Config{
		Bootstrap: f.bootstrap(), Auth: mechanism, TLS: f.cluster.TLS(), User: user, Password: auth.Static(secret.New(password)),
	})
	if err == nil {
		c.Close()
	}
	return err == nil
}

func TestUsersAreListedWithTheServiceThatDeclaresThem(t *testing.T) {
	t.Parallel()
	f, estate, _ := staffed(t)
	f.must(f.admin.SetPasswords(t.Context(), []kafka.Login{f.user("someone", contract.SCRAMSHA256)})...)
	f.must(f.admin.DeleteUsers(t.Context(), []kafka.Credential{{User: "svc-orders-prod", Mechanism: contract.SCRAMSHA512}})...)
	got := f.require(f.slipway("user", "list", "--dir", estate), 0)
	var lines []string
	for line := range strings.Lines(got.out) {
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	want := []string{
		"USER CREDENTIALS SERVICE", "admin scram-sha-256 (4096), scram-sha-512 (4096) -", "someone scram-sha-256 (4096) -",
		"svc-orders-prod missing: run apply orders", "svc-stock-prod scram-sha-512 (4096) stock", "svc-stock-prod-redrive scram-sha-512 (4096) stock",
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
	f.require(f.slipway("user", "list", "--dir", estate, "-o", "json"), 0, `"kind": "Users"`, `"iterations": 4096`)
}

func TestAUserIsDeletedOnlyIfNobodyDeclaresItAndItIsMeant(t *testing.T) {
	t.Parallel()
	f, estate, _ := staffed(t)
	for _, mechanism := range []contract.Auth{contract.SCRAMSHA256, contract.SCRAMSHA512} {
		f.must(f.admin.SetPasswords(t.Context(), []kafka.Login{f.user("someone", mechanism)})...)
	}
	for name, tt := range map[string]struct {
		user, allow string
		status      int
		want        string
	}{
		"a service's":        {"svc-stock-prod", "delete:user/svc-stock-prod", 3, "SLP-USR-002"},
		"a redrive's":        {"svc-stock-prod-redrive", "delete:user/svc-stock-prod-redrive", 3, "SLP-USR-002"},
		"one's own":          {"admin", "delete:user/admin", 3, "logs in as"},
		"no such user":       {"nobody", "delete:user/nobody", 1, "SLP-USR-001"},
		"without leave":      {"someone", "", 3, "--allow delete:user/someone"},
		"leave for somebody": {"someone", "delete:user/other", 3, "SLP-USR-003"},
	} {
		args := []string{"user", "delete", tt.user, "--dir", estate}
		if tt.allow != "" {
			args = append(args, "--allow", tt.allow)
		}
		if got := f.slipway(args...); got.status != tt.status || !strings.Contains(got.err, tt.want) {
			t.Errorf("%s: status %d, want %d with %q\n%s", name, got.status, tt.status, tt.want, got.err)
		}
	}
	if !f.logsIn("someone", contract.SCRAMSHA256, f.cluster.Password("someone")) {
		t.Fatal("a refusal deleted somebody")
	}
	f.require(f.slipway("user", "delete", "someone", "--dir", estate, "--allow", "delete:user/someone"), 0, "scram-sha-256, scram-sha-512")
	if f.logsIn("someone", contract.SCRAMSHA256, f.cluster.Password("someone")) || f.logsIn("someone", contract.SCRAMSHA512, f.cluster.Password("someone")) {
		t.Error("the user can still log in")
	}
}

func TestAPasswordIsRotatedInStepsThatCanBeRunAgain(t *testing.T) {
	t.Parallel()
	f, estate, secrets := staffed(t)
	const user = "svc-stock-prod"
	f.must(f.admin.SetPasswords(t.Context(), []kafka.Login{f.user(user, contract.SCRAMSHA256)})...)
	before := f.cluster.Password(user)
	rotate := func(args ...string) result {
		return f.slipway(append([]string{"user", "rotate", "stock", "--dir", estate, "--secrets", secrets, "--iterations", "4096"}, args...)...)
	}
	f.require(rotate("--status"), 0, "at rest")
	f.require(rotate("--alter", "--confirmed-by-all"), 1, "SLP-USR-005")
	f.require(rotate("--promote"), 0, "at rest")

	f.require(rotate("--stage"), 0, "staged", "kubectl create secret generic svc-stock-prod --from-file="+filepath.Join(secrets, user))
	next := read(t, secrets, user+"/password.next")
	info, err := os.Stat(filepath.Join(secrets, user, "password.next"))
	if err != nil || info.Mode().Perm() != 0o600 || len(next) < 20 || next == before {
		t.Fatalf("the next password is not there as it should be: %v %v", info.Mode(), err)
	}
	again := f.require(rotate("--stage"), 0, "staged")
	if read(t, secrets, user+"/password.next") != next {
		t.Error("staging again made another password")
	}

	f.require(rotate("--promote"), 3, "SLP-USR-007")
	f.require(rotate("--alter"), 3, "SLP-USR-006")
	if !f.logsIn(user, contract.SCRAMSHA512, before) {
		t.Fatal("a refusal altered the credential")
	}
	for range 2 {
		f.require(rotate("--alter", "--confirmed-by-all"), 0, "altered")
		if f.logsIn(user, contract.SCRAMSHA512, before) || f.logsIn(user, contract.SCRAMSHA256, before) || !f.logsIn(user, contract.SCRAMSHA512, next) {
			t.Error("the cluster does not take the next password, and it alone")
		}
	}
	f.require(rotate("--status"), 0, "altered", "--promote")
	for range 2 {
		f.require(rotate("--promote"), 0, "at rest")
	}
	if got := read(t, secrets, user+"/password"); got != next {
		t.Error("the password in force is not the one that was staged")
	}
	entries, err := os.ReadDir(filepath.Join(secrets, user))
	if err != nil || len(entries) != 1 {
		t.Errorf("the directory has %v: %v", entries, err)
	}
	all := f.require(f.slipway("user", "rotate", "--status", "--dir", estate, "--secrets", secrets, "-o", "json"), 0, `"kind": "Rotations"`, "svc-orders-prod", "svc-stock-prod-redrive")
	for _, got := range []result{again, all} {
		for _, password := range []string{before, next} {
			if strings.Contains(got.out+got.err, password) {
				t.Error("a password was shown")
			}
		}
	}
}

func TestARotationThatWasKilledGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	f, estate, secrets := staffed(t)
	const user = "svc-orders-prod"
	rotate := func(args ...string) result {
		return f.slipway(append([]string{"user", "rotate", "orders", "--dir", estate, "--secrets", secrets, "--iterations", "4096"}, args...)...)
	}
	// Killed while the next password was being written: half of it lies beside.
	f.must(os.WriteFile(filepath.Join(secrets, "."+user+".password.next"), []byte("ha"), 0o600))
	f.require(rotate("--stage"), 0, "staged")
	if next := read(t, secrets, user+"/password.next"); len(next) < 20 {
		t.Errorf("half a password was staged")
	}
	// Killed between the two credentials of the user: one of them is altered.
	f.must(f.admin.SetPasswords(t.Context(), []kafka.Login{f.user(user, contract.SCRAMSHA256)})...)
	next := read(t, secrets, user+"/password.next")
	half := f.user(user, contract.SCRAMSHA512)
	half.Password = secret.New(next)
	f.must(f.admin.SetPasswords(t.Context(), []kafka.Login{half})...)
	f.require(rotate("--alter", "--confirmed-by-all"), 0, "altered")
	if f.logsIn(user, contract.SCRAMSHA256, f.cluster.Password(user)) {
		t.Error("the old password still works by the other mechanism")
	}
	f.require(rotate("--promote"), 0, "at rest")
}

func TestTheStepsAreRefusedWhereTheyWouldLockSomebodyOut(t *testing.T) {
	t.Parallel()
	f, estate, secrets := staffed(t)
	rotate := func(args ...string) result {
		return f.slipway(append([]string{"user", "rotate", "--dir", estate, "--secrets", secrets}, args...)...)
	}
	f.require(rotate("stck", "--stage"), 1, "SLP-USR-001", "did you mean stock?")
	f.require(rotate("gate", "--stage"), 1, "SLP-USR-008", "gate/slipway.yaml")
	f.require(rotate("stock"), 64, "one of --stage, --alter, --promote and --status")
	f.require(rotate("--stage"), 64, "a service is needed")
	f.require(rotate("stock", "--stage", "--alter"), 64, "one of --stage")
	f.require(rotate("stock", "--alter", "--iterations", "4095"), 64, "want 4096 to 16384")
	f.require(rotate("stock", "--alter", "--iterations", "16385"), 64, "want 4096 to 16384")
	f.require(f.slipway("user", "rotate", "stock", "--dir", estate, "--stage"), 64, "--secrets is missing")
	f.require(f.slipway("user", "rotate", "stock", "--dir", estate, "--stage", "--secrets", filepath.Join(secrets, "none")), 1, "SLP-USR-009")

	password := filepath.Join(secrets, "svc-stock-prod", "password")
	f.must(os.Chmod(password, 0o644))
	f.require(rotate("stock", "--stage"), 1, "SLP-USR-009", "open to others")
	f.must(os.Remove(password))
	f.require(rotate("stock", "--stage"), 1, "SLP-USR-004")
	f.require(rotate("stock", "--status"), 0, "unknown")
	f.must(os.WriteFile(password, []byte("not-the-password"), 0o600))
	f.require(rotate("stock", "--status"), 0, "broken")
	f.require(rotate("stock", "--promote"), 1, "SLP-USR-005")
	f.must(f.admin.DeleteUsers(t.Context(), []kafka.Credential{{User: "svc-stock-prod", Mechanism: contract.SCRAMSHA512}})...)
	f.require(rotate("stock", "--stage"), 0, "broken")
	f.require(rotate("stock", "--alter", "--confirmed-by-all"), 1, "SLP-USR-001", "run slipway apply")
}

func TestEveryInstanceThatIsNamedHasToReportTheNextPassword(t *testing.T) {
	t.Parallel()
	f, estate, secrets := staffed(t)
	instance := func(status int, body string) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/slipway/v1/credential" {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			if got := r.Header.Get("Authorization"); got != "Bearer a-token-of-admins" {
				t.Errorf("Authorization is %q", got)
			}
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}))
		t.Cleanup(s.Close)
		return s.URL
	}
	f.must(os.WriteFile(filepath.Join(f.dir, "token"), []byte("a-token-of-admins\n"), 0o600))
	has := instance(200, `{"user": "svc-stock-prod", "using": "current", "mounted": ["current", "next"]}`)
	rotate := func(instances ...string) result {
		args := []string{"user", "rotate", "stock", "--dir", estate, "--secrets", secrets, "--iterations", "4096", "--alter", "--admin-token-file", filepath.Join(f.dir, "token")}
		for _, i := range instances {
			args = append(args, "--instance", i)
		}
		return f.slipway(args...)
	}
	f.require(f.slipway("user", "rotate", "stock", "--dir", estate, "--secrets", secrets, "--stage"), 0)
	for name, tt := range map[string]struct{ address, want string }{
		"one that lacks it":     {instance(200, `{"user": "svc-stock-prod", "mounted": ["current"]}`), "does not have the next password yet"},
		"one of another user":   {instance(200, `{"user": "svc-orders-prod", "mounted": ["next"]}`), "logs in as svc-orders-prod"},
		"one that is old":       {instance(404, ""), "status 404"},
		"one that is no JSON":   {instance(200, "hello"), "not how a service logs in"},
		"one that is not there": {"http://127.0.0.1:1", "refused"},
		"no address":            {"stock-1", "no address"},
	} {
		if got := rotate(has, tt.address); got.status != 3 || !strings.Contains(got.err, "SLP-USR-006") || !strings.Contains(got.err, tt.want) {
			t.Errorf("%s: status %d\n%s", name, got.status, got.err)
		}
	}
	f.require(rotate(has, has), 0, "altered")
}
