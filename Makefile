# SPDX-License-Identifier: MIT
# The daily commands by name. The build itself is CMake's: `cmake --preset release` and so on.
.PHONY: all dev test test-unit e2e lint tidy format fuzz top docs demo install clean

PRESET ?= release
PREFIX ?= /usr/local
T ?=
SECONDS_EACH ?= 60

all:
	cmake --preset $(PRESET) && cmake --build --preset $(PRESET)

dev:
	cmake --preset dev && cmake --build --preset dev

test:
	bash scripts/test.sh

test-unit:
	bash scripts/test.sh --no-setup unit

e2e:
	bash scripts/test.sh --no-setup e2e

lint:
	bash scripts/test.sh --no-setup --no-tidy lint
	bash scripts/top_functions.sh

tidy:
	cmake --preset release && bash tests/lint/tidy.sh

format:
	find src tests bench -name '*.[ch]' -print0 | xargs -0 clang-format-14 -i

# make fuzz T=sse: one target; without T every target, a minute each.
fuzz:
	bash scripts/fuzz.sh $(SECONDS_EACH) $(T)

# Writes schemas/ and docs/reference/ from the tables in the code.
docs:
	bash scripts/docs.sh

demo:
	bash scripts/demo.sh

# The programs alone, so that no test library is needed. DESTDIR is read from the environment; PREFIX, too, so that
# the shell leaves a blank in it alone.
install: export PREFIX := $(PREFIX)
install:
	cmake --preset minimal && cmake --build --preset minimal
	cmake --install build --prefix "$$PREFIX"

clean:
	cmake -E rm -rf build
