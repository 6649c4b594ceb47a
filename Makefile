# What people do here, and .ci/run and GitLab CI with them. A target is a line or
# two: what needs more is a script in tools/, or Go.

.DEFAULT_GOAL := help
.PHONY: $(shell grep -oE '^[a-z]+:' Makefile | tr -d :)

tool      := go tool -modfile=$(CURDIR)/tools/go.mod
gotestsum := $(tool) gotestsum --format pkgname --post-run-command $(CURDIR)/tools/none-skipped --
npm       := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/psycher-tools

help: ## print this
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 20

# --- with Go alone

build: ## build ./psycher, as small as it is shipped
	CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' ./cmd/psycher

test: ## run every test
	go test ./...

race: ## run every test, shuffled, under the race detector, none skipped; of what runs a thousand times, fewer
	$(gotestsum) -race -short -shuffle=on ./...

sim: ## run two thousand stories, and crash points of each kind of operation
	tools/sim

fuzz: ## run every fuzz target for a moment
	tools/fuzz

lint: ## run the linters, which also say who may import what
	$(tool) golangci-lint run ./...
	! git grep -nE '//\s*nolint' -- '*.go'

format: ## show what is not formatted
	$(tool) golangci-lint fmt --diff

fmt: ## format it
	$(tool) golangci-lint fmt

modules: ## check that modules are what go.sum says, and tidy
	for m in . tools internal/sandbox/page/browser; do go -C $$m mod verify && go -C $$m mod tidy -diff || exit; done

vuln: ## look for known holes in what is linked
	tools/vuln $(tool) govulncheck ./...

size: ## weigh the binary, and look at what is linked into it
	tools/size

docs: ## run every command that the README and the pages show
	$(gotestsum) -count=1 -timeout 30m -tags pages ./internal/pages

demo: ## run the demo
	go run ./cmd/psycher demo

generate: ## write the parts of the pages that code decides
	go run ./internal/docgen

mutants: ## break the code in each way that a test should notice (ten minutes)
	go run ./internal/mutants

bench: ## measure
	go run ./internal/bench

# --- with other programs, which .ci/prepare TARGET installs

image: $(npm)/gitlab-ci-local@4.73.0/node_modules ## build the image, check compose file and unit of examples/, and deploy from the image
	NODE_PATH=$< tools/image

pipelines: $(npm)/gitlab-ci-local@4.73.0/node_modules ## run the CI configurations of examples/ as they are
	GITLAB_CI_LOCAL=$</.bin/gitlab-ci-local $(gotestsum) -count=1 -tags pipelines -run '^TestPipelines$$' ./examples

localslack: $(npm)/local-slack-linux-x64@0.1.8/node_modules ## try the bot with an imitation of Slack that others wrote
	LOCAL_SLACK=$</local-slack-linux-x64/bin/local-slack $(gotestsum) -count=1 -timeout 2m -tags localslack -run '^TestLocalSlack$$' ./cmd

page: $(npm)/axe-core@4.14.1/node_modules ## use the demo's page in a real browser
	cd internal/sandbox/page/browser && go vet ./... && \
	AXE=$</axe-core/axe.min.js CHROMIUM=$$(command -v chromium) $(gotestsum) -count=1 -timeout 5m -parallel $${PAGE_TABS:-8} ./...

# The package and version of npm's that the folder is named after.
$(npm)/%/node_modules:
	npm install --loglevel=error --no-audit --no-fund --fetch-retries=5 --prefix $(@D) $*
