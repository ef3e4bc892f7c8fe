package kafka

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/slipway-go/slipway/acl"
)

// Authorized asks the cluster what this very login may do with one resource. It
// needs no rights: a refusal is an answer. Nothing is changed by asking, no
// group is joined, and no transactional id is taken from a producer that uses
// it, which is why the proof says no more of one than whether it may be
// described. The name of a [acl.Cluster] is ignored.
func (c *Cluster) Authorized(ctx context.Context, r acl.Resource) (acl.Proof, error) {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	ask := map[acl.ResourceType]func(context.Context, string) (acl.Proof, error){
		acl.Topic: c.authorizedTopic, acl.Group: c.authorizedGroup,
		acl.TransactionalID: c.authorizedTransactions, acl.Cluster: c.authorizedCluster,
	}[r.Type]
	if ask == nil {
		return acl.Proof{}, fmt.Errorf("ask for rights on %s %s: clusters do not tell", r.Type, r.Name)
	}
	p, err := ask(ctx, r.Name)
	if err != nil {
		return acl.Proof{}, c.diagnose(err)
	}
	return p, nil
}

// authorizedTopic asks about a topic, which need not exist.
func (c *Cluster) authorizedTopic(ctx context.Context, topic string) (acl.Proof, error) {
	req := kmsg.NewPtrMetadataRequest()
	rt := kmsg.NewMetadataRequestTopic()
	rt.Topic = &topic
	req.Topics, req.IncludeTopicAuthorizedOperations = append(req.Topics, rt), true
	resp, err := req.RequestWith(ctx, c.client)
	if err != nil {
		return acl.Proof{}, err
	}
	if len(resp.Topics) != 1 {
		return acl.Proof{}, fmt.Errorf("the cluster gave %d answers for topic %s", len(resp.Topics), topic)
	}
	t := resp.Topics[0]
	return proof(acl.Topic, t.AuthorizedOperations, t.ErrorCode, kerr.TopicAuthorizationFailed, kerr.UnknownTopicOrPartition)
}

// describeGroups is the request in the last version in which a group that does
// not exist, or is of another protocol, is answered with the rights on it.
type describeGroups struct{ *kmsg.DescribeGroupsRequest }

// MaxVersion implements [kmsg.Request].
func (describeGroups) MaxVersion() int16 { return 5 }

// authorizedGroup asks about a group, which need not exist.
func (c *Cluster) authorizedGroup(ctx context.Context, group string) (acl.Proof, error) {
	found, err := c.coordinator(ctx, group, 0)
	if err != nil {
		return acl.Proof{}, err
	}
	if kerr.ErrorForCode(found.ErrorCode) != nil {
		return proof(acl.Group, math.MinInt32, found.ErrorCode, kerr.GroupAuthorizationFailed)
	}
	req := kmsg.NewPtrDescribeGroupsRequest()
	req.Groups, req.IncludeAuthorizedOperations = []string{group}, true
	kresp, err := c.client.Broker(int(found.NodeID)).RetriableRequest(ctx, describeGroups{req})
	if err != nil {
		return acl.Proof{}, err
	}
	resp := kresp.(*kmsg.DescribeGroupsResponse)
	if len(resp.Groups) != 1 {
		return acl.Proof{}, fmt.Errorf("the cluster gave %d answers for group %s", len(resp.Groups), group)
	}
	g := resp.Groups[0]
	return proof(acl.Group, g.AuthorizedOperations, g.ErrorCode, kerr.GroupAuthorizationFailed, kerr.GroupIDNotFound)
}

// authorizedTransactions looks for the coordinator of a transactional id,
// which takes DESCRIBE and leaves the id alone.
func (c *Cluster) authorizedTransactions(ctx context.Context, id string) (acl.Proof, error) {
	found, err := c.coordinator(ctx, id, 1)
	if err != nil {
		return acl.Proof{}, err
	}
	p, err := proof(acl.TransactionalID, math.MinInt32, found.ErrorCode, kerr.TransactionalIDAuthorizationFailed)
	if found.ErrorCode == 0 {
		p.Operations = []acl.Operation{acl.Describe}
	}
	return p, err
}

// coordinatorPause is how long to wait for a coordinator that is not there yet:
// the first one that is asked for has its topic made first.
const coordinatorPause = 200 * time.Millisecond

// coordinator returns the broker's own answer, errors included that will not
// pass.
func (c *Cluster) coordinator(ctx context.Context, key string, kind int8) (kmsg.FindCoordinatorResponseCoordinator, error) {
	req := kmsg.NewPtrFindCoordinatorRequest()
	req.CoordinatorKey, req.CoordinatorKeys, req.CoordinatorType = key, []string{key}, kind
	for {
		resp, err := req.RequestWith(ctx, c.client)
		if err == nil && len(resp.Coordinators) != 1 {
			err = fmt.Errorf("the cluster named %d coordinators of %s", len(resp.Coordinators), key)
		}
		if err != nil {
			return kmsg.FindCoordinatorResponseCoordinator{}, err
		}
		if found := resp.Coordinators[0]; !kerr.IsRetriable(kerr.ErrorForCode(found.ErrorCode)) {
			return found, nil
		}
		select {
		case <-ctx.Done():
			return kmsg.FindCoordinatorResponseCoordinator{}, ctx.Err()
		case <-time.After(coordinatorPause):
		}
	}
}

func (c *Cluster) authorizedCluster(ctx context.Context, _ string) (acl.Proof, error) {
	req := kmsg.NewPtrDescribeClusterRequest()
	req.IncludeClusterAuthorizedOperations = true
	resp, err := req.RequestWith(ctx, c.client)
	if err != nil {
		return acl.Proof{}, err
	}
	return proof(acl.Cluster, resp.ClusterAuthorizedOperations, resp.ErrorCode, kerr.ClusterAuthorizationFailed)
}

// proof reads an answer. Brokers send rights as a bit for each operation, and
// the least number there is where they send none: always with a refusal, which
// is then a proof about DESCRIBE alone. Errors in harmless only tell that the
// resource does not exist.
func proof(kind acl.ResourceType, bits int32, code int16, refusal *kerr.Error, harmless ...*kerr.Error) (acl.Proof, error) {
	err := kerr.ErrorForCode(code)
	isHarmless := slices.ContainsFunc(harmless, func(e *kerr.Error) bool { return errors.Is(err, e) })
	switch {
	case err != nil && !isHarmless && !errors.Is(err, refusal):
		return acl.Proof{}, err
	case bits == math.MinInt32:
		return acl.Proof{Told: []acl.Operation{acl.Describe}}, nil
	}
	p := acl.Proof{Told: acl.Operations(kind)}
	for op := range kmsg.ACLOperation(32) {
		if bits&(1<<op) != 0 {
			p.Operations = append(p.Operations, acl.Operation(op.String()))
		}
	}
	slices.Sort(p.Operations)
	return p, nil
}
