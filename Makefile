# heapscan. `make help` lists the targets; `make demo` and `make check` set a fresh machine up.

BUILD ?= build
# One spelling of the folder: the dependency files name their targets by it.
override BUILD := $(abspath $(BUILD))
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

SOURCES := $(sort $(filter-out src/main.c src/extension.c,$(wildcard src/*.c src/*/*.c src/*/*/*.c)))
OBJECTS := $(SOURCES:src/%.c=$(BUILD)/%.o) $(BUILD)/schema.o
LIB := $(BUILD)/libheapscan.a
SCHEMA := $(sort $(wildcard schema/*.sql schema/*/*.sql))
UNIT := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(sort $(wildcard tests/unit/*.c)))

.DEFAULT_GOAL := all
.PHONY: help all lib libcxx unit unit-run e2e check demo bench fuzz asan clang valgrind coverage tidy analyze \
	format layouts suites apps apps-suites daemons pythons builds install clean setup setup-test

## all: build build/heapscan, and its SQL functions as a loadable extension, build/heapscan.so
all: $(BUILD)/heapscan $(BUILD)/heapscan.so

## help: this list
help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST)

lib: $(LIB)

$(BUILD)/%.o: src/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(PKG_CFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

PAGES := src/report/page.html
# The list of what is embedded: a file that was removed is no newer prerequisite of anything, but the
# list is, and it is touched only when it changes.
EMBEDDED := $(BUILD)/schema.list
.PHONY: FORCE
$(EMBEDDED): FORCE
	@mkdir -p $(@D)
	@echo '$(SCHEMA) $(PAGES)' | cmp -s - $@ || echo '$(SCHEMA) $(PAGES)' > $@

$(BUILD)/schema.c: $(SCHEMA) $(PAGES) $(EMBEDDED) scripts/embed Makefile
	@mkdir -p $(@D)
	scripts/embed $(foreach f,$(SCHEMA),$(f:schema/%=%)=$(f)) \
		$(foreach f,$(PAGES),$(notdir $(f))=$(f)) > $@.tmp && mv $@.tmp $@

$(BUILD)/schema.o: $(BUILD)/schema.c
	$(CC) $(CPPFLAGS) $(CFLAGS) -Wno-overlength-strings -c -o $@ $<

$(LIB): $(OBJECTS)
	@rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/heapscan: $(BUILD)/main.o $(LIB)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# The SQL functions alone, against the SQLite of the program that loads them.
EXTENSION := src/extension.c src/store/functions.c src/store/table_functions.c src/store/paths.c \
	src/store/paths_text.c src/store/paths_sets.c src/store/paths_repeat.c src/store/whatif.c \
	src/store/whatif_cut.c src/store/embed.c src/graph/path.c src/base/error.c src/base/vec.c src/base/short_name.c
EXTENSION_OBJECTS := $(EXTENSION:src/%.c=$(BUILD)/extension/%.o) $(BUILD)/extension/schema.o
# A file that is missing above is told by the linker, not by the program that loads it. The sanitizers' own
# symbols are not there before that.
EXTENSION_LDFLAGS = $(if $(SANITIZE),,-Wl,-z,defs)
EXTENSION_FLAGS := -fPIC -fvisibility=hidden -DHEAPSCAN_EXTENSION

$(BUILD)/extension/%.o: src/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(PKG_CFLAGS) $(CFLAGS) $(EXTENSION_FLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/extension/schema.o: $(BUILD)/schema.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(EXTENSION_FLAGS) -Wno-overlength-strings -c -o $@ $<

$(BUILD)/heapscan.so: $(EXTENSION_OBJECTS)
	$(CC) $(CFLAGS) -shared $(EXTENSION_LDFLAGS) $(LDFLAGS) -o $@ $^ $(shell pkg-config --libs libpcre2-8)

$(BUILD)/unit/%: tests/unit/%.c $(LIB)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(PKG_CFLAGS) $(CFLAGS) -Itests/unit -MMD -MP -MF $@.d $(LDFLAGS) -o $@ $< $(LIB) \
		-lcmocka $(LDLIBS)

## unit-run: the unit tests
unit: $(UNIT)
unit-run: $(UNIT)
	@set -e; for t in $(UNIT); do echo "$$t"; $$t; done

## e2e: oracle programs, real cores, damaged ones: against build/heapscan
# Two runs: files of one name may be in both folders.
# The programs are the same whatever heapscan is built with.
export PROGRAMS_DIR ?= $(abspath $(BUILD))/programs
# Where `make pythons` puts Debian's interpreters; e2e uses them when they are there.
export PYTHONS_DIR ?= $(abspath $(BUILD))/pythons
# Where `make libcxx` puts LLVM's C++ library.
export LIBCXX_DIR ?= $(abspath $(BUILD))/libcxx
PYTEST = BUILD=$(abspath $(BUILD)) scripts/run-tests $(abspath $(BUILD))/pytest $(PYTHON) -m pytest -q --durations=5
e2e: all libcxx
	@echo "Python interpreters found:"; BUILD=$(abspath $(BUILD)) $(PYTHON) -B tests/python/interpreters.py
	$(PYTEST) tests/e2e
	$(PYTEST) tests/python

## libcxx: fetch LLVM's C++ library, for tests of its containers
libcxx:
	scripts/fetch-libcxx $(LIBCXX_DIR)

## check: everything that must hold, on a fresh machine too
check: setup-test
	$(MAKE) WERROR=-Werror all unit
	$(MAKE) tidy
	$(MAKE) unit-run
	$(MAKE) clang
	$(MAKE) e2e
	$(MAKE) asan
	$(MAKE) bench BLOCKS=200000 PYOBJECTS=200000 CALLS=200000
	$(MAKE) fuzz FUZZ_SECONDS=15
	$(MAKE) suites SUITES=trixie SHORT=1
	$(MAKE) builds BUILDS=i386
	$(MAKE) pythons PYTHON_SUITES=sid SHORT=1

## recorders: heap profiles of more programs against jeprof and google-pprof
.PHONY: recorders
recorders: all
	PROFILES=all $(PYTEST) tests/e2e/test_profiles.py

## clang: the same sources by clang, its warnings as errors, and the unit tests
clang:
	$(MAKE) CC=clang BUILD=$(BUILD)/clang WERROR=-Werror all unit
	$(MAKE) CC=clang BUILD=$(BUILD)/clang unit-run

## asan: unit tests and end-to-end tests under AddressSanitizer, LeakSanitizer and UBSan
SANITIZERS := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
ASAN_MAKE = $(MAKE) BUILD=$(BUILD)/asan OPT="-O1 -g" SANITIZE="$(SANITIZERS)"
asan:
	$(ASAN_MAKE) WERROR=-Werror all unit
	$(ASAN_MAKE) unit-run
	SANITIZED=1 SHORT=1 $(ASAN_MAKE) e2e

## fuzz: libFuzzer on every tests/fuzz/fuzz_*.c, FUZZ_SECONDS each; what it found before runs first
FUZZ_SECONDS ?= 300
FUZZERS := $(patsubst tests/fuzz/%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
FUZZ_MAKE = $(MAKE) CC=clang BUILD=$(BUILD)/fuzz OPT="-O1 -g" \
	SANITIZE="-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all"
fuzz:
	$(FUZZ_MAKE) $(FUZZERS:%=$(BUILD)/fuzz/%)
	scripts/fuzz $(BUILD)/fuzz $(FUZZ_SECONDS) $(FUZZERS)

$(BUILD)/fuzz_%: tests/fuzz/fuzz_%.c $(LIB)
	$(CC) $(CPPFLAGS) $(PKG_CFLAGS) $(CFLAGS) -fsanitize=fuzzer -o $@ $< $(LIB) $(LDLIBS)

## suites: the oracle programs on the glibc of other Debian suites (SUITES="bullseye trixie sid")
SUITES ?= bullseye trixie sid
suites: all
	scripts/fetch-suite $(BUILD)/suites $(SUITES)
	SUITES="$(SUITES)" $(PYTEST) tests/e2e/suites.py

## pythons: the tests of Python with the interpreters of other Debian suites (PYTHON_SUITES="bullseye trixie sid")
PYTHON_SUITES ?= bullseye trixie sid
pythons: all
	PYTHON=$(PYTHON) scripts/fetch-pythons $(PYTHONS_DIR) $(PYTHON_SUITES)
	PYTHONS_ONLY="$(PYTHON_SUITES)" $(PYTHON) -B tests/python/interpreters.py
	PYTHONS_ONLY="$(PYTHON_SUITES)" $(PYTEST) $(if $(SHORT),$(PYTHONS_SHORT:%=tests/python/test_%.py),tests/python)
PYTHONS_SHORT := objects newer referents refs garbage lines waiting savings

## builds: CPython of 32 bits, --with-pydebug, --disable-gil, --with-trace-refs (BUILDS="i386 debug free-threaded trace-refs trace-refs-2.7"; the last three are compiled)
BUILDS ?= i386 debug free-threaded trace-refs trace-refs-2.7
builds: all
	PYTHON=$(PYTHON) scripts/fetch-builds $(BUILD)/builds $(BUILDS)
	BUILDS="$(BUILDS)" $(PYTEST) tests/python/other_builds.py

## valgrind: memcheck over the unit tests and a sample
valgrind: all unit
	@command -v valgrind >/dev/null || scripts/setup valgrind
	@set -e; for t in $(UNIT); do echo "$$t"; $(VALGRIND) $$t; done
	@for s in sample-dumps/*.xz; do $(VALGRIND) $(BUILD)/heapscan $$s -o $(BUILD)/valgrind.db; done
VALGRIND = valgrind -q --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite

## coverage: lines that unit and short end-to-end tests reach, per folder
coverage:
	$(MAKE) BUILD=$(BUILD)/coverage OPT="-O0 -g --coverage" LDFLAGS=--coverage all unit
	find $(BUILD)/coverage -name '*.gcda' -delete
	$(MAKE) BUILD=$(BUILD)/coverage OPT="-O0 -g --coverage" LDFLAGS=--coverage unit-run >/dev/null
	SHORT=1 $(MAKE) BUILD=$(BUILD)/coverage OPT="-O0 -g --coverage" LDFLAGS=--coverage e2e
	@scripts/coverage $(BUILD)/coverage

## tidy: clang-tidy, who includes whom, comments in the schema, layout of the sources
C_FILES = $(sort $(wildcard src/*.[ch] src/*/*.[ch] src/*/*/*.[ch] tests/unit/*.[ch] tests/fuzz/*.c \
	tests/programs/*.c tests/programs/*.cc tests/programs/*.h tests/bench/*.c \
	tests/python/programs/*.c))
tidy:
	scripts/check-includes
	scripts/check-schema
	clang-format --dry-run -Werror $(C_FILES)
	@printf '%s\n' $(SOURCES) src/main.c src/extension.c | xargs -P$$(nproc) -n4 sh -c \
		'clang-tidy --quiet "$$@" -- -std=gnu11 $(CPPFLAGS) $(PKG_CFLAGS) 2>/dev/null' tidy

## apps: all real applications of tests/apps against what they say of themselves (scripts/setup apps)
apps: all
	APPS=all BUILD=$(BUILD) /usr/bin/python3 -m pytest -q -p no:cacheprovider tests/python/test_apps.py

## daemons: the tests of daemons, all of them (scripts/setup daemons)
daemons: all
	DAEMONS=all $(PYTEST) tests/e2e/test_planted.py -k no_alarm
	DAEMONS=all $(PYTEST) tests/python/test_growth.py -k daemon

## apps-suites: some of them with the interpreters and packages of other Debian suites (APPS_SUITES="bullseye trixie")
APPS_SUITES ?= bullseye trixie
apps-suites: all
	PYTHON=$(PYTHON) scripts/fetch-pythons $(PYTHONS_DIR) $(APPS_SUITES)
	scripts/fetch-apps $(BUILD)/apps $(APPS_SUITES)
	set -e; for s in $(APPS_SUITES); do APPS=all APPS_SUITE=$$s $(PYTEST) tests/python/test_apps.py; done

## layouts: compare the tables of CPython's layouts with the headers that are present
layouts:
	scripts/layouts $(BUILD)

## analyze: clang's static analyzer; what it says needs judging
analyze:
	@printf '%s\n' $(SOURCES) src/main.c | xargs -P$$(nproc) -n4 sh -c \
		'clang-tidy --quiet --checks=-*,clang-analyzer-* "$$@" -- -std=gnu11 $(CPPFLAGS) $(PKG_CFLAGS) 2>/dev/null' analyze

## format: lay the C sources out by .clang-format
format:
	clang-format -i $(C_FILES)

## bench: the ratios that are promised, on generated cores and traces (BLOCKS="1000000 3000000 10000000" PYOBJECTS=2000000 CALLS=10000000 LIVE=200000)
BLOCKS ?= 1000000 3000000 10000000
PYOBJECTS ?= 2000000
CALLS ?= 10000000
LIVE ?= 200000
bench: all
	BUILD=$(abspath $(BUILD)) $(PYTHON) tests/bench/bench.py $(BLOCKS)
	BUILD=$(abspath $(BUILD)) $(PYTHON) tests/bench/bench_python.py $(PYOBJECTS)
	BUILD=$(abspath $(BUILD)) $(PYTHON) tests/bench/bench_trace.py $(CALLS) $(LIVE)

## bench-parts: build the benchmarks of single parts, build/bench/bench_*
BENCH_PARTS := $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(sort $(wildcard tests/bench/*.c)))
.PHONY: bench-parts
bench-parts: $(BENCH_PARTS)
$(BUILD)/bench/%: tests/bench/%.c $(LIB)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(PKG_CFLAGS) $(CFLAGS) -Itests/unit -MMD -MP -MF $@.d $(LDFLAGS) -o $@ $< $(LIB) \
		$(LDLIBS)

## demo: build, and read sample dumps: a C++ service, a Python shop
DEMO ?= sample-dumps/service.core.xz
DEMO_PYTHON ?= sample-dumps/python.core.xz
demo: setup
	$(MAKE) all
	$(BUILD)/heapscan $(DEMO) -o $(BUILD)/demo.db
	@echo; echo "---- and a Python process ----"; echo
	$(BUILD)/heapscan $(DEMO_PYTHON) -o $(BUILD)/demo-python.db
	$(BUILD)/heapscan path $(BUILD)/demo-python.db shop.User
	@echo; echo "The databases are $(BUILD)/demo.db and $(BUILD)/demo-python.db."
	@echo "Try: $(BUILD)/heapscan top $(BUILD)/demo.db"

## compile_commands.json: for editors
.PHONY: compile_commands.json
compile_commands.json:
	scripts/compile-commands -std=gnu11 $(CPPFLAGS) $(PKG_CFLAGS) $(WARNINGS) -- $(SOURCES) src/main.c > $@

-include $(wildcard $(BUILD)/*.d $(BUILD)/*/*.d $(BUILD)/*/*/*.d $(BUILD)/extension/*/*/*.d)

## setup: install what building needs (Debian packages)
setup:
	@scripts/setup build

setup-test:
	@scripts/setup test

## install: program, man page, completion (PREFIX=/usr/local DESTDIR=)
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1 \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions
	install -m 755 $(BUILD)/heapscan $(DESTDIR)$(PREFIX)/bin/heapscan
	install -d $(DESTDIR)$(PREFIX)/lib/heapscan
	install -m 644 $(BUILD)/heapscan.so $(DESTDIR)$(PREFIX)/lib/heapscan/heapscan.so
	install -m 644 src/heapscan.1 $(DESTDIR)$(PREFIX)/share/man/man1/heapscan.1
	install -m 644 src/heapscan.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/heapscan

## clean: remove what was built
clean:
	rm -rf $(BUILD)
