package pipeline

import (
	"strings"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/render"
	"github.com/slipway-go/slipway/render/manifest"
)

// service is the workflow of one service: its tests, and its image.
func service(r *contract.Resolved, svc *contract.Service) render.File {
	jobs := manifest.Map{manifest.E("test", tests(svc))}
	head := "The pipeline of " + svc.Name + ", from " + svc.File() + ".\n" + rendered
	if svc.Workload != nil && svc.Workload.Image != "" {
		jobs = append(jobs, manifest.E("image", images(r, svc)))
	} else {
		head += "\nThere is no image: the contract names none in workload.image."
	}
	return manifest.File(".github/workflows/"+svc.Name+".yaml", head, workflow(svc.Name, jobs))
}

const rendered = "Rendered by slipway render github-actions: an edit is noticed, and not kept."

func tests(svc *contract.Service) manifest.Map {
	steps := append(prepared(),
		run("Test", "go vet ./...", "go test -race ./..."),
		run("Lint", "go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@"+golangciAt+" run ./..."),
		run("Known vulnerabilities that the code reaches", "go run golang.org/x/vuln/cmd/govulncheck@"+vulncheckAt+" ./..."))
	return job(20,
		manifest.E("defaults", manifest.Map{manifest.E("run", manifest.Map{manifest.E("working-directory", svc.Dir())})}),
		manifest.E("steps", steps))
}

// images is the job that makes the image of a commit that is kept, with its bills of
// materials, and signs all of it with the identity of the job: there is no key to
// keep. A contract that is not valid, or manifests that say something else than it,
// make no image: the workflow of contracts may still be at it. Nothing is written into
// the checkout, because an image of one that has changes is not pushed.
func images(r *contract.Resolved, svc *contract.Service) manifest.Map {
	name := repository(svc.Workload.Image)
	rights := manifest.Map{manifest.E("contents", "read"), manifest.E("id-token", "write").From("the identity that cosign signs with")}
	account := []string{"${{ secrets.REGISTRY_USER }}", "${{ secrets.REGISTRY_PASSWORD }}"}
	if host(name) == "ghcr.io" {
		rights = append(rights, manifest.E("packages", "write"))
		account = []string{"${{ github.actor }}", "${{ github.token }}"}
	}
	login := append(run("Log in to the registry", `printf '%s' "$PASSWORD" | docker login --username "$USERNAME" --password-stdin "$REGISTRY"`),
		manifest.E("env", manifest.Map{manifest.E("REGISTRY", host(name)), manifest.E("USERNAME", account[0]), manifest.E("PASSWORD", account[1])}))
	build := run("Build and push the image, with its bills of materials",
		`slipway image build "$SERVICE" . --push "$IMAGE" --sbom "$RUNNER_TEMP/sbom" -o json > "$RUNNER_TEMP/image.json"`,
		`jq . "$RUNNER_TEMP/image.json"`)
	sign := append(run("Sign the image and its bills of materials, and verify",
		`signer=(--certificate-oidc-issuer "$ISSUER" --certificate-identity "$IDENTITY")`,
		`# by digest: a tag can be moved`,
		`reference=$(jq -er .push.pinned "$RUNNER_TEMP/image.json")`,
		`cosign sign --yes "$reference"`,
		`cosign verify "${signer[@]}" "$reference" > /dev/null`,
		`jq -er '.platforms[] | [.digest, .sbom] | @tsv' "$RUNNER_TEMP/image.json" > "$RUNNER_TEMP/platforms"`,
		`while IFS=$'\t' read -r digest sbom; do`,
		`  cosign attest --yes --type cyclonedx --predicate "$sbom" "$IMAGE@$digest"`,
		`  cosign verify-attestation --type cyclonedx "${signer[@]}" "$IMAGE@$digest" > /dev/null`,
		`done < "$RUNNER_TEMP/platforms"`),
		manifest.E("env", manifest.Map{
			manifest.E("ISSUER", "https://token.actions.githubusercontent.com"),
			manifest.E("IDENTITY", "${{ github.server_url }}/${{ github.workflow_ref }}"),
		}))
	steps := append(append(prepared(), slipway(svc.Dir())), valid(r)...)
	steps = append(steps, login, build, cosign.uses(), sign,
		uploadArtifact.uses(manifest.E("name", svc.Name+"-sbom"), manifest.E("path", "${{ runner.temp }}/sbom"), manifest.E("if-no-files-found", "error")))
	return job(30,
		manifest.E("needs", []string{"test"}),
		manifest.E("if", "${{ github.event_name == 'push' }}").From("a pull request makes no image"),
		manifest.E("permissions", rights),
		manifest.E("env", manifest.Map{
			manifest.E("SERVICE", svc.Name),
			manifest.E("IMAGE", name).From("%s", manifest.At(svc, "workload/image")),
		}),
		manifest.E("steps", steps))
}

// repository is the name of an image without its tag and its digest: the tag is the
// version of what was built.
func repository(image string) string {
	name, _, _ := strings.Cut(image, "@")
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
		name = name[:i]
	}
	return name
}

// host is the registry of an image, where docker login finds it.
func host(name string) string {
	first, _, below := strings.Cut(name, "/")
	if !below || !strings.ContainsAny(first, ".:") && first != "localhost" {
		return "docker.io"
	}
	return first
}
