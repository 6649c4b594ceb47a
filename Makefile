# The tasks of this repository, for people, .ci/run and GitLab CI alike. A target
# is a line or two; what needs more is a script in tools/, or Go.

.DEFAULT_GOAL := help
.PHONY: $(shell grep -oE '^[a-z]+:' Makefile | tr -d :)

tool      := go tool -modfile=$(CURDIR)/tools/go.mod
# lint vets this module, with all build tags.
gotestsum := $(tool) gotestsum --format pkgname --post-run-command $(CURDIR)/tools/none-skipped -- -vet=off
npm       := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/psycher-tools

help: ## print this
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 20

# --- tasks that need Go alone

build: ## build ./psycher as it is released
	CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' ./cmd/psycher

test: ## run every test
	go test ./...

# The race detector finds nothing in what starts no goroutine, and takes minutes to
# say so.
alone := $(addprefix ./,bot/phrases bot/words deploy examples internal/docgen internal/mutants internal/pages)

# The simulation keeps both cores busy; the others wait a lot. It begins first.
race: ## run every test in random order, where there are goroutines with the race detector; fail if one is skipped
	CGO_ENABLED=1 tools/race $(gotestsum) -race -short -shuffle=on -timeout 20m ./internal/sim $$(go list ./... | grep -vxF "$$(go list $(alone) ./internal/sim)")
	$(gotestsum) -shuffle=on $(alone)

sim: ## simulate 500 random stories and a crash at each kind of operation
	tools/sim

fuzz: ## run the fuzz targets, a few seconds each
	tools/fuzz

lint: ## run the linters, which also check who imports what
	$(tool) golangci-lint run ./...
	! git grep -nE '//\s*nolint' -- '*.go'

format: ## check that every file is formatted
	$(tool) golangci-lint fmt --diff

fmt: ## format every file
	$(tool) golangci-lint fmt

modules: ## check that the modules match go.sum and are tidy
	for m in . tools tools/release internal/sandbox/page/browser; do go -C $$m mod verify && go -C $$m mod tidy -diff || exit; done

vuln: ## look for known vulnerabilities in what is linked
	tools/vuln $(tool) govulncheck ./...

upgrade: ## replace processes of the version before by this one's, under load
	tools/upgrade $(gotestsum) -count=1 -timeout 5m -tags upgrade -run '^TestARollingUpgrade$$' ./cmd

size: ## check the binary's size and what is linked into it
	tools/size

docs: ## run every command that the README and docs/ show
	$(gotestsum) -count=1 -timeout 30m -tags pages ./internal/pages

demo: ## run the demo
	go run ./cmd/psycher demo

generate: ## update the generated parts of the pages
	go run ./internal/docgen

mutants: ## break the code on purpose, and check that a test fails each time (10 minutes)
	go run ./internal/mutants

bench: ## measure speed and memory
	go run ./internal/bench

# --- tasks that need other programs: .ci/prepare TARGET installs them

image: $(npm)/gitlab-ci-local@4.73.0/node_modules ## build the image of examples/ and deploy from it; check compose file and unit
	NODE_PATH=$< tools/image

packages: ## make the packages of a release twice, compare them, and install them
	tools/packages

kubernetes: ## check the Kubernetes manifests of examples/, and what its compose file scrapes
	cd tools/release && go vet ./... && $(gotestsum) -count=1 ./...

pipelines: $(npm)/gitlab-ci-local@4.73.0/node_modules ## run the CI configurations of examples/ with gitlab-ci-local
	GITLAB_CI_LOCAL=$</.bin/gitlab-ci-local $(gotestsum) -count=1 -tags pipelines -run '^TestPipelines$$' ./examples

localslack: $(npm)/local-slack-linux-x64@0.1.8/node_modules ## test the bot against local-slack, an imitation of Slack that others wrote
	LOCAL_SLACK=$</local-slack-linux-x64/bin/local-slack $(gotestsum) -count=1 -timeout 2m -tags localslack -run '^TestLocalSlack$$' ./cmd

alerts: ## check the Prometheus files of examples/, and test the alerts
	tools/alerts

page: $(npm)/axe-core@4.14.1/node_modules ## test the demo's page in a real browser
	cd internal/sandbox/page/browser && go vet ./... && \
	AXE=$</axe-core/axe.min.js CHROMIUM=$$(command -v chromium) $(gotestsum) -count=1 -timeout 5m -parallel $${PAGE_TABS:-8} ./...

pictures: ## take the pictures of the documents anew, from the demo
	cd internal/sandbox/page/browser && CHROMIUM=$$(command -v chromium) go run .

# The folder is named after the npm package and its version.
$(npm)/%/node_modules:
	npm install --loglevel=error --no-audit --no-fund --fetch-retries=5 --prefix $(@D) $*
