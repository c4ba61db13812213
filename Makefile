# Sets up .venv from a bare clone, and runs from it what a developer runs: see `make help`.

VENV := .venv
PY := $(VENV)/bin/python
# What an installation depends on. It is editable, so Python sources are not among them.
INSTALLED := setup.cfg setup.py pyproject.toml gluon_neuron/_version.py
# What the native operator is made of. Once a developer's .venv is there, it is built in place, and of what has changed alone.
NATIVE := CMakeLists.txt CMakePresets.json gluon_neuron/engine/chips.json $(shell find gluon_neuron/native -type f)
NATIVE_TESTS := $(shell find tests/native -type f)
CXX_FILES := $(shell find gluon_neuron/native tests/native examples -name third_party -prune -o \( -name '*.cc' -o -name '*.h' \) -print)
CMAKE := $(VENV)/bin/cmake
CONFIGURE := $(CMAKE) -DCMAKE_MAKE_PROGRAM=$(abspath $(VENV))/bin/ninja
CTEST := $(VENV)/bin/ctest
# The compiler that is checked is the one that CMake takes.
export CXX

.PHONY: help venv demo native test sanitize sanitize-fast coverage coverage-report bench docs lint lint-check lint-format lint-types \
	lint-native lint-native-format wheel clean
.DELETE_ON_ERROR:
.NOTPARALLEL:

help:
	@echo "make demo    compile resnet50_v1, compare with MXNet, time both"
	@echo "make native  build the native operator and its tests, and run those (make test does too)"
	@echo "make test    the tests, without those marked slow, a file at a time on each core; PYTEST_ARGS adds arguments"
	@echo "make coverage  the tests, and how much of the package they run: no less than the floor in pyproject.toml"
	@echo "make lint    ruff, mypy, clang-format and clang-tidy"
	@echo "make sanitize  the C++ tests and a fuzz of the artifact's reader under ASan and UBSan (sanitize-fast), then under TSan"
	@echo "make bench   the benchmarks; BENCH_ARGS adds arguments"
	@echo "make docs    docs/operators.md and docs/hlo-checks.md, of the rules"
	@echo "make wheel   a wheel and a source distribution in dist/, checked and tried in an environment of their own"
	@echo "make venv    only set up .venv; PYTHON names the interpreter, CXX the compiler"
	@echo "make clean   remove what was built; .venv stays"

venv: $(VENV)/.dev

demo: $(VENV)/.package
	$(PY) -m gluon_neuron.demo

native: $(VENV)/.native
	$(CTEST) --preset release --parallel 2

test: native
	$(PY) -m pytest -m "not slow" --numprocesses auto --maxprocesses 4 --dist loadfile $(COLLECT) $(PYTEST_ARGS)

# The floor is for the whole suite, so a run of a part does not look at it.
COLLECT = $(if $(COVERAGE),--cov --cov-report= --cov-fail-under=0)

coverage:
	$(MAKE) test COVERAGE=1
	$(MAKE) coverage-report

coverage-report: $(VENV)/.dev
	$(PY) -m coverage report

# The fuzz reads so many mutations of artifacts, the same at each run.
FUZZ := 50000
FUZZ_SEED := 1

sanitize-fast: $(VENV)/.dev
	@$(need_compiler)
	$(CONFIGURE) --preset asan
	$(CMAKE) --build --preset asan
	$(CTEST) --preset asan --parallel 2 --exclude-regex fuzz
	build/asan/tests/native/fuzz_artifact $(FUZZ) $(FUZZ_SEED) $(wildcard tests/native/corpus/*.artifact)

sanitize: sanitize-fast
	$(CONFIGURE) --preset tsan
	$(CMAKE) --build --preset tsan
	$(CTEST) --preset tsan --parallel 2 --exclude-regex fuzz

bench: $(VENV)/.dev
	$(PY) -m benchmarks $(BENCH_ARGS)

docs: $(VENV)/.dev
	$(PY) -m docs.operators_page docs/operators.md
	$(PY) -m docs.hlo_checks_page docs/hlo-checks.md

lint: lint-check lint-format lint-types lint-native-format lint-native

lint-check: $(VENV)/.dev
	$(PY) -m ruff check .

lint-format: $(VENV)/.dev
	$(PY) -m ruff format --check .

lint-types: $(VENV)/.dev
	$(PY) -m mypy

lint-native-format: $(VENV)/.dev
	@echo "clang-format --dry-run"; $(VENV)/bin/clang-format --dry-run --Werror $(CXX_FILES)

# Needs the commands by which CMake compiles, and no compiled file.
lint-native: $(VENV)/.dev
	$(CONFIGURE) --preset release
	@echo "clang-tidy"; printf '%s\n' $(filter gluon_neuron/%.cc tests/%.cc,$(CXX_FILES)) | \
		xargs --max-procs=$(shell nproc) --max-args=1 $(VENV)/bin/clang-tidy --quiet -p build/release

# The oldest system that wheels are for: Amazon Linux 2023 has glibc 2.34.
PLATFORM := manylinux_2_34_$(shell uname -m)
# The wheel is built from the source distribution, which shows that nothing is missing there.
wheel: $(VENV)/.dev
	rm -rf dist build/unrepaired
	$(PY) -m build --outdir build/unrepaired
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" $(PY) -m auditwheel repair --plat $(PLATFORM) --wheel-dir dist build/unrepaired/*.whl
	mv build/unrepaired/*.tar.gz dist
	$(PY) -m twine check --strict dist/*
	$(PY) -m tests.release.check_dist dist

clean:
	rm -rf build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage .coverage.* htmlcov
	rm -f gluon_neuron/engine/*.so
	rm -f $(VENV)/.package $(VENV)/.dev $(VENV)/.native
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

# Ends with one line if the native operator could not be compiled later.
define need_compiler
printf '#include <string>\nint main() { return 0; }\n' | $(CXX) -std=c++17 -x c++ -fsyntax-only - 2>/dev/null || { \
	echo "gluon_neuron needs a C++17 compiler, and '$(CXX)' does not work: install g++ or name yours with CXX=..." >&2; \
	exit 1; }
endef

# An interpreter is tried by running it: a name on the PATH may be a shim with nothing behind it.
$(PY):
	@$(need_compiler)
	@for python in $(or $(PYTHON),python3.11 python3.10 python3 python); do \
		if "$$python" -c 'import sys, ensurepip, venv; sys.exit(not (3, 10) <= sys.version_info < (3, 12))' 2>/dev/null; then \
			echo "$$python -m venv $(VENV)"; \
			"$$python" -m venv $(VENV); \
			exit; \
		fi; \
	done; \
	echo "gluon_neuron needs Python 3.10 or 3.11 with its venv module, and none of these is: $(or $(PYTHON),python3.11 python3.10 python3 python); install one, or name it with PYTHON=..." >&2; \
	exit 1

$(VENV)/.package: $(INSTALLED) $(NATIVE) | $(PY)
	@$(need_compiler)
	$(PY) -m pip install --editable .
	touch $@

$(VENV)/.dev: $(INSTALLED) | $(PY)
	@$(need_compiler)
	$(PY) -m pip install --editable '.[dev]'
	touch $@ $(VENV)/.package

# In a folder of its own, as pip's has the headers of packages that are gone when it is done.
$(VENV)/.native: $(NATIVE) $(NATIVE_TESTS) $(VENV)/.dev
	@$(need_compiler)
	$(CONFIGURE) --preset release
	$(CMAKE) --build --preset release
	touch $@ $(VENV)/.package
