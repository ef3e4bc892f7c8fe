package share

import (
	"cmp"
	"context"
	"sync"
)

// clones are the git repositories of one pull. Each branch is fetched once, so
// contracts that lie in one repository are those of one commit, and a hundred
// of them cost one fetch.
type clones struct {
	cfg Config

	mu      sync.Mutex
	all     map[string]func() (*git, error) // by remote, and branch or commit
	closing []func()
}

// at returns the repository in which a branch, or a commit if that is given,
// was fetched.
func (c *clones) at(ctx context.Context, ref Reference, commit string) (*git, error) {
	key := ref.remote + "#" + cmp.Or(commit, ref.branch)
	c.mu.Lock()
	clone, known := c.all[key]
	if !known {
		clone = sync.OnceValues(func() (*git, error) { return c.clone(ctx, ref, commit) })
		if c.all == nil {
			c.all = map[string]func() (*git, error){}
		}
		c.all[key] = clone
	}
	c.mu.Unlock()
	return clone()
}

func (c *clones) clone(ctx context.Context, ref Reference, commit string) (*git, error) {
	g, closing, err := c.cfg.openGit(ctx, ref)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.closing = append(c.closing, closing)
	c.mu.Unlock()
	if commit != "" {
		if err := g.fetch(ctx, ref, commit); err == nil {
			return g, nil
		}
		// Not every server gives a commit by its name; the branch may still be
		// where it was.
	}
	return g, g.fetch(ctx, ref, ref.branch)
}

// Close removes the repositories.
func (c *clones) Close() {
	for _, closing := range c.closing {
		closing()
	}
}
