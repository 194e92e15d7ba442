# make run · make test · make bench · make bench-gpu · make lint · make screenshots · make examples · make clean
# ARGS goes to the program:  make ARGS=project.nnd run    make ARGS="-k undo" test
# PYTHON picks the interpreter that .venv is made with:  make PYTHON=python3.12 run

PYTHON ?=
ARGS ?=

PY := .venv/bin/python
APP := .venv/.installed-app
TEST := .venv/.installed-test
PIP := $(PY) -m pip --disable-pip-version-check
OFFSCREEN := QT_QPA_PLATFORM=offscreen LC_ALL=C.UTF-8

# A leading underscore marks a helper of the measurements, not a measurement.
BENCHMARKS = $(filter-out benchmarks/_% benchmarks/gpu.py,$(sort $(wildcard benchmarks/*.py)))

.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help run test bench bench-gpu lint screenshots examples clean distclean libraries libraries-offscreen

help:
	@echo "make run          install what is missing into .venv and start the designer (ARGS=project.nnd opens one)"
	@echo "make test         install what the tests need and run them"
	@echo "make bench        run the measurements against peers"
	@echo "make bench-gpu    the same on a GPU; needs one of the GPU extras"
	@echo "make lint         check the code's style"
	@echo "make screenshots  take the window's pictures"
	@echo "make examples     make the bundled example projects anew"
	@echo "make clean        remove caches and build output; make distclean removes .venv too"

run: $(APP) libraries
	@env -u QT_QPA_PLATFORM $(PY) main.py $(ARGS)

test: $(TEST) libraries-offscreen
	$(OFFSCREEN) $(PY) -m pytest $(ARGS)

bench: $(APP) libraries-offscreen
	@set -e; for file in $(BENCHMARKS); do echo "== $$file"; $(OFFSCREEN) $(PY) $$file $(ARGS); done

bench-gpu: $(APP)
	@$(PY) benchmarks/gpu.py $(ARGS)

lint: $(TEST)
	$(PY) -m ruff check . $(ARGS)

screenshots: $(APP) libraries-offscreen
	$(OFFSCREEN) $(PY) scripts/screenshots.py $(ARGS)

examples: $(APP)
	$(PY) scripts/make_examples.py $(ARGS)

clean:
	rm -rf build dist screenshots .pytest_cache .ruff_cache .hypothesis
	find . -name .venv -prune -o -name __pycache__ -type d -exec rm -rf {} +

distclean: clean
	rm -rf .venv

# What Qt loads from the system. Looked at each time: it takes a moment, and a display may have come since.
libraries: $(APP)
	@sh scripts/setup.sh libraries $(PY)

libraries-offscreen: $(APP)
	@sh scripts/setup.sh libraries $(PY) offscreen

# A working environment is kept, a broken one (its Python was removed) is made anew, and then all is installed again.
$(shell test -x $(PY) || rm -f $(APP) $(TEST))
$(PY):
	@python=$$(sh scripts/setup.sh python "$(PYTHON)") && echo "Making .venv with $$python" && "$$python" -m venv --clear .venv

# The marker files stand for a finished installation; they are made anew when the versions wanted have changed.
$(APP): pyproject.toml constraints.txt | $(PY)
	$(PIP) install --constraint constraints.txt --editable .
	@touch $@

$(TEST): pyproject.toml constraints.txt | $(PY)
	$(PIP) install --constraint constraints.txt --editable '.[test]'
	@touch $@ $(APP)
