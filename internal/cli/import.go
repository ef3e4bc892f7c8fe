package cli

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/cli/view"
	"github.com/slipway-go/slipway/internal/importer"
	"github.com/slipway-go/slipway/plan"
)

type importArgs struct {
	credential credential
	from       string
	files      []string
	dir        string
	env        string
	cluster    string
	bootstrap  string
	ca         string // file
	owner      string
	keys       []string
	expand     bool
	dryRun     bool
	timeout    time.Duration
}

func newImportCommand(a *app) *cobra.Command {
	var args importArgs
	c := &cobra.Command{
		Use:   "import [FILE...]",
		Short: "Write contracts from what a cluster, Strimzi or a policy has",
		Long: `Writes an estate from what there is: a contract for each principal that may read
or write topics by name, external.yaml for what none of them owns, clusters.yaml
if --dir has none, and import-report.md, which tells what could not be expressed
with the reason and what to do about it; import-report.json is the same for
programs. No file is written over: if one of them exists, none is written.

  --from cluster   topics with settings, ACLs, SCRAM users, quotas, and groups
                   with what they have committed. Needs an administrator's login,
                   and --bootstrap unless --dir has a clusters.yaml.
  --from strimzi   KafkaTopic and KafkaUser resources in FILEs, - for stdin.
  --from policy    a list of rules in FILEs, each with principal, resource and
                   operations.

WRITE on a topic becomes produces. READ on a topic with READ on a group becomes
consumes, with the group's name adopted; without any group it becomes a table.
The only principal that may write a topic by name owns it; topics of several
writers, of none, and those whose settings a contract cannot state are external.
Names that are not Slipway's are kept by adopt.

What is written is valid, and a first slipway plan has no changes: what would
make one is left out and told. Rights by prefix, by * and of ALL are told too.
With --expand-prefixes what they cover now is written by name, which is a guess,
and which the first plan adds.` + administratorHelp,
		Example: `  slipway import --from cluster --bootstrap kafka:9094 --ca ca.crt --sasl-user admin --sasl-password-file admin.password --dir estate
  kubectl get kafkatopics,kafkausers -o yaml | slipway import --from strimzi - --dir estate --owner team-shop
  slipway import --from policy policy.yaml --dir estate --dry-run`,
		Annotations: exits(exitOK, exitError, exitRefused, exitUsage, exitInterrupted),
		RunE: func(c *cobra.Command, rest []string) error {
			args.files = rest
			if err := args.credential.fill(c, a.sys.Getenv); err != nil {
				return err
			}
			return bounded(c.Context(), args.timeout, func(ctx context.Context) error { return runImport(ctx, a, args) })
		},
	}
	choiceFlag(c, &args.from, "from", "", "what to read", string(importer.FromCluster), string(importer.FromStrimzi), string(importer.FromPolicy))
	c.Flags().StringVar(&args.bootstrap, "bootstrap", "", "the cluster's addresses, host:port, several with commas, for a new clusters.yaml")
	c.Flags().StringVar(&args.ca, "ca", "", "file with the brokers' CA, which is copied beside a new clusters.yaml")
	c.Flags().StringVarP(&args.cluster, "cluster", "c", "kafka", "what a new clusters.yaml calls the cluster")
	c.Flags().StringVar(&args.dir, "dir", ".", "directory of the estate; made if it does not exist")
	c.Flags().BoolVar(&args.dryRun, "dry-run", false, "tell what would be written, and write nothing")
	c.Flags().StringVarP(&args.env, "env", "e", "", "environment that the names are of; the only one of clusters.yaml, or prod, if left out")
	c.Flags().BoolVar(&args.expand, "expand-prefixes", false, "turn rights by prefix, by * and of ALL into names that there are now")
	c.Flags().StringArrayVar(&args.keys, "key", nil, "TOPIC=FIELD: the field of the value that is the topic's key; may be repeated")
	c.Flags().StringVar(&args.owner, "owner", "", "team that contracts name as their owner")
	timeoutFlag(c, &args.timeout, planTimeout)
	credentialFlags(c, &args.credential)
	outputFlag(c, a, view.Table, view.Wide, view.JSON, view.YAML, view.Name)
	return c
}

func runImport(ctx context.Context, a *app, args importArgs) error {
	opt, ca, err := args.options()
	if err != nil {
		return err
	}
	in, err := a.snapshot(ctx, args, &opt)
	if err != nil {
		return err
	}
	d, err := importer.New(in, opt)
	if err != nil {
		if d != nil {
			return errors.Join(a.view.Import(d, args.dir, false), undrafted(err))
		}
		return err
	}
	if ca != nil {
		d.Files = append(d.Files, importer.File{Path: opt.CA, Text: ca})
	}
	if !args.dryRun {
		if err := importer.Write(args.dir, d.Files); err != nil {
			return err
		}
	}
	return a.view.Import(d, args.dir, !args.dryRun)
}

// undrafted makes a contradiction with the directory a refusal.
func undrafted(err error) error {
	if errors.Is(err, diag.ImportInvalid) {
		return errors.Join(plan.ErrRefused, err)
	}
	return err
}

// caFile is what the CA is called beside a new clusters.yaml.
const caFile = "ca.crt"

// options are what the flags say, and the CA if it is to be copied.
func (args importArgs) options() (opt importer.Options, ca []byte, err error) {
	opt = importer.Options{Cluster: args.cluster, Env: args.env, Expand: args.expand, Owner: args.owner, Keys: map[string]string{}}
	switch {
	case args.from == "":
		return opt, nil, usage("--from is missing").WithFix("use one of cluster, strimzi, policy")
	case args.from == string(importer.FromCluster) && len(args.files) > 0:
		return opt, nil, usage("--from cluster reads no file").WithFix("leave out %q, or say what it is with --from", args.files[0])
	case args.from != string(importer.FromCluster) && len(args.files) == 0:
		return opt, nil, usage("--from %s needs a file", args.from).WithFix("name files, or - for stdin")
	}
	for _, k := range args.keys {
		topic, field, found := strings.Cut(k, "=")
		if !found || topic == "" || field == "" {
			return opt, nil, usage("--key %s is not TOPIC=FIELD", k)
		}
		opt.Keys[topic] = field
	}
	if root, err := os.OpenRoot(args.dir); err == nil {
		opt.Dir = root.FS() // as long as the command runs
	} else if !errors.Is(err, fs.ErrNotExist) {
		return opt, nil, directoryProblem(args.dir, err)
	}
	clusters, err := args.clusters(opt.Dir)
	if err != nil {
		return opt, nil, err
	}
	if opt.Env == "" && clusters != nil && len(clusters.Environments) == 1 {
		for env := range clusters.Environments {
			opt.Env = env
		}
	}
	if clusters == nil {
		opt.Bootstrap = args.listener()
		if args.ca != "" {
			opt.CA = caFile
			ca, err = os.ReadFile(args.ca)
		}
	}
	if err != nil {
		return opt, nil, unreadable("ca", err)
	}
	return opt, ca, nil
}

// clusters is the clusters.yaml of the directory; nil if there is none.
func (args importArgs) clusters(dir fs.FS) (*contract.Clusters, error) {
	if dir == nil {
		return nil, nil
	}
	if _, err := fs.Stat(dir, contract.ClustersFile); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	clusters, list := contract.ParseClusters(dir, contract.ClustersFile)
	return clusters, list.Err()
}

// listener is the address by the way that the credential logs in.
func (args importArgs) listener() contract.Bootstrap {
	switch {
	case args.credential.user == "":
		return contract.Bootstrap{MTLS: args.bootstrap}
	case args.credential.mechanism == string(contract.Plain):
		return contract.Bootstrap{Plain: args.bootstrap}
	}
	return contract.Bootstrap{SCRAM: args.bootstrap}
}
