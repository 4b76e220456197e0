# Souk. `make` lists what can be done.
PY := .venv/bin/python
SCALE ?= 10k,100k
export PYTHONPATH := src
# A program that starts again and again (each kill, each worker, each command) is compiled once.
unexport PYTHONDONTWRITEBYTECODE
# What needs no database: the rules, the kernel, the house rules, the pieces of pages.
UNIT := tests/kernel tests/architecture tests/web_unit tests/*/test_domain.py \
	tests/ledger/test_commission.py tests/orders/test_cancellation.py \
	tests/identity/test_passwords.py tests/identity/test_tokens.py

.PHONY: help run demo test test-external test-unit check fmt bench audit-pages gallery docs messages lock clean setup setup-dev mutate

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

setup: ## install what running needs
	@python3 tools/setup.py run

setup-dev: ## install what developing needs
	@python3 tools/setup.py dev

run: setup ## start everything on a demo marketplace and print the address and log-ins
	@$(PY) -m souk.cli up --demo

demo: setup ## fill the marketplace with sample goods (make run does it by itself)
	@$(PY) -m souk.cli demo

test: setup-dev ## run every test that this machine can run
	@$(PY) tools/run_tests.py

test-unit: setup-dev ## run the tests of rules and kernel alone, without a database
	@$(PY) -m pytest $(UNIT) -q

test-external: setup-dev ## run the suite against PostgreSQL 16 over TCP with a password
	@$(PY) tools/run_tests.py --external

check: setup-dev ## lint, types, imports, architecture, SQL and migrations
	@$(PY) tools/check.py

fmt: setup-dev ## format the code
	@.venv/bin/ruff format . && .venv/bin/ruff check --fix-only --quiet .

mutate: setup-dev ## change the money, stock and order rules, and see that tests notice
	@$(PY) tools/mutate.py

bench: setup-dev ## measure and write docs/benchmarks.md (SCALE=10k,100k or 1m; BENCH=--set-up)
	@$(PY) -m bench --scale $(SCALE) $(BENCH)

audit-pages: setup-dev ## examine every kind of page with Lighthouse, axe and an HTML validator
	@PYTHONPATH=src:. $(PY) -m tools.audit_pages $(ARGS)

gallery: setup-dev ## take pictures of every page into artifacts/gallery
	@PYTHONPATH=src:. $(PY) -m tools.gallery $(ARGS)

docs: setup-dev ## write the generated pages of docs/
	@PYTHONPATH=src:. $(PY) -m tools.write_docs

messages: setup-dev ## gather what people read and update the translation catalogues
	@$(PY) tools/messages.py

lock: setup-dev ## compile the locked requirements anew
	@$(PY) tools/lock.py

clean: ## remove everything that was installed or made here
	@rm -rf .venv .tools node_modules .souk artifacts .pytest_cache .ruff_cache
