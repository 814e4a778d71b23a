# One code path for everything: run.py, with the same words (python3 run.py <target>). Arguments: make test ARGS="-k name"
PYTHON ?= python3

.DEFAULT_GOAL := run
.PHONY: run install test bench lint lock

run install test bench lint lock:
	@$(PYTHON) run.py $@ $(ARGS)
