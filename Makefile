# The targets are short names for commands that also work without make. All of
# what CI asks is in .ci/run.

export GOWORK = off

FUZZTIME ?= 20s
LINT = go tool -modfile=$(CURDIR)/tools/go.mod golangci-lint run --config $(CURDIR)/.golangci.yaml

.PHONY: build test test-kafka lint race fuzz generate bench ci

build: ## the command, as bin/slipway
	go build -trimpath -o bin/slipway ./cmd/slipway

test: ## everything that needs only Go
	go test ./... && (cd examples/shop && go test ./...)

test-kafka: ## the suite on real Kafka; needs Java and Maven
	go test -p 1 -tags kafka -timeout 20m ./...

lint: ## golangci-lint at the version of tools/go.mod
	$(LINT)
	cd examples/shop && $(LINT)
	cd benchmarks && $(LINT)
	cd interop && $(LINT)

race: ## needs a C compiler
	.ci/run race

fuzz: ## each fuzz target for FUZZTIME
	.ci/run fuzz $(FUZZTIME)

generate: ## what is derived from the code: references, schemas, tables
	go generate ./...

bench: ## the benchmarks of the packages, then those against others
	go test -run '^$$' -bench . -benchmem ./...
	cd benchmarks && go test -run '^$$' -bench . -benchmem ./...

ci: ## everything, as CI runs it
	.ci/run
