# The everyday commands. CMakePresets.json says how things are built; this file only gives the commands short names.
JOBS ?= $(shell nproc)
PREFIX ?= /usr/local

.PHONY: help deps build examples install demo demo-lanes test-deps test-build test test-slow bench format clean

help:
	@echo "make demo       train a Connect Four player for a minute, then play it"
	@echo "make demo-lanes train a team for the arena in four minutes, then watch it"
	@echo "make build      the program: build/rival"
	@echo "make examples   games as shared libraries, in C and C++: build/examples"
	@echo "make install    the program, and the libraries for programs of one's own, in PREFIX ($(PREFIX))"
	@echo "make test       build everything, run the fast tests"
	@echo "make test-slow  the tests that train or solve for minutes"
	@echo "make bench      measure this machine: throughput of matches, inference and training"
	@echo "make deps       install the Debian packages that are missing"
	@echo "make format     format the code (clang-format)"
	@echo "make clean      remove the build folders"

deps:
	@scripts/install-deps build

# A first configuration is one without tests, since those need more packages; a folder that has them keeps them.
build: deps
	@cmake --preset release -Wno-dev $(if $(wildcard build/CMakeCache.txt),,-DRIVAL_TESTS=OFF) >/dev/null
	@cmake --build --preset release --parallel $(JOBS) --target rival

examples: deps
	@cmake --preset release -Wno-dev $(if $(wildcard build/CMakeCache.txt),,-DRIVAL_TESTS=OFF) >/dev/null
	@cmake --build --preset release --parallel $(JOBS) --target examples

install: build
	@cmake --install build --prefix $(PREFIX)

demo: build
	@scripts/demo

demo-lanes: build
	@scripts/demo-lanes

# What only some tests need may be missing: those are skipped, and named.
test-deps:
	@scripts/install-deps test
	@scripts/install-deps plugins || true
	@scripts/install-deps readers && scripts/install-python build/python || true

test-build: test-deps
	@cmake --preset release -Wno-dev -DRIVAL_TESTS=ON >/dev/null
	@cmake --build --preset release --parallel $(JOBS)

test: test-build
	@scripts/run-tests release --parallel $(JOBS)

test-slow: test-build
	@scripts/run-tests slow

bench: build
	@scripts/bench

format:
	@scripts/format

clean:
	rm -rf build build-dev build-tsan build-fuzz
