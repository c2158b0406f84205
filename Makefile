# Two commands are all that a newcomer needs: `make demo` and `make test`.

PYTHON := $(firstword $(foreach p,python3.13 python3.12 python3.11 python3,$(if $(shell $(p) -c "import sys; sys.exit(sys.version_info < (3, 11))" 2>/dev/null && echo yes),$(p))))
BIN := .venv/bin
ROOMS := barstep.kernels barstep.engine barstep.replay barstep.config barstep.data barstep.report barstep.ops barstep.cli
# Tests of operations, and of the pages of the documentation.
OPERATIONS := tests/docs tests/deploy tests/ops
# Compiles everything, into this machine's own cache where that is empty.
WARMUP := tests/ops/test_warmup.py
SEEDS ?= 1
export SEEDS

.PHONY: demo live-demo test compiled lint units-commands units-event-time units-operations units-rest kernels-plain kernels-bounds covered verify bench clean alerts dashboards docs

demo: .venv/ready
	$(BIN)/barstep demo

# A venue and a live loop beside each other, for half a minute, in var/live-demo.
live-demo: .venv/ready
	$(BIN)/barstep live-demo

# Two at a time, in this order: what needs compiled kernels waits for the test of the warm-up, which fills the cache, and
# what needs none goes beside it. Coverage is added up once all have run.
test: .venv/ready .typeroot/barstep
	$(BIN)/coverage erase
	$(MAKE) --no-print-directory -j 2 compiled lint kernels-plain units-rest units-event-time units-operations \
	    units-commands kernels-bounds
	$(MAKE) --no-print-directory covered

.venv/ready: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; none was found"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# mypy cannot see a package that is mapped onto the repository's root; this link shows it.
.typeroot/barstep:
	@mkdir -p .typeroot && ln -sfn .. $@

lint: .venv/ready .typeroot/barstep
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(addprefix -p ,$(ROOMS))
	$(BIN)/lint-imports

compiled: .venv/ready
	$(BIN)/pytest $(WARMUP)

units-rest: compiled
	$(BIN)/coverage run -p -m pytest $(addprefix --ignore=,tests/replay tests/cli $(OPERATIONS))

units-event-time: compiled
	$(BIN)/coverage run -p -m pytest tests/replay

units-operations: compiled
	$(BIN)/coverage run -p -m pytest $(OPERATIONS) --ignore=$(WARMUP)

units-commands: compiled
	$(BIN)/coverage run -p -m pytest tests/cli

# The JIT off, so that coverage sees into the kernels; small inputs only.
kernels-plain: .venv/ready
	NUMBA_DISABLE_JIT=1 $(BIN)/coverage run -p -m pytest -m unit_kernel tests/kernels

covered: .venv/ready
	$(BIN)/coverage combine -q
	$(BIN)/coverage report --skip-covered --fail-under=85
	$(BIN)/coverage report --include="kernels/*" --fail-under=87 --format=total
	$(BIN)/coverage report --include="engine/*" --fail-under=87 --format=total

# Every index checked, compiled into a cache of its own.
kernels-bounds: .venv/ready
	cache=$$(mktemp -d) && NUMBA_BOUNDSCHECK=1 BARSTEP_CACHE_DIR=$$cache $(BIN)/pytest -m unit_kernel tests/kernels; \
	status=$$?; rm -rf "$$cache"; exit $$status

# The guides and runbooks as a site, in build/site: `python -m http.server --directory build/site` shows it.
docs: .venv/ready
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

# The same property tests with many more examples, every step of an acceptance for each planted fault, and the gate on a busy
# machine as often: make verify SEEDS=50
verify: .venv/ready
	$(BIN)/pytest -v tests/kernels tests/engine tests/replay tests/data tests/docs tests/ops/acceptance tests/ops/test_gate_rounds.py
	$(BIN)/python benchmarks/gate/trial.py --planted $(SEEDS) --unplanted $(SEEDS)
	$(MAKE) --no-print-directory alerts

# Loops and venues go wrong, and Prometheus and Alertmanager, where they are installed, are to notice.
alerts: .venv/ready
	$(BIN)/python tests/deploy/live/prove_alerts.py

# Grafana's dashboards, from the bounds of the configuration.
dashboards: .venv/ready
	$(BIN)/python -m barstep.ops.dashboards config/core.yaml deploy/grafana/provisioning/dashboards

# The peers of the benchmarks are a gigabyte; they have an environment of their own.
.venv-bench/ready: benchmarks/requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; none was found"; exit 1; }
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check -r benchmarks/requirements.lock
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# nautilus_trader stands apart: with its pandas the other peers would be older ones.
.venv-nautilus/ready: benchmarks/replay/requirements.lock
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; none was found"; exit 1; }
	$(PYTHON) -m venv .venv-nautilus
	.venv-nautilus/bin/python -m pip install --quiet --disable-pip-version-check -r benchmarks/replay/requirements.lock
	@touch $@

# Some cases, more rounds, figures in a file: make bench PEERS="z-score ATR --rounds 15 --json figures.json"
bench: .venv/ready .venv-bench/ready .venv-nautilus/ready
	.venv-bench/bin/pytest benchmarks
	.venv-bench/bin/python benchmarks/start/run.py
	.venv-bench/bin/python benchmarks/peers/metrics.py
	.venv-bench/bin/python benchmarks/fills/run.py
	.venv-bench/bin/python benchmarks/scheduler/run.py
	.venv-bench/bin/python benchmarks/montecarlo/run.py
	.venv-bench/bin/python benchmarks/replay/run.py
	.venv-bench/bin/python benchmarks/live/run.py
	$(BIN)/python benchmarks/live/loopback.py
	.venv-bench/bin/python benchmarks/journal/run.py
	.venv-bench/bin/python benchmarks/journal/verify.py
	.venv-bench/bin/python benchmarks/peers/run.py $(PEERS)

clean:
	rm -rf .venv .venv-bench .venv-nautilus .typeroot .coverage* .pytest_cache .mypy_cache .ruff_cache .hypothesis build *.egg-info
