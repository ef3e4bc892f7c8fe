package embedded_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/embedded"
	"github.com/slipway-go/slipway/schema"
)

func TestARestartKeepsTopicsUsersRightsAndSchemas(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text := schema.Text{Format: "avro", Schema: `{"type":"record","name":"Placed","fields":[]}`}

	first := start(t, embedded.Config{Dir: dir})
	a := adminOf(t, first)
	login := embedded.Login{User: "svc-shop-dev", Password: first.Password("svc-shop-dev")}
	a.check("create topic", 0, a.topic("orders", 3))
	a.user(login)
	a.allow(login.User, kmsg.ACLResourceTypeTopic, "orders", kmsg.ACLOperationWrite)
	a.allow(login.User, kmsg.ACLResourceTypeTopic, "orders", kmsg.ACLOperationRead)
	a.produce(first, login, "before")
	id, err := registryAdmin(t, first, first.Registry().Admin).Register(t.Context(), "orders-value", text)
	a.check("register", 0, err)
	a.client.Close()
	a.check("close", 0, first.Close())

	second := start(t, embedded.Config{Dir: dir})
	if got := second.Password(login.User); got != login.Password {
		t.Errorf("the password of %s changed", login.User)
	}
	if string(second.CA()) != string(first.CA()) {
		t.Error("the authority changed")
	}
	a = adminOf(t, second)
	a.produce(second, login, "after")
	cl := client(t, second, login, kgo.ConsumeTopics("orders"))
	var got []string
	for ctx := within(t, time.Minute); len(got) < 2; {
		fetches := cl.PollFetches(ctx)
		a.check("consume", 0, fetches.Err())
		fetches.EachRecord(func(r *kgo.Record) { got = append(got, string(r.Value)) })
	}
	if kept, err := registryAdmin(t, second, second.Registry().Reader).Text(t.Context(), id); err != nil || !kept.Equal(text) {
		t.Errorf("schema %d after the restart = %v, %v", id, kept, err)
	}
}

// produce writes one record as a user.
func (a admin) produce(c *embedded.Cluster, as embedded.Login, value string) {
	a.Helper()
	cl := client(a.T, c, as)
	err := cl.ProduceSync(within(a.T, 20*time.Second), &kgo.Record{Topic: "orders", Value: []byte(value)}).FirstErr()
	a.check("produce", 0, err)
	cl.Close()
}

func TestADataDirectoryHasOneClusterAtATime(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := start(t, embedded.Config{Dir: dir})
	if _, err := embedded.Start(t.Context(), embedded.Config{Dir: dir}); !errors.Is(err, diag.EmbeddedInUse) {
		t.Fatalf("second Start = %v, want %s", err, diag.EmbeddedInUse)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	start(t, embedded.Config{Dir: dir})
}

func TestADamagedDataDirectoryIsRefused(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(dir string) error{
		"secret removed":  func(dir string) error { return os.Remove(filepath.Join(dir, "secret")) },
		"secret cut":      func(dir string) error { return os.Truncate(filepath.Join(dir, "secret"), 10) },
		"secret replaced": func(dir string) error { return replaceSecret(dir) },
		"authority cut":   func(dir string) error { return os.Truncate(filepath.Join(dir, "ca", "ca.crt"), 40) },
		"topics garbled": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "kafka", "topics.json"), []byte("{"), 0o600)
		},
		"journal garbled": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "registry.journal"), []byte("x\ny\n"), 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := start(t, embedded.Config{Dir: dir}).Close(); err != nil {
				t.Fatal(err)
			}
			if err := damage(dir); err != nil {
				t.Fatal(err)
			}
			if _, err := embedded.Start(t.Context(), embedded.Config{Dir: dir}); !errors.Is(err, diag.EmbeddedDamaged) {
				t.Errorf("Start = %v, want %s", err, diag.EmbeddedDamaged)
			}
		})
	}
}

// replaceSecret puts another cluster's secret into a directory.
func replaceSecret(dir string) error {
	path := filepath.Join(dir, "secret")
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if text[0] == '0' {
		text[0] = '1'
	} else {
		text[0] = '0'
	}
	return os.WriteFile(path, text, 0o600)
}

func TestAnUnusableDataDirectoryIsNamed(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := embedded.Start(t.Context(), embedded.Config{Dir: file}); !errors.Is(err, diag.EmbeddedDirectory) {
		t.Errorf("Start = %v, want %s", err, diag.EmbeddedDirectory)
	}
}

func TestNobodyElseMayReadTheDataDirectory(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state")
	start(t, embedded.Config{Dir: dir})
	for path, want := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, "secret"): 0o600} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", filepath.Base(path), got, want)
		}
	}
}
