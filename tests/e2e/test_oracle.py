"""Every situation, built in every way: what heapscan says is what the program knows."""

import pytest

from build import VARIANTS
from conftest import PROGRAMS, short
from heapscan import scan, verify


# qemu's cores have no thread pointers: nothing tells a live thread's stack from a cached one.
# The others start themselves again, which there would run without qemu.
IMPOSSIBLE = {("thread_exited", "aarch64"), ("whatif_cache", "aarch64"), ("whatif_reference", "aarch64")}


def cases():
    for name, program in PROGRAMS.items():
        for variant in VARIANTS:
            if (program.possible(variant) and (name, variant) not in IMPOSSIBLE
                    and not (short() and variant != "gcc-O2")):
                yield pytest.param(name, variant, id=f"{name}-{variant}")


@pytest.mark.parametrize("name,variant", cases())
def test_oracle(dumps, db_path, name, variant):
    dump = dumps(name, variant)
    # qemu's cores name no files and have no thread pointer: nothing says what a root is called.
    verify(scan(dump.core, db_path), dump.oracle, marks=variant != "aarch64")


@pytest.mark.parametrize("variant", ["gcc-O2"] if short() else ["gcc-O2", "static", "i686"])
@pytest.mark.parametrize("threads", [0, 5])
@pytest.mark.parametrize("seed", range(2, 4) if short() else range(2, 10))
def test_random(dumps, db_path, seed, threads, variant):
    dump = dumps("random_heap", variant, args=[str(seed), str(threads)])
    verify(scan(dump.core, db_path), dump.oracle)
