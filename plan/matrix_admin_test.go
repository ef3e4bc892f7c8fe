package plan_test

import (
	"context"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/slipway-go/slipway/acl"
)

// create asks whether each topic could be created. They exist, so that nothing
// comes of it.
func (p *prober) create(ctx context.Context) {
	req := kmsg.NewPtrCreateTopicsRequest()
	req.ValidateOnly, req.TimeoutMillis = true, 10_000
	for name := range p.topics {
		rt := kmsg.NewCreateTopicsRequestTopic()
		rt.Topic, rt.NumPartitions, rt.ReplicationFactor = name, 1, 1
		req.Topics = append(req.Topics, rt)
	}
	resp, err := req.RequestWith(ctx, p.client)
	if p.came(err, "create topics") {
		for _, t := range resp.Topics {
			p.note(acl.Topic, t.Topic, acl.Create, t.ErrorCode)
		}
	}
}

func (p *prober) grow(ctx context.Context) {
	req := kmsg.NewPtrCreatePartitionsRequest()
	req.ValidateOnly, req.TimeoutMillis = true, 10_000
	for name, at := range p.topics {
		rt := kmsg.NewCreatePartitionsRequestTopic()
		rt.Topic, rt.Count = name, int32(at.partitions)+1
		req.Topics = append(req.Topics, rt)
	}
	resp, err := req.RequestWith(ctx, p.client)
	if p.came(err, "create partitions") {
		for _, t := range resp.Topics {
			p.note(acl.Topic, t.Topic, acl.Alter, t.ErrorCode)
		}
	}
}

// configurable are the resources whose settings are asked for.
func (p *prober) configurable(f func(kind kmsg.ConfigResourceType, name string)) {
	for name := range p.topics {
		f(kmsg.ConfigResourceTypeTopic, name)
	}
	if p.groupConfigs {
		for name := range p.groups {
			f(kmsg.ConfigResourceTypeGroupConfig, name)
		}
	}
}

func resourceOf(kind kmsg.ConfigResourceType) acl.ResourceType {
	if kind == kmsg.ConfigResourceTypeGroupConfig {
		return acl.Group
	}
	return acl.Topic
}

func (p *prober) describeConfigs(ctx context.Context) {
	req := kmsg.NewPtrDescribeConfigsRequest()
	p.configurable(func(kind kmsg.ConfigResourceType, name string) {
		r := kmsg.NewDescribeConfigsRequestResource()
		r.ResourceType, r.ResourceName = kind, name
		req.Resources = append(req.Resources, r)
	})
	resp, err := req.RequestWith(ctx, p.client)
	if p.came(err, "describe configs") {
		for _, r := range resp.Resources {
			p.note(resourceOf(r.ResourceType), r.ResourceName, acl.DescribeConfigs, r.ErrorCode)
		}
	}
}

func (p *prober) alterConfigs(ctx context.Context) {
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	req.ValidateOnly = true
	p.configurable(func(kind kmsg.ConfigResourceType, name string) {
		r := kmsg.NewIncrementalAlterConfigsRequestResource()
		r.ResourceType, r.ResourceName = kind, name
		c := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
		c.Name, c.Value = "retention.ms", new("86400000")
		if kind == kmsg.ConfigResourceTypeGroupConfig {
			c.Name, c.Value = "consumer.session.timeout.ms", new("50000")
		}
		r.Configs = append(r.Configs, c)
		req.Resources = append(req.Resources, r)
	})
	resp, err := req.RequestWith(ctx, p.client)
	if p.came(err, "alter configs") {
		for _, r := range resp.Resources {
			p.note(resourceOf(r.ResourceType), r.ResourceName, acl.AlterConfigs, r.ErrorCode)
		}
	}
}

// administrate asks for what only those may who run the cluster.
func (p *prober) administrate(ctx context.Context) {
	note := func(op acl.Operation, code int16) { p.note(acl.Cluster, acl.ClusterName, op, code) }

	create := kmsg.NewPtrCreateTopicsRequest()
	create.ValidateOnly, create.TimeoutMillis = true, 10_000
	rt := kmsg.NewCreateTopicsRequestTopic()
	rt.Topic, rt.NumPartitions, rt.ReplicationFactor = "a.topic.that.nobody.knows.v1", 1, 1
	create.Topics = append(create.Topics, rt)
	if resp, err := create.RequestWith(ctx, p.client); p.came(err, "create any topic") {
		note(acl.Create, resp.Topics[0].ErrorCode)
	}

	if resp, err := kmsg.NewPtrAlterPartitionAssignmentsRequest().RequestWith(ctx, p.client); p.came(err, "move partitions") {
		note(acl.Alter, resp.ErrorCode)
	}

	acls := kmsg.NewPtrDescribeACLsRequest()
	acls.ResourceType, acls.ResourcePatternType = kmsg.ACLResourceTypeAny, kmsg.ACLResourcePatternTypeAny
	acls.Operation, acls.PermissionType = kmsg.ACLOperationAny, kmsg.ACLPermissionTypeAny
	if resp, err := acls.RequestWith(ctx, p.client); p.came(err, "read ACLs") {
		note(acl.Describe, resp.ErrorCode)
	}

	if resp, err := kmsg.NewPtrDescribeClientQuotasRequest().RequestWith(ctx, p.client); p.came(err, "read quotas") {
		note(acl.DescribeConfigs, resp.ErrorCode)
	}

	alter := kmsg.NewPtrAlterClientQuotasRequest()
	alter.ValidateOnly = true
	entry := kmsg.NewAlterClientQuotasRequestEntry()
	entity := kmsg.NewAlterClientQuotasRequestEntryEntity()
	entity.Type, entity.Name = "user", &p.user
	entry.Entity = append(entry.Entity, entity)
	limit := kmsg.NewAlterClientQuotasRequestEntryOp()
	limit.Key, limit.Value = "producer_byte_rate", 1<<30
	entry.Ops = append(entry.Ops, limit)
	alter.Entries = append(alter.Entries, entry)
	if resp, err := alter.RequestWith(ctx, p.client); p.came(err, "change quotas") {
		note(acl.AlterConfigs, resp.Entries[0].ErrorCode)
	}

	markers := kmsg.NewPtrWriteTxnMarkersRequest()
	marker := kmsg.NewWriteTxnMarkersRequestMarker()
	marker.ProducerID, marker.ProducerEpoch = 1<<40, 0
	mt := kmsg.NewWriteTxnMarkersRequestMarkerTopic()
	mt.Topic, mt.Partitions = foreignTopic, []int32{0}
	marker.Topics = append(marker.Topics, mt)
	markers.Markers = append(markers.Markers, marker)
	if resp, ok := ask[*kmsg.WriteTxnMarkersResponse](ctx, p, p.topics[foreignTopic].leader, markers); ok {
		note(acl.ClusterAction, resp.Markers[0].Topics[0].Partitions[0].ErrorCode)
	}
}
