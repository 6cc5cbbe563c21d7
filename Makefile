# Ingot. `make run` gets a real answer; `make test` checks everything.
.DEFAULT_GOAL := help
SHELL := bash

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X main.version=$(VERSION)
FUZZTIME ?= 10s
PREFIX ?= /usr/local

.PHONY: help run build install test race fuzz bench measure soak repeat lint fmt generate check

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## build, install engine and models, serve, ask one question, print samples
	@scripts/run.sh

build: ## bin/ingot, static, for this machine
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/ingot ./cmd/ingot

install: build ## copy bin/ingot to PREFIX/bin (/usr/local)
	install -d $(DESTDIR)$(PREFIX)/bin
	install -m 755 bin/ingot $(DESTDIR)$(PREFIX)/bin/ingot

test: ## everything: lint, race, fuzz, cross-builds, engine, SDKs, a fresh machine
	@scripts/test.sh

check: ## what of test needs neither network nor engine, for every save
	@scripts/test.sh check

race: ## unit tests of both modules under the race detector
	@scripts/test.sh unit

fuzz: ## every fuzz target for FUZZTIME (10s)
	@FUZZTIME=$(FUZZTIME) scripts/test.sh fuzz

bench: ## every Go benchmark, with allocations
	go test -run '^$$' -bench . -benchmem ./...
	cd client && go test -run '^$$' -bench . -benchmem ./...

measure: ## structured output and tools of smollm2 on many schemas and prompts, judged independently
	@scripts/measure.sh

soak: ## good and bad clients at the command for SOAK (10m); nothing may be left behind
	go test -v -count 1 -run '^TestASoakEndsAsItBegan$$' -timeout 0 ./test/hostile -soak $(or $(SOAK),10m)

repeat: ## unit tests under race again and again; TIMES=n rounds (20)
	go test -race -count $(or $(TIMES),20) -failfast -timeout 60m ./...
	cd client && go test -race -count $(or $(TIMES),20) -failfast -timeout 60m ./...

lint: ## go vet and golangci-lint
	@scripts/test.sh lint

fmt: ## gofumpt and import groups, in place
	@scripts/lint.sh fmt

generate: ## rewrite the generated files, move the locks of the client tests to the newest versions
	go generate ./...
	scripts/lock.sh
