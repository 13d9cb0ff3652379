# What one does with a checkout; each target sets up what it needs first. See README.md.
.POSIX:
.PHONY: help setup engine demo demo-down preview test lint unit engine-tests sandbox-tests reports bench bench-topics soak crash requirements clean

bin = .venv/bin
parallel = -n 2 --dist loadfile
scripts = tooling/setup tooling/clean tooling/pin-requirements .ci/run broker/node/inkless-node broker/rootfs/opt/inkless/bin/* \
	inkless_pulumi/sandbox/bin/* benchmarks/nothing/*

help:
	@sed -n 's/^#: //p' Makefile

#: make setup      the virtual environment, with pinned packages
setup:
	@tooling/setup

#: make demo       a service in a sandbox: deploy, produce, consume, remove (KEEP=1: leave it running)
demo: setup
	@$(bin)/inkless-pulumi sandbox demo

#: make demo-down  remove what `KEEP=1 make demo` left
demo-down: setup
	@$(bin)/inkless-pulumi sandbox down

#: make preview    what the quick-start would create; needs no account and leaves nothing behind
preview: setup
	@$(bin)/inkless-pulumi preview --sandbox examples/aws-quickstart

#: make test       linters and all tests (single parts: lint unit engine-tests sandbox-tests)
test: lint unit engine-tests sandbox-tests

engine: setup
	@$(bin)/inkless-pulumi engine

lint: setup
	$(bin)/ruff check .
	$(bin)/ruff format --check .
	$(bin)/mypy
	$(bin)/mypy examples/topics-in-another-stack
	$(bin)/shellcheck $(scripts)
	$(bin)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(bin)/zizmor --offline --no-progress --quiet --persona pedantic .github

unit: setup
	$(bin)/pytest -q $(parallel) tests/unit

engine-tests: engine
	$(bin)/pytest -q $(parallel) tests/engine

# In their own order, in which the longest file comes early.
sandbox-tests: engine
	$(bin)/pytest -q $(parallel) --no-loadscope-reorder tests/sandbox

#: make reports    write the reports in docs/reports anew
reports: engine
	INKLESS_WRITE_REPORTS=1 $(bin)/pytest -q $(parallel) tests/engine/report

#: make bench      the measurements of docs/performance.md
bench: engine
	$(bin)/python -m benchmarks

#: make soak       every kind of change under load; every acknowledged record is read back (20 min)
soak: engine
	@$(bin)/python -m proofs.soak

#: make bench-topics  topics and access rules at scale, beside their floors
bench-topics: engine
	@$(bin)/python -m benchmarks.topics

#: make crash      50 kills at random moments; the next run sets everything right (50 min)
crash: engine
	@$(bin)/python -m proofs.crash

# After a change of the dependencies in pyproject.toml: pin them anew.
requirements: setup
	$(bin)/python -m venv .cache/uv
	.cache/uv/bin/pip install --quiet uv
	tooling/pin-requirements

#: make clean      remove the sandbox, the virtual environment and everything cached below the checkout
clean:
	@tooling/clean
