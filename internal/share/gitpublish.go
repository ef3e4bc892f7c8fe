package share

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"github.com/slipway-go/slipway/contract"
)

// publishGit commits the bundle to a directory of a branch, on top of what is
// there. It is made of objects alone: no working tree, so nothing in the
// repository has a say in what is written. Of the directory's other files only
// those go that the contract published there before named and this one does
// not.
func (c Config) publishGit(ctx context.Context, ref Reference, b *Bundle) (Published, error) {
	g, closing, err := c.openGit(ctx, ref)
	if err != nil {
		return Published{}, gitProblem(ctx, ref, err)
	}
	defer closing()
	out := describe(ref, b)
	parent, err := g.tip(ctx, ref)
	if err != nil {
		return Published{}, gitProblem(ctx, ref, err)
	}
	gone, err := g.replaced(ctx, ref, parent, b)
	if err != nil {
		return Published{}, err
	}
	tree, err := g.write(ctx, ref, parent, gone, b)
	if err != nil {
		return Published{}, gitProblem(ctx, ref, err)
	}
	if was, err := g.directory(ctx, parent, "."); parent != "" && err == nil && was == tree {
		out.Digest, out.Unchanged = parent, true
		return out, nil
	}
	out.Before = parent
	out.Digest, err = g.record(ctx, tree, parent, b)
	if err == nil {
		_, err = g.run(ctx, nil, "push", "--quiet", "--", ref.remote, out.Digest+":refs/heads/"+ref.branch)
	}
	if err != nil {
		return Published{}, gitProblem(ctx, ref, err)
	}
	return out, nil
}

// tip fetches the branch and returns its commit, empty if there is no such
// branch yet.
func (g *git) tip(ctx context.Context, ref Reference) (string, error) {
	branch := "refs/heads/" + ref.branch
	_, err := g.run(ctx, nil, "ls-remote", "--exit-code", "--quiet", "--", ref.remote, branch)
	if failure, ok := errors.AsType[*gitError](err); ok && failure.status == 2 {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	err = g.fetch(ctx, ref, branch)
	return g.commit, err
}

// replaced are the files of the contract that was published there before. One
// of another service is not written over.
func (g *git) replaced(ctx context.Context, ref Reference, parent string, b *Bundle) ([]string, error) {
	if parent == "" {
		return nil, nil
	}
	hash, err := g.directory(ctx, parent, ref.dir)
	if err != nil {
		return nil, nil //nolint:nilerr // no such directory: there is nothing to replace
	}
	old, _ := contract.Parse(treeFS{&gitTree{ctx, g, hash}}, contract.ServiceFile)
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case old == nil:
		return nil, nil
	case old.Name != b.Service.Name:
		return nil, foreign(ref, old.Name)
	}
	var gone []string
	for name := range old.Files() {
		if b.files[name] == nil {
			gone = append(gone, name)
		}
	}
	return gone, nil
}

// write makes the tree of the whole branch with the bundle in it.
func (g *git) write(ctx context.Context, ref Reference, parent string, gone []string, b *Bundle) (string, error) {
	if parent != "" {
		if _, err := g.run(ctx, nil, "read-tree", parent); err != nil {
			return "", err
		}
	}
	var index bytes.Buffer
	for _, name := range gone {
		fmt.Fprintf(&index, "0 %s\t%s\x00", strings.Repeat("0", 40), ref.in(name))
	}
	for _, name := range b.names() {
		blob, err := g.line(ctx, b.files[name], "hash-object", "-w", "--stdin")
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&index, "100644 %s\t%s\x00", blob, ref.in(name))
	}
	if _, err := g.run(ctx, index.Bytes(), "update-index", "-z", "--replace", "--index-info"); err != nil {
		return "", err
	}
	return g.line(ctx, nil, "write-tree")
}

// record makes the commit, in the user's name. A pipeline often has none that
// git would take.
func (g *git) record(ctx context.Context, tree, parent string, b *Bundle) (string, error) {
	if _, err := g.run(ctx, nil, "var", "GIT_COMMITTER_IDENT"); err != nil && !errors.Is(err, exec.ErrNotFound) {
		g.env = append(g.env, "GIT_AUTHOR_NAME=slipway", "GIT_AUTHOR_EMAIL=slipway@localhost",
			"GIT_COMMITTER_NAME=slipway", "GIT_COMMITTER_EMAIL=slipway@localhost")
	}
	args := []string{"commit-tree", "-F", "-"}
	if parent != "" {
		args = append(args, "-p", parent)
	}
	message := fmt.Sprintf("Publish the contract of %s\n\nContract: %s\n", b.Service.Name, b.Service.Hash())
	return g.line(ctx, []byte(message), append(args, tree)...)
}
