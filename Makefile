# The front door. Needs Python 3.11+, make and a package index, nothing else.
PYTHON ?= python3
# Most tests that take long wait for something.
WORKERS ?= $(shell expr 2 '*' $$(getconf _NPROCESSORS_ONLN))
SEEDS  ?= 10000
SCRIPTS ?= 2000
PLAYS  ?= 10
STATES ?= 2000
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

# An ordinary install, its cores compiled; see setup.py.
COMPILED       := .venv-compiled
COMPILED_STAMP := $(COMPILED)/.installed
COMPILED_TESTS := tests/server tests/differential tests/migrate02/datadir
SOURCES        := $(shell find compat migrate02 server -name '*.py')

SOAK := $(COMPILED)/bin/python -P tests/soak.py

OF_COMPILED := -o pythonpath= -m 'not slow and not interpreted' $(COMPILED_TESTS)

.PHONY: demo test compiled test-compiled soak soak-cluster soak-disk soak-hostile soak-convert lint types contracts bench docs lock proto clean

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

$(COMPILED_STAMP): pyproject.toml setup.py constraints.txt $(SOURCES)
	rm -rf build
	test -x $(COMPILED)/bin/python || $(PYTHON) -m venv $(COMPILED)
	MIGRATE02_COMPILE=always PIP_CONSTRAINT=constraints.txt \
		$(COMPILED)/bin/python -m pip install --quiet --disable-pip-version-check '.[dev]'
	@touch $@

demo: $(STAMP)  ## convert a 0.4 configuration and serve keys with it
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python docs/demo.py

test: $(STAMP) lint types contracts  ## everything CI runs
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal
	$(MAKE) test-compiled

compiled: $(COMPILED_STAMP)  ## an environment with the server compiled, as pip install makes it; bench/ measures that

test-compiled: $(COMPILED_STAMP)  ## the quick tests of what is compiled, against that
	MIGRATE02_INSTALLED=1 $(COMPILED)/bin/pytest -n $(WORKERS) --dist worksteal $(OF_COMPILED)

soak: $(COMPILED_STAMP)  ## simulated clusters under faults, by the thousand: make soak SEEDS=100000
	$(SOAK) tests.server.raft.soak --seeds $(SEEDS)

soak-cluster: $(COMPILED_STAMP)  ## three real processes under faults, histories checked: make soak-cluster PLAYS=100
	$(SOAK) tests.linearizability.soak --plays $(PLAYS)

soak-disk: $(COMPILED_STAMP)  ## three members whose power is cut, all that was answered there again: make soak-disk STATES=20000
	$(SOAK) tests.server.node.soak_disk --states $(STATES)

soak-hostile: $(STAMP)  ## inputs of the tool that are made to be slow: fails where the work grows faster than the input
	$(BIN)/python -m tests.migrate02.soak_hostile

soak-convert: $(STAMP)  ## scripts made from an allow-list, converted and run before and after: make soak-convert SCRIPTS=20000
	$(BIN)/python -m tests.migrate02.soak_convert --scripts $(SCRIPTS)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

contracts: $(STAMP)
	$(BIN)/lint-imports

bench: $(STAMP) $(COMPILED_STAMP)  ## figures: start-up, conversion of files and of data, and the bundled server against a real etcd
	$(BIN)/python bench/startup.py
	$(BIN)/python bench/convert_tree.py
	$(BIN)/python bench/datadir.py
	$(BIN)/python bench/v2store.py
	$(COMPILED)/bin/python bench/server.py
	$(COMPILED)/bin/python bench/cluster.py
	$(COMPILED)/bin/python bench/proxy.py

docs: $(STAMP)  ## the pages and examples that are made from code
	$(BIN)/python docs/generate.py

proto: $(STAMP)  ## the protobuf modules, from the .proto files
	$(BIN)/python -m grpc_tools.protoc -I. --python_out=. --pyi_out=. server/proto/*.proto

lock:  ## write constraints.txt anew from a fresh environment
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -e '.[dev]'
	$(BIN)/python -m pip freeze --exclude-editable | grep -v -e '^pip==' -e '^setuptools==' > constraints.txt

clean:
	rm -rf $(VENV) $(COMPILED) build dist *.egg-info
