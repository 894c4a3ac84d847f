# Everyday commands. Each is complete: it builds what it needs and starts what it needs.
#
#   make dev PORT=8081            another port
#   make test ARGS='quotes'       only tests whose name contains "quotes" (doctests are skipped)
#   make check ARGS='--verbose'   also every lock that a migration held
#   make soak SEED=42 MINUTES=5   the same requests as the run that printed this seed
#   make soak-fleet KILLS=50      fewer kills than usual

SHELL := /bin/sh
.SHELLFLAGS := -euc
.DEFAULT_GOAL := help
.PHONY: help dev test check lint deny fmt openapi openapi-released bench soak fuzz soak-fleet soak-jobs clean-dev rustfmt clippy bins

ARGS ?=

# Cargo knows where it builds: CARGO_TARGET_DIR and .cargo/config.toml both count.
TARGET = $(shell cargo metadata --format-version 1 --no-deps | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
LOCAL = '$(TARGET)/debug/local'

help: ## print this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

dev: bins ## run Tubex here, with private databases and two demo dealers (PORT=8080)
	@exec $(LOCAL) dev

test: bins ## run all tests against throw-away databases (ARGS= filters)
	@$(LOCAL) tools chromium >/dev/null
	@$(LOCAL) tools pgbouncer >/dev/null
	@$(LOCAL) tools promtool >/dev/null
	@$(LOCAL) tools validators >/dev/null
	@$(LOCAL) tools oidc-provider >/dev/null
	@$(LOCAL) tools linter >/dev/null
	@$(LOCAL) tools s3-server >/dev/null
	@$(LOCAL) tools clients >/dev/null
	@$(LOCAL) tools verifiers >/dev/null
	@$(LOCAL) tools fuzzer >/dev/null
	@if cargo nextest --version >/dev/null 2>&1; then \
		echo 'test: with cargo nextest'; \
		$(LOCAL) run -- cargo nextest run --workspace $(ARGS); \
	else \
		echo 'test: with cargo test (cargo nextest, which is faster, is not installed)'; \
		$(LOCAL) run -- cargo test --workspace --bins --tests $(ARGS); \
	fi
	@if [ -z "$$TEST_ARGS" ]; then \
		echo 'test: doctests'; \
		cargo test --workspace --doc; \
	else \
		echo 'test: doctests skipped, because ARGS is set'; \
	fi
test: export TEST_ARGS = $(ARGS)

check: bins ## prove our own migrations with tubex check, on a throw-away Postgres (ARGS= more of its words)
	@$(LOCAL) run -- sh -c \
		'TUBEX_DATABASE__URL="$$TUBEX_TEST_DATABASE_URL" exec "$$0" check "$$@"' \
		'$(TARGET)/debug/tubex' $(ARGS)

lint: rustfmt clippy ## check format, lints and dependencies
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	@$(MAKE) --no-print-directory deny

# Building it took 160 s on two slow cores, so a person is asked first; CI is not.
deny:
	@if cargo deny --version >/dev/null 2>&1; then :; \
	elif [ "$${CI_INSTALL_DENY:-0}" = 1 ]; then \
		echo 'lint: installing cargo-deny'; \
		cargo install --quiet --locked cargo-deny@^0.20; \
	else \
		echo 'lint: dependencies NOT checked; for that: cargo install --locked cargo-deny'; \
		exit 0; \
	fi; \
	cargo fetch --locked --quiet && \
	cargo deny --offline check bans licenses sources

fmt: rustfmt ## format the code
	cargo fmt --all

openapi: bins ## write server/openapi anew, after a change of the API
	@'$(TARGET)/debug/server' openapi >server/openapi/tenant.json
	@'$(TARGET)/debug/server' openapi --platform >server/openapi/platform.json

# What is released is a promise from then on: tests compare with it.
openapi-released: openapi
	@cp server/openapi/tenant.json server/openapi/platform.json server/openapi/released/
	@echo '[]' >server/openapi/breaking.json

bench: bins ## measure, with release code and throw-away databases
	@$(LOCAL) tools wrk
	cargo build --profile bench --workspace
	$(LOCAL) run -- cargo bench --workspace --bench product $(ARGS)

soak: bins ## canaries for many minutes, while everything is disturbed (REQUESTS= SEED= MINUTES=); then fuzz, soak-fleet and soak-jobs
	cargo build --profile bench --workspace --bins
	$(LOCAL) run -- cargo bench --workspace --bench soak
	@$(MAKE) --no-print-directory fuzz
	@$(MAKE) --no-print-directory soak-fleet
	@$(MAKE) --no-print-directory soak-jobs
soak: export REQUESTS ?= 200000
soak: export MINUTES ?= 20

fuzz: bins ## requests made up from the API's document, many of them (EXAMPLES= SEED=)
	@$(LOCAL) tools fuzzer >/dev/null
	$(LOCAL) run -- cargo test --workspace --test it fuzz::
fuzz: export FUZZ_EXAMPLES = $(or $(EXAMPLES),200)
fuzz: export FUZZ_SEED = $(or $(SEED),$(shell date +%s))

soak-fleet: bins ## tubex killed again and again, at everything it does to dealers (KILLS= SEED=)
	cargo build --profile bench --workspace --bins
	$(LOCAL) run -- cargo bench --workspace --bench soak_fleet
soak-fleet: export KILLS ?= 200

soak-jobs: bins ## workers killed again and again while there is work (KILLS= SEED=)
	cargo build --profile bench --workspace --bins
	$(LOCAL) run -- cargo bench --workspace --bench soak_jobs
soak-jobs: export KILLS ?= 200

clean-dev: ## stop what `make dev` left running and remove its data
	@[ -x $(LOCAL) ] || cargo build --workspace --bins
	@$(LOCAL) clean

bins:
	cargo build --workspace --bins

rustfmt clippy:
	@cargo $(patsubst rust%,%,$@) --version >/dev/null 2>&1 || rustup component add $@
