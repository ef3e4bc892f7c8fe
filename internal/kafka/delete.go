package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/contract"
)

// DeleteTopics deletes topics with all their records. One that does not exist
// is done.
func (c *Cluster) DeleteTopics(ctx context.Context, names []string) []error {
	return inBatches(ctx, c, names, func(ctx context.Context, batch []string) ([]error, error) {
		responses, err := c.admin.DeleteTopics(ctx, batch...)
		if err != nil {
			return nil, err
		}
		answers := make(map[string]error, len(responses))
		for name, r := range responses {
			answers[name] = c.gone(r.Err, r.ErrMessage, kerr.UnknownTopicOrPartition)
		}
		return byName(batch, itself, answers), nil
	})
}

// DeleteUsers takes from users the credentials named, mechanism by mechanism,
// and leaves them any other. A credential that does not exist is done.
func (c *Cluster) DeleteUsers(ctx context.Context, credentials []Credential) []error {
	errs := make([]error, len(credentials))
	for _, mechanism := range []contract.Auth{contract.SCRAMSHA512, contract.SCRAMSHA256} { // a request may name a user only once
		var batch []Credential
		var where []int
		for i, credential := range credentials {
			if credential.Mechanism == mechanism {
				batch, where = append(batch, credential), append(where, i)
			}
		}
		for n, err := range inBatches(ctx, c, batch, c.deleteUsers) {
			errs[where[n]] = err
		}
	}
	return errs
}

func (c *Cluster) deleteUsers(ctx context.Context, batch []Credential) ([]error, error) {
	deletions := make([]kadm.DeleteSCRAM, len(batch))
	for i, credential := range batch {
		mechanism, err := mechanismOf(credential.Mechanism)
		if err != nil {
			return nil, fmt.Errorf("delete user %s: %w", credential.User, err)
		}
		deletions[i] = kadm.DeleteSCRAM{User: credential.User, Mechanism: mechanism}
	}
	altered, err := c.admin.AlterUserSCRAMs(ctx, deletions, nil)
	if err != nil {
		return nil, err
	}
	answers := make(map[string]error, len(altered))
	for _, a := range altered {
		answers[a.User] = c.gone(a.Err, a.ErrMessage, kerr.ResourceNotFound)
	}
	return byName(batch, func(credential Credential) string { return credential.User }, answers), nil
}

// Revoke removes ACLs, exactly these: no filter of it matches any other. One
// that does not exist is done.
func (c *Cluster) Revoke(ctx context.Context, bindings []acl.Binding) []error {
	return inBatches(ctx, c, bindings, c.revoke)
}

func (c *Cluster) revoke(ctx context.Context, batch []acl.Binding) ([]error, error) {
	req := kmsg.NewPtrDeleteACLsRequest()
	for _, b := range batch {
		exact, err := creationOf(b)
		if err != nil {
			return nil, err
		}
		filter := kmsg.NewDeleteACLsRequestFilter()
		filter.Principal, filter.Host, filter.ResourceName = &b.Principal, &b.Host, &b.Name
		filter.ResourceType, filter.ResourcePatternType = exact.ResourceType, exact.ResourcePatternType
		filter.Operation, filter.PermissionType = exact.Operation, exact.PermissionType
		req.Filters = append(req.Filters, filter)
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
		for _, m := range r.MatchingACLs {
			if errs[i] == nil {
				errs[i] = c.answer(m.ErrorCode, m.ErrorMessage)
			}
		}
	}
	return errs, nil
}

// DeleteGroups deletes groups with the positions they committed. One that has
// members is refused by the cluster; one that does not exist is done.
func (c *Cluster) DeleteGroups(ctx context.Context, names []string) []error {
	return inBatches(ctx, c, names, func(ctx context.Context, batch []string) ([]error, error) {
		responses, err := c.admin.DeleteGroups(ctx, batch...)
		if err != nil && len(responses) == 0 {
			return nil, err
		}
		answers := make(map[string]error, len(responses))
		for name, r := range responses {
			answers[name] = c.gone(r.Err, r.ErrMessage, kerr.GroupIDNotFound)
		}
		return byName(batch, itself, answers), nil
	})
}

// ClearGroupConfigs takes back the settings that were given to groups, so that
// the brokers' defaults hold for them.
func (c *Cluster) ClearGroupConfigs(ctx context.Context, names []string) []error {
	return inBatches(ctx, c, names, c.clearGroupConfigs)
}

func (c *Cluster) clearGroupConfigs(ctx context.Context, batch []string) ([]error, error) {
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	own, err := c.ownGroupConfigs(ctx, batch)
	if err != nil {
		return nil, err
	}
	answers := make(map[string]error, len(batch))
	for _, name := range batch {
		if len(own[name]) == 0 {
			answers[name] = nil
			continue
		}
		r := kmsg.NewIncrementalAlterConfigsRequestResource()
		r.ResourceType, r.ResourceName = kmsg.ConfigResourceTypeGroupConfig, name
		for _, key := range own[name] {
			rc := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
			rc.Name, rc.Op = key, kmsg.IncrementalAlterConfigOpDelete
			r.Configs = append(r.Configs, rc)
		}
		req.Resources = append(req.Resources, r)
	}
	if len(req.Resources) > 0 {
		resp, err := req.RequestWith(ctx, c.client)
		if err != nil {
			return nil, err
		}
		for _, r := range resp.Resources {
			answers[r.ResourceName] = c.answer(r.ErrorCode, r.ErrorMessage)
		}
	}
	return byName(batch, itself, answers), nil
}

// ownGroupConfigs are the settings that were given to the groups themselves.
func (c *Cluster) ownGroupConfigs(ctx context.Context, names []string) (map[string][]string, error) {
	req := kmsg.NewPtrDescribeConfigsRequest()
	for _, name := range names {
		r := kmsg.NewDescribeConfigsRequestResource()
		r.ResourceType, r.ResourceName = kmsg.ConfigResourceTypeGroupConfig, name
		req.Resources = append(req.Resources, r)
	}
	resp, err := req.RequestWith(ctx, c.client)
	if err != nil {
		return nil, err
	}
	own := map[string][]string{}
	for _, r := range resp.Resources {
		switch err := kerr.ErrorForCode(r.ErrorCode); {
		case errors.Is(err, kerr.InvalidRequest): // an older broker, where groups have no settings
			continue
		case err != nil:
			return nil, err
		}
		for _, kv := range r.Configs {
			if kv.Source == kmsg.ConfigSourceGroupConfig {
				own[r.ResourceName] = append(own[r.ResourceName], kv.Name)
			}
		}
	}
	return own, nil
}

// gone turns the answer to a deletion into an error; what was not there is
// done.
func (c *Cluster) gone(err error, message string, absent *kerr.Error) error {
	e, ok := errors.AsType[*kerr.Error](err)
	if !ok {
		return c.diagnose(err)
	}
	return c.answer(e.Code, &message, absent)
}

func itself(name string) string { return name }
