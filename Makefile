# The front door. On a fresh Debian 12, any of these is all there is to do; each installs what it needs first.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

JOBS ?= $(shell nproc)
release = cmake --preset release >/dev/null && cmake --build build/release --parallel $(JOBS) --target

.PHONY: help
help:  ## this list
	@echo "Muster: make TARGET"
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo:  ## a small cluster in memory, a scheduler that calls, pictures in the terminal; no Kubernetes
	@cmake/install_packages.sh build
	@$(release) muster-extender muster-demo
	@build/release/src/cmd/muster-demo --extender build/release/src/cmd/muster-extender \
	  --cluster manifests/demo/cluster.yaml --config manifests/demo/muster.yaml

.PHONY: build
build:  ## the programs, optimised, into build/release/src/cmd
	@cmake/install_packages.sh build
	@$(release) all

.PHONY: test
test:  ## everything: unit, property and integration tests, sanitizers, checks, a real control plane
	@cmake/install_packages.sh build test e2e
	@tests/run.py --jobs $(JOBS) $(PARTS)

.PHONY: e2e
e2e:  ## only the scenarios on a real control plane; ARGS go to it, e.g. ARGS="--run ^a:"
	@cmake/install_packages.sh build e2e
	@$(release) muster-extender
	@GO=$$(cmake/find_go.sh) MUSTER_EXTENDER=build/release/src/cmd/muster-extender tests/e2e/run.sh $(ARGS)

.PHONY: soak
soak:  ## ten minutes of random faults on a real control plane; ARGS go to it, e.g. ARGS="--seed 7"
	@cmake/install_packages.sh build e2e
	@$(release) muster-extender
	@GO=$$(cmake/find_go.sh) MUSTER_EXTENDER=build/release/src/cmd/muster-extender tests/e2e/run.sh --run '^soak:' --duration 10m $(ARGS)

.PHONY: bench
bench:  ## the benchmarks, a few minutes; report in build/bench/report.html. TRACES=folder of public traces
	@cmake/install_packages.sh build e2e
	@$(release) all
	@bench/run.sh short build/release/bench build/bench $(TRACES)

.PHONY: bench-full
bench-full:  ## the benchmarks, all seeds and sizes
	@cmake/install_packages.sh build e2e
	@$(release) all
	@bench/run.sh full build/release/bench build/bench $(TRACES)

.PHONY: load
load:  ## server and client under load and abuse, two minutes; figures as JSON in build/bench. SECONDS of abuse: 60
	@cmake/install_packages.sh build
	@$(release) bench_load bench_verbs bench_list
	@bench/load/run.sh build/release/bench build/bench $(or $(SECONDS),60)

.PHONY: oracle
oracle:  ## the solver against exhaustive search on a million random instances; INSTANCES sets another number
	@cmake/install_packages.sh build
	@$(release) property_tests
	@MUSTER_ORACLE_INSTANCES=$(or $(INSTANCES),1000000) build/release/tests/property/test_property_placement

.PHONY: fuzz
fuzz:  ## fuzzers of everything that is read from outside, SECONDS=60 each; TARGETS="quantity objects" only some
	@cmake/install_packages.sh build fuzz
	@cmake --preset fuzz >/dev/null && cmake --build build/fuzz --parallel $(JOBS) --target fuzzers
	@env SECONDS=$(or $(SECONDS),60) tests/fuzz/run.sh $(TARGETS)

.PHONY: format
format:  ## lay out the C++ files
	@cmake/install_packages.sh test
	@git ls-files -z -co --exclude-standard '*.h' '*.cc' | xargs -0 clang-format-19 -i

.PHONY: clean
clean:  ## removes build/
	@rm -rf build
