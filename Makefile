# Sets up .venv from a bare clone, and runs from it what a developer runs: see `make help`.

VENV := .venv
PY := $(VENV)/bin/python
# What an installation depends on. It is editable, so Python sources are not among them.
INSTALLED := setup.cfg setup.py pyproject.toml gluon_neuron/_version.py gluon_neuron_mxnet.pth $(wildcard build_backend/*.py)
INSTALL := $(PY) build_backend/install.py
# What the native operator is made of. Once a developer's .venv is there, it is built in place, and of what has changed alone.
NATIVE := CMakeLists.txt CMakePresets.json gluon_neuron/engine/chips.json $(shell find gluon_neuron/native -type f)
NATIVE_TESTS := $(shell find tests/native -type f)
CXX_FILES := $(shell find gluon_neuron/native tests/native examples -name third_party -prune -o \( -name '*.cc' -o -name '*.h' \) -print)
CMAKE := $(VENV)/bin/cmake
CONFIGURE := $(CMAKE) -DCMAKE_MAKE_PROGRAM=$(abspath $(VENV))/bin/ninja -DPython_EXECUTABLE=$(abspath $(PY))
CTEST := $(VENV)/bin/ctest
# The compiler that is checked is the one that CMake takes.
export CXX
# A release of NumPy for a new environment: see build_backend/install.py.
export NUMPY

.PHONY: help interpreter venv demo native test test-around test-browser browser test-python test-part sanitize sanitize-fast coverage coverage-report bench docs site notebooks lint \
	lint-check lint-format lint-types lint-native lint-native-format wheel wheel-aarch64 clean
.DELETE_ON_ERROR:
.NOTPARALLEL:

help:
	@echo "make demo    compile resnet50_v1, compare with MXNet, time both"
	@echo "make native  build the native operator and its tests, and run those (make test does too)"
	@echo "make test    the tests, without those marked slow, a file at a time on each core; PYTEST_ARGS adds arguments"
	@echo "make test-around  the tests of notebooks, servers, commands, culprits and ways to start, which make test leaves out"
	@echo "make test-browser  the tests of a report's page, in Chromium; make browser installs that on Debian"
	@echo "make test-python PYTHON=python3.13  a representative part of the tests on another Python, in .venv-3.13; NUMPY=2.5 names a NumPy"
	@echo "make coverage  the tests, and how much of the package they run: no less than the floor in pyproject.toml"
	@echo "make lint    ruff, mypy, clang-format and clang-tidy"
	@echo "make sanitize  the C++ tests and a fuzz of the artifact's reader under ASan and UBSan (sanitize-fast), then under TSan"
	@echo "make bench   the benchmarks; BENCH_ARGS adds arguments"
	@echo "make docs    the pages and the drawing that are made of the code: operators, HLO checks, environment, architecture"
	@echo "make site    the documentation as a site in build/site; a warning is an error, and nothing comes from a network"
	@echo "make notebooks  the notebooks of examples/, of the scripts beside them, each run from a clean kernel; NOTEBOOKS names some"
	@echo "make wheel   a wheel and a source distribution in dist/, checked and tried in an environment of their own"
	@echo "make wheel-aarch64  a wheel for Linux on Arm in dist/, cross-compiled"
	@echo "make venv    only set up .venv; PYTHON names the interpreter, VENV another folder, CXX the compiler"
	@echo "make clean   remove what was built; .venv stays"

venv: $(VENV)/.dev

demo: $(VENV)/.package
	$(PY) -m gluon_neuron.demo

native: $(VENV)/.native
	$(CTEST) --preset release --parallel 2

PYTEST := -m pytest -m "not slow" --numprocesses auto --maxprocesses 4 --dist loadfile
# Notebooks, pages, servers, commands, the search for culprits, the benchmarks' own tools and the ways to start: what is run around the package.
AROUND := tests/benchmarks tests/compat/test_install.py tests/culprit tests/docs/test_python_blocks.py tests/docs/test_site.py tests/examples \
	tests/serve tests/test_benchmarking.py \
	tests/test_import_hooks.py tests/test_import_order.py tests/tools

# In a real browser, which is no Python package.
BROWSER := tests/browser

test: native
	$(PY) $(PYTEST) $(addprefix --ignore=,$(AROUND) $(BROWSER)) $(COLLECT) $(PYTEST_ARGS)

test-around: native
	$(PY) $(PYTEST) $(COLLECT) $(if $(COVERAGE),--cov-append) $(AROUND) $(PYTEST_ARGS)

test-browser: native
	$(PY) -m pytest $(COLLECT) $(if $(COVERAGE),--cov-append) $(BROWSER) $(PYTEST_ARGS)

# Debian's Chromium and its driver, if they are not there.
browser:
	@command -v chromium >/dev/null && command -v chromedriver >/dev/null && exit; root=$$([ "$$(id -u)" = 0 ] || echo sudo); \
		$$root apt-get update --quiet=2 && \
		$$root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet=2 --no-install-recommends \
			chromium chromium-driver fonts-dejavu-core

# What tells most about a Python and a NumPy: the way into MXNet and back, the operator, and files of earlier releases.
PART := tests/build_backend tests/compat tests/engine tests/frontend tests/release tests/runtime \
	$(addprefix tests/test_,block.py compile.py golden.py import_hooks.py import_order.py mxnet_names.py)

test-python:
	@[ -n "$(PYTHON)" ] || { echo "make test-python PYTHON=... names the interpreter" >&2; exit 1; }
	@version=$$(sh build_backend/interpreter.sh --version $(PYTHON)) && \
		$(MAKE) test-part PYTHON="$(PYTHON)" VENV=.venv-$$version$(if $(NUMPY),-numpy$(NUMPY))

# What the native library does is the same whatever calls it.
NATIVE_ALONE := $(addprefix tests/runtime/test_,binding.py engine_nrt.py memory.py models.py placement.py unseen_shapes.py)

test-part: $(VENV)/.test
	$(PY) $(PYTEST) $(addprefix --ignore=,$(NATIVE_ALONE)) $(PART) $(PYTEST_ARGS)

# The floor is for the whole suite, so a run of a part does not look at it.
COLLECT = $(if $(COVERAGE),--cov --cov-report= --cov-fail-under=0)

coverage:
	$(MAKE) test COVERAGE=1
	$(MAKE) test-around COVERAGE=1
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
	$(PY) -m docs.environment_page docs/environment.md
	$(PY) -m docs.architecture_picture docs/architecture.svg

# The variable silences what Material says about other tools.
site: $(VENV)/.dev
	NO_MKDOCS_2_WARNING=1 PYTHONDONTWRITEBYTECODE=1 $(PY) -m mkdocs build --strict

notebooks: native
	$(PY) -m docs.notebooks $(NOTEBOOKS)

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
PLATFORM := manylinux_2_34
AUDITWHEEL := PATH="$(abspath $(VENV))/bin:$$PATH" $(PY) -m auditwheel
# The wheel is built from the source distribution, which shows that nothing is missing there.
wheel: $(VENV)/.dev
	rm -rf dist build/unrepaired
	$(PY) -m build --outdir build/unrepaired
	$(AUDITWHEEL) repair --plat $(PLATFORM)_$(shell uname -m) --wheel-dir dist build/unrepaired/*.whl
	mv build/unrepaired/*.tar.gz dist
	$(PY) -m twine check --strict dist/*
	$(PY) -m tests.release.check_dist dist

# MXNet's headers are the same in its wheels for both machines. What runs there is tried by hand: docs/install.md.
CROSS := aarch64-linux-gnu
wheel-aarch64: $(VENV)/.dev
	@command -v $(CROSS)-g++ >/dev/null || { echo "$(CROSS)-g++ is missing: install Debian's g++-$(CROSS)" >&2; exit 1; }
	rm -rf dist/*_aarch64.whl build/unrepaired-aarch64
	CXX=$(CROSS)-g++ CMAKE_TOOLCHAIN_FILE=$(CURDIR)/cmake/$(CROSS).cmake \
		$(PY) -m build --outdir build/unrepaired-aarch64 --config-setting=--build-option=--plat-name=linux_aarch64
	$(AUDITWHEEL) repair --wheel-dir dist build/unrepaired-aarch64/*.whl
	$(PY) -m twine check --strict dist/*-$(PLATFORM)_aarch64.whl
	$(PY) -m tests.release.check_dist --contents dist/*-$(PLATFORM)_aarch64.whl

clean:
	rm -rf build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage .coverage.* htmlcov
	rm -f gluon_neuron/engine/*.so
	rm -f $(VENV)/.package $(VENV)/.dev $(VENV)/.native $(VENV)/.test
	find . -path './.venv*' -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

# Ends with one line if the native operator could not be compiled later.
define need_compiler
printf '#include <string>\nint main() { return 0; }\n' | $(CXX) -std=c++17 -x c++ -fsyntax-only - 2>/dev/null || { \
	echo "gluon_neuron needs a C++17 compiler, and '$(CXX)' does not work: install g++ or name yours with CXX=..." >&2; \
	exit 1; }
endef

# Asked each time, so that an environment of another Python than PYTHON is not used.
interpreter:
	@sh build_backend/interpreter.sh $(VENV) $(PYTHON)

$(VENV)/.package: $(INSTALLED) $(NATIVE) | interpreter
	@$(need_compiler)
	$(INSTALL)
	touch $@

$(VENV)/.dev: $(INSTALLED) | interpreter
	@$(need_compiler)
	$(INSTALL) dev
	touch $@ $(VENV)/.package

# On a Python beside the main one: the tests alone, with the operator that pip builds in place.
$(VENV)/.test: $(INSTALLED) $(NATIVE) | interpreter
	@$(need_compiler)
	$(INSTALL) test
	touch $@ $(VENV)/.package

# In a folder of its own, as pip's has the headers of packages that are gone when it is done.
$(VENV)/.native: $(NATIVE) $(NATIVE_TESTS) $(VENV)/.dev
	@$(need_compiler)
	$(CONFIGURE) --preset release
	$(CMAKE) --build --preset release
	touch $@ $(VENV)/.package
