package embedded_test

import (
	"context"
	"crypto/pbkdf2"
	"crypto/sha512"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/slipway-go/slipway/internal/embedded"
)

// start starts a cluster that ends with the test.
func start(t *testing.T, cfg embedded.Config) *embedded.Cluster {
	t.Helper()
	c, err := embedded.Start(t.Context(), cfg)
	if err != nil {
		t.Fatalf("Start: %v", err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return c
}

// client connects as a user.
func client(t *testing.T, c *embedded.Cluster, as embedded.Login, more ...kgo.Opt) *kgo.Client {
	t.Helper()
	cl, err := kgo.NewClient(append(c.Options(as), more...)...)
	if err != nil {
		t.Fatalf("NewClient: %v", err)
	}
	t.Cleanup(cl.Close)
	return cl
}

// admin applies what plan and apply would, with the protocol's own requests.
type admin struct {
	*testing.T
	client *kgo.Client
}

func adminOf(t *testing.T, c *embedded.Cluster) admin {
	return admin{t, client(t, c, c.Admin())}
}

func (a admin) check(what string, code int16, err error) {
	a.Helper()
	if err == nil {
		err = kerr.ErrorForCode(code)
	}
	if err != nil {
		a.Fatalf("%s: %v", what, err)
	}
}

// topic creates a topic and returns the error that the broker answers.
func (a admin) topic(name string, replicas int16) error {
	a.Helper()
	req := kmsg.NewPtrCreateTopicsRequest()
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = name, 3, replicas
	req.Topics = append(req.Topics, topic)
	resp, err := req.RequestWith(a.Context(), a.client)
	if err != nil {
		return err
	}
	return kerr.ErrorForCode(resp.Topics[0].ErrorCode)
}

// user creates a SCRAM user as Kafka's tools do.
func (a admin) user(login embedded.Login) {
	a.Helper()
	salt := []byte("0123456789abcdef")
	salted, err := pbkdf2.Key(sha512.New, login.Password, salt, 4096, sha512.Size)
	a.check("derive the password", 0, err)
	req := kmsg.NewPtrAlterUserSCRAMCredentialsRequest()
	up := kmsg.NewAlterUserSCRAMCredentialsRequestUpsertion()
	up.Name, up.Mechanism, up.Iterations, up.Salt, up.SaltedPassword = login.User, 2, 4096, salt, salted
	req.Upsertions = append(req.Upsertions, up)
	resp, err := req.RequestWith(a.Context(), a.client)
	a.check("create user", 0, err)
	a.check("create user", resp.Results[0].ErrorCode, nil)
}

// allow creates a literal ACL binding.
func (a admin) allow(user string, kind kmsg.ACLResourceType, name string, op kmsg.ACLOperation) {
	a.Helper()
	req := kmsg.NewPtrCreateACLsRequest()
	c := kmsg.NewCreateACLsRequestCreation()
	c.Principal, c.Host = "User:"+user, "*"
	c.ResourceType, c.ResourceName, c.ResourcePatternType = kind, name, kmsg.ACLResourcePatternTypeLiteral
	c.Operation, c.PermissionType = op, kmsg.ACLPermissionTypeAllow
	req.Creations = append(req.Creations, c)
	resp, err := req.RequestWith(a.Context(), a.client)
	a.check("create ACL", 0, err)
	a.check("create ACL", resp.Results[0].ErrorCode, nil)
}

// within bounds what a test waits for.
func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}
