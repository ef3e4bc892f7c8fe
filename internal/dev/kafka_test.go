//go:build kafka

package dev_test

import (
	"context"
	"crypto/pbkdf2"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/slipway-go/slipway/internal/dev"
	"github.com/slipway-go/slipway/internal/dev/devtest"
	"github.com/slipway-go/slipway/pki"
)

// client connects as l. Nothing here should take longer than a killed node.
func client(t *testing.T, l dev.Login, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	cl, err := kgo.NewClient(append(l.Options(), opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	return cl
}

func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func createTopic(t *testing.T, c *dev.Cluster, name string) {
	t.Helper()
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = name, 3, -1
	req := kmsg.NewPtrCreateTopicsRequest()
	req.Topics = append(req.Topics, topic)
	resp, err := req.RequestWith(within(t, time.Minute), client(t, c.Admin()))
	if err != nil {
		t.Fatal(err)
	}
	if err := kerr.ErrorForCode(resp.Topics[0].ErrorCode); err != nil {
		t.Fatal(err)
	}
	if got := resp.Topics[0].ReplicationFactor; got != 3 {
		t.Errorf("replication factor = %d, want 3", got)
	}
}

func allowWrite(t *testing.T, c *dev.Cluster, principal, topic string) {
	t.Helper()
	acl := kmsg.NewCreateACLsRequestCreation()
	acl.ResourceType, acl.ResourceName = kmsg.ACLResourceTypeTopic, topic
	acl.ResourcePatternType = kmsg.ACLResourcePatternTypeLiteral
	acl.Principal, acl.Host = principal, "*"
	acl.Operation, acl.PermissionType = kmsg.ACLOperationWrite, kmsg.ACLPermissionTypeAllow
	req := kmsg.NewPtrCreateACLsRequest()
	req.Creations = append(req.Creations, acl)
	resp, err := req.RequestWith(within(t, time.Minute), client(t, c.Admin()))
	if err != nil {
		t.Fatal(err)
	}
	if err := kerr.ErrorForCode(resp.Results[0].ErrorCode); err != nil {
		t.Fatal(err)
	}
}

func produce(t *testing.T, cl *kgo.Client, topic, value string) error {
	t.Helper()
	return cl.ProduceSync(within(t, time.Minute), &kgo.Record{Topic: topic, Key: []byte(value), Value: []byte(value)}).FirstErr()
}

func TestCommonNameIsThePrincipal(t *testing.T) {
	c := devtest.Cluster(t)
	const topic = "dev.principal.v1"
	createTopic(t, c, topic)
	writer, err := c.Certificate("svc-writer-dev")
	if err != nil {
		t.Fatal(err)
	}
	other, err := c.Certificate("svc-other-dev")
	if err != nil {
		t.Fatal(err)
	}
	allowWrite(t, c, "User:svc-writer-dev", topic)
	// Until the brokers have the ACL there is a moment of denial.
	cl, ctx := client(t, writer), within(t, time.Minute)
	for err = errors.New("not tried"); err != nil; {
		if err = produce(t, cl, topic, "hello"); err != nil && ctx.Err() != nil {
			t.Fatalf("the principal with the right is denied: %v", err)
		}
	}
	if err := produce(t, client(t, other, kgo.DisableIdempotentWrite()), topic, "hello"); !errors.Is(err, kerr.TopicAuthorizationFailed) {
		t.Errorf("without the right: %v, want TOPIC_AUTHORIZATION_FAILED", err)
	}
	denials := ""
	for _, n := range c.Nodes() {
		data, err := os.ReadFile(filepath.Join(filepath.Dir(n.Log()), "authorizer.log"))
		if err != nil {
			t.Fatal(err)
		}
		denials += string(data)
	}
	if !strings.Contains(denials, "Principal = User:svc-other-dev is Denied") {
		t.Errorf("the authorizer's logs do not tell of the denial:\n%.2000s", denials)
	}
}

func TestPasswordsOfBothMechanismsLogIn(t *testing.T) {
	c := devtest.Cluster(t)
	if err := client(t, c.AdminPassword()).Ping(within(t, time.Minute)); err != nil {
		t.Errorf("SCRAM-SHA-512: %v", err)
	}
	const password = "a-password-of-a-service"
	login, err := c.Password("svc-scram-dev", password, dev.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	salted, err := pbkdf2.Key(sha256.New, password, []byte("salt"), 4096, sha256.Size)
	if err != nil {
		t.Fatal(err)
	}
	u := kmsg.NewAlterUserSCRAMCredentialsRequestUpsertion()
	u.Name, u.Mechanism, u.Iterations, u.Salt, u.SaltedPassword = "svc-scram-dev", 1, 4096, []byte("salt"), salted
	req := kmsg.NewPtrAlterUserSCRAMCredentialsRequest()
	req.Upsertions = append(req.Upsertions, u)
	if _, err := req.RequestWith(within(t, time.Minute), client(t, c.Admin())); err != nil {
		t.Fatal(err)
	}
	ctx := within(t, time.Minute)
	for err = errors.New("not tried"); err != nil; { // until every broker has the user
		if err = client(t, login).Ping(ctx); err != nil && ctx.Err() != nil {
			t.Fatalf("SCRAM-SHA-256: %v", err)
		}
	}
	for name, wrong := range map[string]func() (dev.Login, error){
		"wrong password": func() (dev.Login, error) { return c.Password("svc-wrong-dev", password, dev.SHA512) },
		"unknown user":   func() (dev.Login, error) { return c.Password("nobody", password, dev.SHA256) },
	} {
		login, err := wrong()
		if err != nil {
			t.Fatal(err)
		}
		if err := client(t, login, kgo.RequestRetries(0)).Ping(within(t, time.Minute)); err == nil {
			t.Errorf("%s: logged in", name)
		}
	}
}

func TestStrangersAreRefused(t *testing.T) {
	c := devtest.Cluster(t)
	foreign, err := pki.NewAuthority("slipway dev default CA", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	cert, err := foreign.Issue(pki.Request{CommonName: "admin", Usage: pki.Client})
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		opt  kgo.Opt
		want string
	}{
		"no certificate":           {kgo.DialTLSConfig(tlsConfig(c)), "remote error: tls: "},
		"another's certificate":    {kgo.DialTLSConfig(tlsConfig(c, cert.TLS())), "remote error: tls: "},
		"our server's certificate": {kgo.DialTLSConfig(tlsConfig(c, serverCertificate(t, c))), "remote error: tls: "},
		"no TLS":                   {kgo.ClientID("plain"), ""},
	} {
		cl, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(c.MTLS(), ",")...), kgo.RequestRetries(0), tt.opt)
		if err != nil {
			t.Fatal(err)
		}
		if err := cl.Ping(within(t, time.Minute)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want to be refused with %q", name, err, tt.want)
		}
		cl.Close()
	}
}

func TestJavaToolsConnectAsPrinted(t *testing.T) {
	c := devtest.Cluster(t)
	const topic = "dev.java.v1"
	createTopic(t, c, topic)
	for _, login := range []dev.Login{c.Admin(), c.AdminPassword()} {
		command := login.Commands()[1]
		out, err := exec.CommandContext(within(t, 2*time.Minute), "sh", "-c", command).CombinedOutput()
		if err != nil || !strings.Contains(string(out), topic) {
			t.Errorf("%s: %v\n%s", command, err, out)
		}
	}
}

func TestClusterSurvivesAKilledAndAPausedNode(t *testing.T) {
	c := devtest.Cluster(t)
	const topic, records = "dev.survives.v1", 60
	createTopic(t, c, topic)
	cl := client(t, c.Admin())
	second := c.Node(2)
	for i := range records {
		switch i {
		case records / 4:
			second.Kill()
			if second.PID() != 0 {
				t.Error("a killed node has a process")
			}
		case records / 2:
			began := time.Now()
			if err := second.Start(within(t, 2*time.Minute)); err != nil {
				t.Fatal(err)
			}
			t.Logf("the killed node serves again after %.1f s", time.Since(began).Seconds())
		case records * 3 / 4:
			if err := second.Pause(); err != nil {
				t.Fatal(err)
			}
		}
		if err := produce(t, cl, topic, fmt.Sprint(i)); err != nil {
			t.Fatalf("record %d: %v", i, err)
		}
	}
	if err := second.Resume(); err != nil {
		t.Fatal(err)
	}
	if got := readAll(t, c, topic, records); len(got) != records {
		t.Errorf("%d records of %d acknowledged ones are there", len(got), records)
	}
}

func TestRegistryKeepsSchemasWhenKilled(t *testing.T) {
	c := devtest.Cluster(t)
	register(t, c.Registry())
	c.StopRegistry()
	if err := c.StartRegistry(within(t, time.Minute)); err != nil {
		t.Fatal(err)
	}
	if got := subjects(t, c.Registry()); !strings.Contains(got, "kept-value") {
		t.Errorf("subjects = %s, want the one registered before", got)
	}
}
