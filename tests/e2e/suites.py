"""The oracle programs on the glibc of other Debian suites, linked with it and run by its loader
(`make suites`; scripts/fetch-suite fetched them into $BUILD/suites). SUITES names them."""

import os
import shutil

import pytest

import build as builder
import dump as dumper
from build import BUILD, PROGRAMS_DIR
from conftest import PROGRAMS, short
from heapscan import scan, verify
from oracle import Oracle

SUITES = os.environ.get("SUITES", "bullseye trixie sid").split()
LIB = "x86_64-linux-gnu"


def flags(suite, variant, program):
    root = BUILD / "suites" / suite
    assert (root / ".complete").exists(), f"{suite} was not fetched"
    # A C++ program is linked here and runs there: the suite's compiler is not at hand.
    # The linker looks where its own compiler lies before it looks into a sysroot: hence -B and -L.
    # An older suite brings its compiler's own library, as a newer one's needs a newer glibc.
    places = [*sorted((root / "usr/lib/gcc" / LIB).glob("*")), root / "usr/lib" / LIB]
    found = [f"--sysroot={root}", f"-L{root}/lib/{LIB}"]
    for place in places:
        found += [f"-B{place}", f"-L{place}"]
    if program.source.suffix == ".cc":
        found = []
    if not builder.is_static(variant):
        places = [root / "lib" / LIB, root / "usr/lib" / LIB]
        found += [f"-Wl,--dynamic-linker={places[0]}/ld-linux-x86-64.so.2",
                  f"-Wl,-rpath,{places[0]}:{places[1]}"]
    return found


def cases():
    variants = ["gcc-O2"] if short() else ["gcc-O2", "no-pie", "static", "static-pie"]
    for suite in SUITES:
        for name, program in PROGRAMS.items():
            cxx = program.source.suffix == ".cc"
            if cxx and suite == "bullseye":  # older than the library that g++ links here
                continue
            for variant in variants:
                if program.possible(variant) and not (cxx and builder.is_static(variant)):
                    yield pytest.param(suite, name, variant, [], id=f"{suite}-{name}-{variant}")
        for seed in range(2, 4 if short() else 12):
            yield pytest.param(suite, "random_heap", "gcc-O2", [str(seed), str(seed % 4)],
                               id=f"{suite}-random-{seed}")


@pytest.mark.parametrize("suite,name,variant,args", cases())
def test_suite(tmp_path, db_path, suite, name, variant, args):
    program = PROGRAMS[name]
    binary = builder.build(program, variant, extra=flags(suite, variant, program),
                           directory=PROGRAMS_DIR / suite / variant)
    dump = dumper.run(tmp_path / "run", [binary, *(args or program.args)], binary)
    try:
        verify(scan(dump.core, db_path), Oracle(dump.truth))
    finally:
        shutil.rmtree(dump.folder)
