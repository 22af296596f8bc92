# Requires make and Python 3.11 or newer. Everything else is installed in .venv.
.DEFAULT_GOAL := help
.PHONY: help run test quick check format install bench lock pins messages

PY := .venv/bin/python
PIP := $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes
LOCK := $(PY) -m uv pip compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate \
	--no-header --python-version 3.11 --universal
TEMPLATES := --tabwidth 2 templates tests/frame/templates

help:
	@echo "make run      start Throughline on http://127.0.0.1:8000 (PORT, HOST: see .env.example)"
	@echo "make test     run every test; ARGS='tests/kit -k queue' for some"
	@echo "make quick    run the tests that the changed files need, on SQLite"
	@echo "make check    lint, layout, texts and types"
	@echo "make format   format code and templates"
	@echo "make messages collect the texts for translators, and compile the catalogs (needs GNU gettext)"
	@echo "make bench    measure the promised ratios; ARGS='--size 1000000' for another size"
	@echo "make install  create .venv"
	@echo "make lock     pin requirements/*.in again; ARGS=--upgrade for newer releases"
	@echo "make pins     compare the pins with the published versions"

# exec lets the signals of Ctrl-C and kill reach the server instead of a shell.
run: .venv/base.stamp
	@exec $(PY) manage.py up

test: .venv/dev.stamp
	@exec $(PY) -m tests.run $(ARGS)

quick: .venv/dev.stamp
	@exec $(PY) -m tests.quick $(ARGS)

check: .venv/dev.stamp
	@$(PY) -m ruff check --no-cache
	@$(PY) -m ruff format --check
	@$(PY) -m djhtml --check $(TEMPLATES)
	@$(PY) -m tests.texts
	@$(PY) -m mypy

format: .venv/dev.stamp
	@$(PY) -m ruff format
	@$(PY) -m djhtml $(TEMPLATES)

bench: .venv/dev.stamp
	@exec $(PY) -m bench $(ARGS)

messages: .venv/dev.stamp
	@DEBUG=1 $(PY) manage.py makemessages
	@DEBUG=1 $(PY) manage.py compilemessages

install: .venv/base.stamp

lock: .venv/dev.stamp
	$(LOCK) $(ARGS) requirements/base.in -o requirements/base.txt
	$(LOCK) $(ARGS) requirements/s3.in -o requirements/s3.txt
	$(LOCK) $(ARGS) requirements/dev.in -o requirements/dev.txt

pins: .venv/dev.stamp
	@exec $(PY) -m tests.pins

.venv/base.stamp: .venv/bin/python requirements/base.txt
	@echo "Installing the packages of Throughline …"
	@$(PIP) -r requirements/base.txt
	@touch $@

.venv/dev.stamp: .venv/base.stamp requirements/dev.txt
	@echo "Installing the packages of the tests …"
	@$(PIP) -r requirements/dev.txt
	@touch $@

# Use the first Python that is new enough and can create a virtual environment (on Debian a package: python3-venv).
.venv/bin/python:
	@new=; able=; \
	for python in python3.11 python3.12 python3.13 python3 python; do \
		$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
		new=$$python; \
		$$python -c 'import ensurepip, venv' 2>/dev/null && { able=$$python; break; }; \
	done; \
	if [ -z "$$new" ]; then echo "Throughline needs Python 3.11 or newer; none was found." >&2; exit 1; fi; \
	if [ -z "$$able" ]; then \
		echo "$$new cannot make a virtual environment (no ensurepip); on Debian: apt install python3-venv" >&2; exit 1; \
	fi; \
	$$able -m venv --clear .venv
