# The everyday commands. CMakePresets.json says how things are built; this file only gives the commands short names.
JOBS ?= $(shell nproc)

.PHONY: help deps build demo demo-lanes test test-slow bench format clean

help:
	@echo "make demo       train a Connect Four player for a minute, then play it"
	@echo "make demo-lanes train a team for the arena in four minutes, then watch it"
	@echo "make build      the program: build/rival"
	@echo "make test       build everything, run the fast tests"
	@echo "make test-slow  the tests that train or solve for minutes"
	@echo "make bench      measure this machine: throughput of matches, inference and training"
	@echo "make deps       install the Debian packages that are missing"
	@echo "make format     format the code (clang-format)"
	@echo "make clean      remove the build folders"

deps:
	@scripts/install-deps build

build: deps
	@cmake --preset release -Wno-dev >/dev/null
	@cmake --build --preset release --parallel $(JOBS) --target rival

demo: build
	@scripts/demo

demo-lanes: build
	@scripts/demo-lanes

test: deps
	@scripts/install-deps test
	@cmake --preset release -Wno-dev >/dev/null
	@cmake --build --preset release --parallel $(JOBS)
	@ctest --preset release --parallel $(JOBS)

test-slow: deps
	@scripts/install-deps test
	@cmake --preset release -Wno-dev >/dev/null
	@cmake --build --preset release --parallel $(JOBS)
	@ctest --preset slow

bench: build
	@scripts/bench

format:
	@scripts/format

clean:
	rm -rf build build-dev build-tsan build-fuzz
