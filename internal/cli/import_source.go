package cli

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/importer"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/plan"
)

// snapshot reads what is imported.
func (a *app) snapshot(ctx context.Context, args importArgs, opt *importer.Options) (*importer.Snapshot, error) {
	if args.from == string(importer.FromCluster) {
		return a.liveSnapshot(ctx, args, opt)
	}
	parse := importer.ParseStrimzi
	if args.from == string(importer.FromPolicy) {
		parse = importer.ParsePolicy
	}
	var all *importer.Snapshot
	var faults diag.List
	for _, file := range args.files {
		data, err := a.imported(file)
		if err != nil {
			return nil, err
		}
		s, list := parse(file, data)
		faults = append(faults, list...)
		if all == nil {
			all = s
			continue
		}
		if err := all.Add(s); err != nil {
			return nil, a.invalid(err)
		}
	}
	if faults.Failed() {
		return nil, a.invalid(faults)
	}
	return all, nil
}

// imported reads a file, or stdin, and no more of it than a parser takes.
func (a *app) imported(file string) ([]byte, error) {
	in := a.sys.In
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			cause := err
			if path, ok := errors.AsType[*fs.PathError](err); ok {
				cause = path.Err
			}
			return nil, usage("%s cannot be read: %v", file, cause)
		}
		defer f.Close()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, importer.MaxFile+1))
	if err != nil {
		return nil, usage("%s cannot be read: %v", file, err)
	}
	return data, nil
}

// liveSnapshot logs in to the cluster and looks at everything.
func (a *app) liveSnapshot(ctx context.Context, args importArgs, opt *importer.Options) (*importer.Snapshot, error) {
	e, err := a.importEndpoint(ctx, args, opt)
	if err != nil {
		return nil, err
	}
	a.warn(e.credential.exposed())
	cfg, err := e.kafka()
	if err != nil {
		return nil, err
	}
	cluster, err := kafka.Connect(ctx, cfg)
	if err != nil {
		return nil, refusedLogin(err)
	}
	defer cluster.Close()
	if e.ID != "" && e.ID != cluster.ID() {
		return nil, errors.Join(plan.ErrRefused, diag.New(diag.PlanWrongCluster, "cluster %s is pinned to id %s, and the one that answers has id %s", e.Name, e.ID, cluster.ID()))
	}
	return importer.Read(ctx, cluster, *opt)
}

// importEndpoint is where clusters.yaml of the directory says, else where the
// flags do.
func (a *app) importEndpoint(ctx context.Context, args importArgs, opt *importer.Options) (*endpoint, error) {
	cred := &args.credential
	clusters, err := args.clusters(opt.Dir)
	if err != nil {
		return nil, err
	}
	if clusters == nil {
		if args.bootstrap == "" {
			return nil, usage("--bootstrap is missing: %s has no %s that would say where the cluster is", args.dir, contract.ClustersFile).
				WithFix("name the cluster's addresses with --bootstrap host:port")
		}
		var ca []byte
		if args.ca != "" {
			var err error
			if ca, err = os.ReadFile(args.ca); err != nil {
				return nil, unreadable("ca", err)
			}
		}
		return &endpoint{&contract.Cluster{Name: args.cluster, Bootstrap: args.listener()}, cred, ca}, nil
	}
	w, err := a.open(args.dir)
	if err != nil {
		return nil, err
	}
	opt.Env = cmp.Or(opt.Env, "prod")
	resolved := contract.Resolved{Env: opt.Env, Clusters: clusters, Bindings: clusters.Environments[opt.Env]}
	entry := resolved.Cluster(resolved.ClusterName(contract.DefaultAlias))
	if entry == nil {
		return nil, diag.New(diag.ClusterEnvironment, "environment %s is not in %s, or does not bind the alias %s", opt.Env, contract.ClustersFile, contract.DefaultAlias).
			WithFix("name another one with -e")
	}
	return a.operate(ctx, w, opt.Env, entry, cred, "")
}
