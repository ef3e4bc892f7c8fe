package kafka

import (
	"context"
	"errors"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/slipway-go/slipway/acl"
)

// Existing tells of topics, groups and users with a password whether they
// exist. What the login may not see is absent from the answer, as is every
// other type of resource.
func (c *Cluster) Existing(ctx context.Context, resources []acl.Resource) (map[acl.Resource]bool, error) {
	names := map[acl.ResourceType][]string{}
	for _, r := range resources {
		names[r.Type] = append(names[r.Type], r.Name)
	}
	known := make(map[acl.Resource]bool, len(resources))
	for _, look := range []func(context.Context, map[acl.ResourceType][]string, map[acl.Resource]bool) error{
		c.existingTopics, c.existingGroups, c.existingUsers,
	} {
		if err := look(ctx, names, known); err != nil {
			return nil, err
		}
	}
	return known, nil
}

func (c *Cluster) existingTopics(ctx context.Context, names map[acl.ResourceType][]string, known map[acl.Resource]bool) error {
	for batch := range slices.Chunk(names[acl.Topic], MaxBatch) {
		bounded, cancel := c.bounded(ctx)
		metadata, err := c.metadata(bounded, batch)
		cancel()
		if err != nil {
			return c.diagnose(err)
		}
		for _, t := range metadata {
			r := acl.Resource{Type: acl.Topic, Name: *t.Topic}
			switch err := kerr.ErrorForCode(t.ErrorCode); {
			case err == nil:
				known[r] = true
			case errors.Is(err, kerr.UnknownTopicOrPartition), errors.Is(err, kerr.InvalidTopicException):
				known[r] = false
			}
		}
	}
	return nil
}

func (c *Cluster) existingGroups(ctx context.Context, names map[acl.ResourceType][]string, known map[acl.Resource]bool) error {
	if len(names[acl.Group]) == 0 {
		return nil
	}
	all, err := c.GroupNames(ctx)
	if err != nil {
		return err
	}
	for _, name := range names[acl.Group] {
		_, exists := slices.BinarySearch(all, name)
		known[acl.Resource{Type: acl.Group, Name: name}] = exists
	}
	return nil
}

func (c *Cluster) existingUsers(ctx context.Context, names map[acl.ResourceType][]string, known map[acl.Resource]bool) error {
	users, err := c.Users(ctx, names[acl.User]...)
	if err != nil {
		return err
	}
	for _, name := range names[acl.User] {
		known[acl.Resource{Type: acl.User, Name: name}] = len(users[name]) > 0
	}
	return nil
}
