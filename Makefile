# Owns the project's commands. Each is a script under tools/; what they build and fetch lies under target/.
# One command per recipe line: make then runs it without a shell between, and a signal reaches it.

PORT ?= 8080
HOST ?= 127.0.0.1
TAG ?= latest

.PHONY: help setup demo demo-fleet unit lint test test-players wasm image reproducible check fuzz soak bench bench-report clean
.DEFAULT_GOAL := help

help: ## list the commands
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile

setup: ## install all that test, lint and check need (FOR=lint for less: see tools/setup.sh)
	@tools/setup.sh $(FOR)

demo: ## play the protected stream: http://localhost:8080/player/ (PORT=8080 to PORT+3, HOST=0.0.0.0 for others to see)
	@tools/setup.sh demo
	@tools/wasm.sh
	@target/venv/bin/python tools/demo.py --host $(HOST) --port $(PORT)

demo-fleet: ## a control plane with its page, two Envoys on production, one on staging (PORT=8080 to PORT+9)
	@tools/setup.sh demo
	@tools/wasm.sh
	@cargo build --quiet --package playlock-cli
	@target/venv/bin/python tools/demo_fleet.py --host $(HOST) --port $(PORT)

unit: ## the tests that need no module: core, command line, scenarios natively; under a minute, installs nothing
	@tools/unit.sh

lint: ## formatting, lints of Rust, Python, shell and JavaScript, documentation; installs nothing
	@tools/lint.sh

test: ## set up and run every test
	@tools/test.sh

test-players: ## test the players only: ffmpeg, GStreamer, VLC, hls.js, Shaka, video.js, dash.js (tools/test.sh players --write updates docs/players.md)
	@tools/test.sh players

wasm: ## build the filter: target/playlock.wasm, and -strict without relaxed SIMD (WASM_TOOLCHAIN=rustup|debian to choose the compiler, FEATURES=cat,jwt for fewer formats of access tokens and no SPEKE, FEATURES= for EdgeAuth alone)
	@tools/setup.sh wasm
	@tools/wasm.sh

image: ## the built module as an OCI image, by docker: playlock:TAG, and target/playlock-image.tar
	@docker build --tag playlock:$(TAG) .
	@docker save --output target/playlock-image.tar playlock:$(TAG)

reproducible: ## build the filter twice, in two places, and compare every byte
	@tools/setup.sh wasm
	@tools/reproducible.sh

soak: ## test 2,000 concurrent viewers and a misbehaving origin for SECONDS=600 (tools/soak.sh --write updates docs/reliability.md)
	@tools/soak.sh --seconds $(or $(SECONDS),600)

check: ## lint, and the licences, sources and advisories of what is used
	@tools/check.sh

fuzz: ## fuzz the core, SECONDS=60 per target (tools/fuzz.sh has more options)
	@tools/fuzz.sh $(or $(SECONDS),60)

bench: ## measure speed, memory and growth against other ciphers and no filter (target/bench.json)
	@tools/bench.sh

bench-report: ## render target/bench.json as docs/performance.md, with pictures
	@tools/bench-report.sh

clean: ## remove all build output and downloads
	rm -rf target tests/*/.pytest_cache
