# Two commands for a fresh machine with Rust and Python: `make demo` and `make test`.

PYTHON ?= python3
# The Python peers that `make bench` compares with.
PEERS ?= ../shared/bench
# Where cargo builds.
TARGET = $${CARGO_TARGET_DIR:-$(CURDIR)/target}
# The bench of a name that was built last.
newest = "$$(ls -t "$(TARGET)"/release/deps/$(1)-* | grep -v '\.d$$' | head -1)"

.PHONY: help demo test check count soak stack analysts pages bench clean

help:
	@echo "make demo    build, and run the whole chain on the shipped sample"
	@echo "make test    every check: those of check, count and stack, and Parquet read by other programs"
	@echo "make check   format, lints, documentation and tests that need nothing but Rust"
	@echo "make count   the instructions of the engine's hot loop, counted by valgrind: not more than before"
	@echo "make soak    the engine against the replay on a million random cases: hours"
	@echo "make stack   the stack: its template, and deployed to a local AWS, with the functions as they are built"
	@echo "make analysts  the notebook, the queries for Athena and the files for load testers, run on the shipped sample"
	@echo "make pages   the pages in a real browser, where there is Chromium"
	@echo "make bench   our replay, our sweep and our fit beside their Python peers, with ratios; the fit against truths that are known; and the"
	@echo "             functions' start, memory and size"

demo:
	cargo run --profile command --quiet --package trellis --no-default-features -- demo --directory demo

test: .venv/.readers check count stack analysts pages

check:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked --quiet
	cargo test --workspace --locked

count:
	cargo bench --package scaling --bench instructions --no-run
	$(PYTHON) tests/benches/instructions.py \
	    $(call newest,instructions)

# A million cases in all, in some hours; what fails is shown at once.
soak:
	ENGINE_CASES=125000 cargo test --workspace --locked --test claims engine:: -- --nocapture

stack: .venv/.aws
	.venv/bin/python -m pytest --quiet -p no:cacheprovider tests/aws

# The command as `check` has built it: other targets or packages would mean other features, and all of it anew.
analysts: .venv/.analysts
	cargo test --workspace --locked --quiet --no-run
	TRELLIS="$(TARGET)/debug/trellis" \
	    .venv/bin/python -m pytest --quiet -rs -p no:cacheprovider tests/analysts

# The claims leave the pages that the browser opens.
pages: .venv/.pages
	cargo test --workspace --test claims --locked --quiet pages::
	.venv/bin/python -m pytest --quiet -rs -p no:cacheprovider tests/pages

FUNCTIONS = ingest-metrics refit-coefficient sweep-policies publish-recommendation

bench: .venv/.bench .venv/.aws
	PATH="$(CURDIR)/.venv/bin:$$PATH" cargo lambda build --release $(FUNCTIONS:%=--package %)
	.venv/bin/python tests/benches/functions.py "$(TARGET)/lambda"
	cargo bench --package trellis-tests --bench simulate --no-run
	.venv/bin/python tests/benches/compare.py $(PEERS) \
	    $(call newest,simulate)
	cargo bench --package trellis-tests --bench sweep --no-run
	sweep=$(call newest,sweep); \
	    .venv/bin/python tests/benches/sweep_compare.py "$$sweep" && "$$sweep" table
	cargo bench --package trellis-tests --bench fit --no-run
	fit=$(call newest,fit); \
	    .venv/bin/python tests/benches/fit_peers.py "$$fit" && "$$fit" table 200

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/.readers: requirements.txt | .venv/bin/python
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

.venv/.aws: requirements-aws.txt | .venv/bin/python
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

.venv/.analysts: requirements-analysts.txt | .venv/bin/python
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

.venv/.pages: requirements-pages.txt | .venv/bin/python
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

.venv/.bench: requirements-bench.txt | .venv/bin/python
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

clean:
	rm -rf demo .venv target
