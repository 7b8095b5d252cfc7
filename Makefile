# Aliases for dev.py, which does the work and also runs where make is missing.
# More arguments: make test ARGS="tests/house -x"
PYTHON ?= python3

.PHONY: help serve test check bench soak format lock

help:
	@$(PYTHON) dev.py

test: export TESTS_FORBID_SKIPS = 1

serve test check bench soak format lock:
	@$(PYTHON) dev.py $@ $(ARGS)
