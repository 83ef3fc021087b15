# Queuefleet: `make help` lists the targets.
GO       ?= go
BIN      := bin
PROGRAMS := queuefleet_exporter queuefleet_supervisor qftool

VERSION   := $(shell cat VERSION)
REVISION  := $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
BRANCH    := $(shell git rev-parse --abbrev-ref HEAD 2>/dev/null || echo unknown)
BUILDDATE := $(shell date -u +%Y%m%d-%H:%M:%S)
BUILDUSER := $(shell id -un)@$(shell uname -n)
V         := github.com/prometheus/common/version
# The same flags as in .promu.yml, which release builds use.
LDFLAGS   := -s -w -X $(V).Version=$(VERSION) -X $(V).Revision=$(REVISION) -X $(V).Branch=$(BRANCH) \
             -X $(V).BuildUser=$(BUILDUSER) -X $(V).BuildDate=$(BUILDDATE)

# What the tests need beyond Go: real Redis, real Laravel, promtool, a browser.
DEBIAN_PACKAGES := redis-server redis-sentinel redis-tools php-cli php-redis php-laravel-framework \
                   prometheus prometheus-alertmanager jsonnet prometheus-redis-exporter chromium \
                   systemd zsh fish groff-base bsdutils
BENCH_PACKAGES  := prometheus-redis-exporter supervisor

.DEFAULT_GOAL := help
.PHONY: help all build run test test-go test-tools deps lint bench bench-deps soak fuzz docs docs-check \
        demo-stack bench-rules mixin-live mixin mixin-check mixin-rules mixin-test mixin-types mixin-fmt fmt clean $(PROGRAMS)

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

all: build test ## build and test

build: $(PROGRAMS) ## build the programs into bin/

$(PROGRAMS):
	$(GO) build -trimpath -ldflags "$(LDFLAGS)" -o $(BIN)/$@ ./cmd/$@

run: build ## run exporter, supervisor and demo workers against an embedded Redis that is kept busy; Ctrl-C stops all of it
	$(BIN)/qftool demo

demo-stack: build deps ## the same with Prometheus, Alertmanager and the mixin's rules: alerts fire after three minutes
	$(BIN)/qftool demo --stack

test: deps test-go test-tools docs-check mixin-check mixin-rules ## everything: installs what it needs on Debian, then vet, tests with the race detector, generated docs, the mixin

# Those that take longest, mostly waiting, begin first. What -short leaves out,
# 80 of 100 reloads of a Horizon, is made up for without the race detector, under
# which each takes seconds.
LONGEST := ./supervisor ./cmd/qftool

test-go:
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "not gofmt'd:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) vet ./...
	$(GO) test -race -short -timeout 10m $(LONGEST) ./...
	$(GO) test -timeout 10m -run TestRealHorizonReloads ./supervisor

test-tools:
	cd tools && $(GO) vet ./... && $(GO) test ./...

deps: ## install the tests' Debian packages where they are missing
	@./scripts/deps.sh $(DEBIAN_PACKAGES)

bench-deps: deps
	@./scripts/deps.sh $(BENCH_PACKAGES)

lint: ## golangci-lint at the version pinned in tools/golangci-lint/go.mod (built on first use)
	$(GO) tool -modfile=tools/golangci-lint/go.mod golangci-lint run ./...

bench: build bench-deps ## benchmarks against the peer and the floor; prints ratios
	cd tools && $(GO) run ./bench -exporter ../$(BIN)/queuefleet_exporter -supervisor ../$(BIN)/queuefleet_supervisor

soak: build deps ## long runs: thousands of reloads under load, hung fleets, memory over time
	QUEUEFLEET_SOAK=1 $(GO) test -count=1 -timeout 60m -run Soak ./...

FUZZTIME ?= 30s
fuzz: ## run every fuzz target for FUZZTIME each
	@for p in $$($(GO) list ./...); do \
	  for f in $$($(GO) test -list '^Fuzz' $$p | grep '^Fuzz'); do \
	    echo "$$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) $$p || exit 1; \
	  done; done

docs: ## generate docs/metrics.md from docs/metrics.yaml, and the table of alerts in docs/alerts.md
	cd tools && $(GO) run ./metricsdoc ../docs/metrics.yaml > ../docs/metrics.md
	cd tools && $(GO) test ./mixintest -run TestTable -update

docs-check:
	@cd tools && $(GO) run ./metricsdoc ../docs/metrics.yaml | cmp - ../docs/metrics.md || { echo "docs/metrics.md is not what docs/metrics.yaml makes: run make docs"; exit 1; }

mixin: ## compile mixin/ into dashboards/ and alerts/
	@./scripts/mixin.sh compile

mixin-check: ## the mixin's sources are formatted and clean, the compiled files are theirs
	@./scripts/mixin.sh check

mixin-rules:
	@./scripts/mixin-test.sh rules

mixin-test: ## rules, alerts, routes and templates do what they should
	@./scripts/mixin-test.sh

mixin-types: ## the dashboards are what Grafana's published types allow; needs npm and its registry, so it is no part of make test
	@./scripts/mixin-types.sh

mixin-live: deps ## a real fleet on a calm and on a bad day: every panel has data, exactly the expected alerts fire; takes half an hour
	cd tools && QUEUEFLEET_LIVE=1 $(GO) test ./drill -count=1 -timeout 90m -v -run TestDrill

bench-rules: deps ## what the rules and the overview cost Prometheus with 1,000 connections and 10,000 queues; takes minutes
	cd tools && $(GO) run ./benchrules

mixin-fmt: ## format the mixin's sources
	@./scripts/mixin.sh fmt

fmt: ## format the Go code
	gofmt -w $$(git ls-files '*.go')

clean: ## remove what was built
	rm -rf $(BIN) .build
