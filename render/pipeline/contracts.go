package pipeline

import (
	"maps"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/render"
	"github.com/slipway-go/slipway/render/manifest"
)

// contractsName is the workflow of all contracts. No service is called that: names
// have no underscore.
const contractsName = "_slipway"

// contracts is the workflow that judges contracts, and what follows from them.
func contracts(r *contract.Resolved) render.File {
	jobs := manifest.Map{manifest.E("validate", validate(r))}
	head := []string{"The contracts and what follows from them, with the plan for " + r.Env + ".", rendered}
	for _, cluster := range clusters(r) {
		if listener := listenerOf(cluster); listener == "" {
			head = append(head, "There is no plan for "+cluster.Name+": it has no address, because it runs on the machine of who uses it.")
		} else {
			jobs = append(jobs, manifest.E("plan-"+cluster.Name, planned(r, cluster, listener)))
		}
	}
	return manifest.File(".github/workflows/"+contractsName+".yaml", strings.Join(head, "\n"), workflow("contracts", jobs))
}

// validate is the job that needs no cluster.
func validate(r *contract.Resolved) manifest.Map {
	return job(10, manifest.E("steps", append(append(prepared(), slipway(r.Services[0].Dir())), valid(r)...)))
}

// valid are the steps that judge contracts and what was rendered from them. Every
// directory that slipway render has written to is compared with what would be written:
// the list beside the files names the target, and a part of the path the environment,
// where one is called so.
func valid(r *contract.Resolved) []manifest.Map {
	check := append(run("Compare what was rendered with the contracts",
		`failed=0`,
		`while read -r list; do`,
		`  target=${list##*.slipway-} dir=$(dirname "$list") in=$ENVIRONMENT`,
		`  for one in $ENVIRONMENTS; do`,
		`    case "/$dir/" in */"$one"/*) in=$one ;; esac`,
		`  done`,
		`  echo "$dir: ${target%.sha256} in $in"`,
		`  slipway render "${target%.sha256}" . -e "$in" -o "$dir" --check || failed=1`,
		`done < <(git ls-files '.slipway-*.sha256' '*/.slipway-*.sha256')`,
		`exit "$failed"`),
		manifest.E("env", manifest.Map{
			manifest.E("ENVIRONMENT", r.Env),
			manifest.E("ENVIRONMENTS", strings.Join(slices.Sorted(maps.Keys(r.Clusters.Environments)), " ")),
		}))
	return []manifest.Map{run("Validate", "slipway validate ."), check}
}

// clusters are those of the environment, sorted by name.
func clusters(r *contract.Resolved) []*contract.Cluster {
	all := make(map[string]*contract.Cluster)
	for _, b := range r.Bindings {
		if c := r.Cluster(b.Cluster); c != nil {
			all[c.Name] = c
		}
	}
	return slices.SortedFunc(maps.Values(all), func(a, b *contract.Cluster) int { return strings.Compare(a.Name, b.Name) })
}

// listenerOf is the way in which who plans logs in to a cluster; empty if there is
// no address.
func listenerOf(c *contract.Cluster) contract.Auth {
	switch {
	case c.Bootstrap.MTLS != "":
		return contract.MTLS
	case c.Bootstrap.SCRAM != "":
		return contract.SCRAMSHA512
	}
	return ""
}

// planned is the job that tells what the contracts of a pull request would change on
// a cluster. Its login comes from a GitHub environment of its own, and may only read.
func planned(r *contract.Resolved, c *contract.Cluster, auth contract.Auth) manifest.Map {
	login, secrets := logins(auth)
	if c.Registry != nil && c.Registry.Auth == "basic" {
		login = append(login, `printf '%s' "$REGISTRY_AUTH" > "$RUNNER_TEMP/registry.auth"`, `export SLIPWAY_REGISTRY_AUTH_FILE="$RUNNER_TEMP/registry.auth"`)
		secrets = append(secrets, manifest.E("REGISTRY_AUTH", "${{ secrets.SLIPWAY_REGISTRY_AUTH }}"))
	}
	lines := append([]string{"umask 077"}, login...)
	lines = append(lines,
		`slipway plan . -e "$ENVIRONMENT" -c "$CLUSTER" | tee "$RUNNER_TEMP/plan.txt"`,
		`{ echo "### Plan for $ENVIRONMENT, $CLUSTER"; echo '~~~'; cat "$RUNNER_TEMP/plan.txt"; echo '~~~'; } >> "$GITHUB_STEP_SUMMARY"`)
	env := append(manifest.Map{manifest.E("ENVIRONMENT", r.Env), manifest.E("CLUSTER", c.Name)}, secrets...)
	steps := append(prepared(), slipway(r.Services[0].Dir()),
		append(run("Plan", lines...), manifest.E("env", env)),
		append(uploadArtifact.uses(manifest.E("name", "plan-"+r.Env+"-"+c.Name), manifest.E("path", "${{ runner.temp }}/plan.txt")), manifest.E("if", "${{ !cancelled() }}")),
		append(run("Forget the login", `rm -rf "$RUNNER_TEMP"/login.* "$RUNNER_TEMP/registry.auth"`), manifest.E("if", "${{ always() }}")))
	j := job(15,
		manifest.E("needs", []string{"validate"}),
		manifest.E("if", "${{ github.event_name == 'pull_request' && github.event.pull_request.head.repo.full_name == github.repository }}").
			From("code from elsewhere gets no login"),
		manifest.E("environment", manifest.Map{manifest.E("name", planning(r, c))}).From("holds the secrets below, of an identity that may describe and not change"),
		manifest.E("steps", steps))
	j[0] = manifest.E("runs-on", "${{ vars.SLIPWAY_PLAN_RUNNER || 'ubuntu-24.04' }}").From("one that reaches the brokers")
	return j
}

// planning is the GitHub environment with the login to a cluster. Each cluster has one of
// its own: secrets have one name everywhere, and a password is for one registry.
func planning(r *contract.Resolved, c *contract.Cluster) string {
	if c.Name == r.ClusterName(contract.DefaultAlias) || len(clusters(r)) == 1 {
		return r.Env + "-plan"
	}
	return r.Env + "-plan-" + c.Name
}

// logins are the lines that put a login into files which only the job reads, and the
// secrets they take it from.
func logins(auth contract.Auth) (lines []string, secrets manifest.Map) {
	if auth == contract.MTLS {
		return []string{
				`printf '%s' "$TLS_CERT" > "$RUNNER_TEMP/login.crt"`, `printf '%s' "$TLS_KEY" > "$RUNNER_TEMP/login.key"`,
				`export SLIPWAY_TLS_CERT="$RUNNER_TEMP/login.crt" SLIPWAY_TLS_KEY="$RUNNER_TEMP/login.key"`,
			}, manifest.Map{
				manifest.E("TLS_CERT", "${{ secrets.SLIPWAY_TLS_CERT }}"), manifest.E("TLS_KEY", "${{ secrets.SLIPWAY_TLS_KEY }}"),
			}
	}
	return []string{
			`printf '%s' "$SASL_PASSWORD" > "$RUNNER_TEMP/login.password"`,
			`export SLIPWAY_SASL_PASSWORD_FILE="$RUNNER_TEMP/login.password"`,
		}, manifest.Map{
			manifest.E("SLIPWAY_SASL_USER", "${{ secrets.SLIPWAY_SASL_USER }}"), manifest.E("SASL_PASSWORD", "${{ secrets.SLIPWAY_SASL_PASSWORD }}"),
		}
}
