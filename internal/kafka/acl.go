package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/diag"
)

// ACLs returns every ACL of the cluster, in no particular order.
func (c *Cluster) ACLs(ctx context.Context) ([]acl.Binding, error) {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	everything := kadm.NewACLs().AnyResource().Operations().ResourcePatternType(kadm.ACLPatternAny).
		Allow().AllowHosts().Deny().DenyHosts()
	results, err := c.admin.DescribeACLs(ctx, everything)
	if err != nil {
		return nil, c.diagnose(err)
	}
	if len(results) > 0 && errors.Is(results[0].Err, kerr.SecurityDisabled) {
		return nil, diag.New(diag.KafkaRefused, "%s has no authorizer, so it has no ACLs", c.attempt.Bootstrap).
			WithFix("set authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer on brokers and controllers, with super.users for the platform team")
	}
	seen := map[acl.Binding]bool{}
	var bindings []acl.Binding
	for _, r := range results {
		if r.Err != nil {
			return nil, c.diagnose(r.Err)
		}
		for _, d := range r.Described {
			b := bindingOf(d)
			if !seen[b] {
				seen[b] = true
				bindings = append(bindings, b)
			}
		}
	}
	return bindings, nil
}

func bindingOf(d kadm.DescribedACL) acl.Binding {
	return acl.Binding{
		Principal:    d.Principal,
		ResourceType: acl.ResourceType(d.Type.String()),
		Name:         d.Name,
		Pattern:      acl.Pattern(d.Pattern.String()),
		Operation:    acl.Operation(d.Operation.String()),
		Permission:   acl.Permission(d.Permission.String()),
		Host:         d.Host,
	}
}

// Grant adds ACLs. Adding one that exists changes nothing.
func (c *Cluster) Grant(ctx context.Context, bindings []acl.Binding) []error {
	return inBatches(ctx, c, bindings, c.grant)
}

func (c *Cluster) grant(ctx context.Context, batch []acl.Binding) ([]error, error) {
	req := kmsg.NewPtrCreateACLsRequest()
	for _, b := range batch {
		creation, err := creationOf(b)
		if err != nil {
			return nil, err
		}
		req.Creations = append(req.Creations, creation)
	}
	resp, err := req.RequestWith(ctx, c.client)
	if err != nil {
		return nil, err
	}
	if len(resp.Results) != len(batch) {
		return nil, fmt.Errorf("the cluster gave %d answers for %d ACLs", len(resp.Results), len(batch))
	}
	errs := make([]error, len(batch))
	for i, r := range resp.Results {
		errs[i] = c.answer(r.ErrorCode, r.ErrorMessage)
	}
	return errs, nil
}

func creationOf(b acl.Binding) (kmsg.CreateACLsRequestCreation, error) {
	creation := kmsg.NewCreateACLsRequestCreation()
	creation.Principal, creation.Host, creation.ResourceName = b.Principal, b.Host, b.Name
	var err error
	if creation.ResourceType, err = kmsg.ParseACLResourceType(string(b.ResourceType)); err != nil {
		return creation, fmt.Errorf("grant %s: %w", b, err)
	}
	if creation.ResourcePatternType, err = kmsg.ParseACLResourcePatternType(string(b.Pattern)); err != nil {
		return creation, fmt.Errorf("grant %s: %w", b, err)
	}
	if creation.Operation, err = kmsg.ParseACLOperation(string(b.Operation)); err != nil {
		return creation, fmt.Errorf("grant %s: %w", b, err)
	}
	if creation.PermissionType, err = kmsg.ParseACLPermissionType(string(b.Permission)); err != nil {
		return creation, fmt.Errorf("grant %s: %w", b, err)
	}
	return creation, nil
}
