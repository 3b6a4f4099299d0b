# The front door. Needs Python 3.11+, make and a package index, nothing else.
PYTHON ?= python3
# Most tests that take long wait for something.
WORKERS ?= $(shell expr 2 '*' $$(getconf _NPROCESSORS_ONLN))
SEEDS  ?= 10000
SCRIPTS ?= 2000
PLAYS  ?= 10
STATES ?= 2000
MINUTES ?= 30
VENV   := .venv
BIN    := $(VENV)/bin
RUNS   := $(VENV)/.runs
STAMP  := $(VENV)/.installed

# What only the tests of the page in a browser need.
PAGE_STAMP := $(VENV)/.installed-page

# What only the plots of the figures need.
BENCH_STAMP := $(VENV)/.installed-bench

# An install with its cores compiled; see setup.py.
COMPILED       := .venv-compiled
COMPILED_STAMP := $(COMPILED)/.installed
COMPILED_TESTS := tests/server tests/differential tests/migrate02/datadir
SOURCES        := $(shell find compat migrate02 server -name '*.py')

DIST_STAMP := dist/.built

SOAK := $(COMPILED)/bin/python -P tests/soak.py

TYPED_SCRIPTS := packaging/backend.py packaging/from_source.py packaging/generate.py packaging/parsers.py

OF_COMPILED := -o pythonpath= -m 'not slow and not interpreted' $(COMPILED_TESTS)

.PHONY: demo test dist compiled test-compiled soak soak-cluster soak-disk soak-gateway soak-hostile soak-convert test-page screenshots lint types contracts bench docs packaging lock proto clean

# The commands, run from the sources: all that a first look needs.
$(RUNS): pyproject.toml constraints.txt packaging/from_source.py
	$(PYTHON) packaging/from_source.py $(VENV)
	@touch $@

$(STAMP): $(RUNS)
	$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip --default-pip >/dev/null
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

# The sdist, the pure wheel that is built of it, and a compiled wheel for this machine.
$(DIST_STAMP): $(STAMP) setup.py MANIFEST.in $(shell find packaging -type f -not -name '*.pyc') $(SOURCES)
	rm -rf build dist
	PIP_CONSTRAINT=constraints.txt $(BIN)/python -m build
	rm -rf build
	MIGRATE02_COMPILE=always PIP_CONSTRAINT=constraints.txt $(BIN)/python -m build --wheel
	@rm -rf build && touch $@

$(COMPILED_STAMP): $(DIST_STAMP)
	test -x $(COMPILED)/bin/python || $(PYTHON) -m venv $(COMPILED)
	wheel=$$(echo dist/*-cp*.whl) && $(COMPILED)/bin/python -m pip install --quiet --disable-pip-version-check \
		--force-reinstall --no-deps "$$wheel" && \
	$(COMPILED)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt "$$wheel[dev]"
	@touch $@

demo: $(RUNS)  ## convert a 0.4 configuration and serve keys with it
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python docs/demo.py
	@echo "The commands are in $(CURDIR)/$(BIN): migrate02, etcd02, etcdctl02. They run from these sources."
	@echo 'Put them on the PATH of this shell:  PATH="$(CURDIR)/$(BIN):$$PATH"'

test: $(STAMP) lint types contracts dist  ## everything CI runs
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal
	$(MAKE) test-compiled

dist: $(DIST_STAMP)  ## what is published, in dist/: the sdist, a pure wheel, a compiled wheel for this machine

compiled: $(COMPILED_STAMP)  ## an environment with the server compiled, as MIGRATE02_COMPILE=always has pip do it; bench/ measures that

test-compiled: $(COMPILED_STAMP)  ## the quick tests of what is compiled, against that
	MIGRATE02_INSTALLED=1 $(COMPILED)/bin/pytest -n $(WORKERS) --dist worksteal $(OF_COMPILED)

soak: $(COMPILED_STAMP)  ## simulated clusters under faults, by the thousand: make soak SEEDS=100000
	$(SOAK) tests.server.raft.soak --seeds $(SEEDS)

soak-cluster: $(COMPILED_STAMP)  ## three real processes under faults, histories checked: make soak-cluster PLAYS=100
	$(SOAK) tests.linearizability.soak --plays $(PLAYS)

soak-disk: $(COMPILED_STAMP)  ## three members whose power is cut, all that was answered there again: make soak-disk STATES=20000
	$(SOAK) tests.server.node.soak_disk --states $(STATES)

soak-gateway: $(COMPILED_STAMP)  ## a gateway under load for half an hour, its etcd compacted: make soak-gateway MINUTES=600
	$(COMPILED)/bin/python bench/endurance.py --minutes $(MINUTES)

soak-hostile: $(STAMP)  ## inputs of the tool that are made to be slow: fails where the work grows faster than the input
	$(BIN)/python -m tests.migrate02.soak_hostile

soak-convert: $(STAMP)  ## scripts made from an allow-list, converted and run before and after: make soak-convert SCRIPTS=20000
	$(BIN)/python -m tests.migrate02.soak_convert --scripts $(SCRIPTS)

$(PAGE_STAMP): $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,page]'
	@touch $@

test-page: $(PAGE_STAMP)  ## the page of a plan in a real browser: apt-get install chromium
	$(BIN)/python -m pytest tests/page/in_browser.py

screenshots: $(PAGE_STAMP)  ## pictures of it at every width, light, dark and printed, into screenshots/
	$(BIN)/python -m tests.page.screenshots screenshots

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy
	$(BIN)/mypy $(TYPED_SCRIPTS)
	cd bench && $(CURDIR)/$(BIN)/mypy --config-file ../pyproject.toml *.py

contracts: $(STAMP)
	$(BIN)/lint-imports

$(BENCH_STAMP): $(STAMP) $(COMPILED_STAMP)
	for bin in $(BIN) $(COMPILED)/bin; do \
		$$bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt matplotlib || exit; \
	done
	@touch $@

bench: $(BENCH_STAMP)  ## figures: start-up, conversion of files and of data, and the bundled server against a real etcd
	$(BIN)/python bench/startup.py
	$(BIN)/python bench/convert_tree.py
	$(BIN)/python bench/datadir.py
	$(BIN)/python bench/v2store.py
	$(COMPILED)/bin/python bench/server.py
	$(COMPILED)/bin/python bench/cluster.py
	$(COMPILED)/bin/python bench/proxy.py
	$(COMPILED)/bin/python bench/growth.py
	$(COMPILED)/bin/python bench/gateway.py

docs: $(STAMP)  ## the pages and examples that are made from code
	$(BIN)/python docs/generate.py

packaging: $(STAMP)  ## the man pages and the shells' completion, from the parsers of the commands
	$(BIN)/python packaging/generate.py

proto: $(STAMP)  ## the protobuf modules, from the .proto files
	$(BIN)/python -m grpc_tools.protoc -I. --python_out=. --pyi_out=. server/proto/*.proto

lock:  ## write constraints.txt anew from a fresh environment
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -e '.[bench,dev,page]'
	$(BIN)/python -m pip freeze --exclude-editable | grep -v -e '^pip==' -e '^setuptools==' > constraints.txt

clean:
	rm -rf $(VENV) $(COMPILED) build dist *.egg-info
