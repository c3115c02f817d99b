# heapscan. `make help` lists the targets; `make demo` and `make check` set a fresh machine up.

BUILD ?= build
ifeq ($(origin CC),default)
CC := gcc
endif
PKGS := libdw libelf libarchive jansson libpcre2-8 sqlite3
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wconversion \
	-Wno-sign-conversion -Wvla -Wundef -Wcast-align -Wwrite-strings -Wpointer-arith -Wformat=2 \
	-Wswitch-enum -Wimplicit-fallthrough
OPT ?= -O2 -g
SANITIZE ?=
CPPFLAGS += -Isrc -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64
CFLAGS += -std=gnu11 $(OPT) $(WARNINGS) $(WERROR) $(SANITIZE) -fno-strict-aliasing
# Asked when a rule needs them, not when the Makefile is read: the packages may not be there yet.
PKG_CFLAGS = $(shell pkg-config --cflags $(PKGS))
LDLIBS = $(shell pkg-config --libs $(PKGS)) -liberty -lpthread -ldl -lm
PREFIX ?= /usr/local
DESTDIR ?=
# The system's interpreter: the one that has Debian's pytest.
PYTHON ?= /usr/bin/python3

SOURCES := $(sort $(filter-out src/main.c,$(wildcard src/*.c src/*/*.c src/*/*/*.c)))
OBJECTS := $(SOURCES:src/%.c=$(BUILD)/%.o) $(BUILD)/schema.o
LIB := $(BUILD)/libheapscan.a
SCHEMA := $(sort $(wildcard schema/*.sql schema/*/*.sql))
UNIT := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(sort $(wildcard tests/unit/*.c)))

.DEFAULT_GOAL := all
.PHONY: help all lib unit unit-run e2e check demo bench fuzz asan clang valgrind coverage tidy format \
	layouts suites install clean setup setup-test

## all: build build/heapscan
all: $(BUILD)/heapscan

## help: this list
help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST)

lib: $(LIB)

$(BUILD)/%.o: src/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(PKG_CFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/schema.c: $(SCHEMA) scripts/embed Makefile
	@mkdir -p $(@D)
	scripts/embed $(foreach f,$(SCHEMA),$(f:schema/%=%)=$(f)) > $@.tmp && mv $@.tmp $@

$(BUILD)/schema.o: $(BUILD)/schema.c
	$(CC) $(CPPFLAGS) $(CFLAGS) -Wno-overlength-strings -c -o $@ $<

$(LIB): $(OBJECTS)
	@rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/heapscan: $(BUILD)/main.o $(LIB)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/unit/%: tests/unit/%.c $(LIB)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(PKG_CFLAGS) $(CFLAGS) -Itests/unit -MMD -MP -MF $@.d $(LDFLAGS) -o $@ $< $(LIB) \
		-lcmocka $(LDLIBS)

## unit-run: the unit tests
unit: $(UNIT)
unit-run: $(UNIT)
	@set -e; for t in $(UNIT); do echo "$$t"; $$t; done

-include $(wildcard $(BUILD)/*.d $(BUILD)/*/*.d $(BUILD)/*/*/*.d)

## setup: install what building needs (Debian packages)
setup:
	@scripts/setup build

setup-test:
	@scripts/setup test

## clean: remove what was built
clean:
	rm -rf $(BUILD)
