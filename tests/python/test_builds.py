"""However CPython is built, started and embedded: the same objects, referents, garbage and counts."""

import os
import sys
from collections import Counter
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

import builds  # noqa: E402
import dump as dumper  # noqa: E402
import test_garbage  # noqa: E402
import test_refs  # noqa: E402
from heapscan import check_sound, scan  # noqa: E402
from interpreters import interpreters  # noqa: E402
from test_referents import MISSED, SCANNED, Truth, compare  # noqa: E402

SHORT = bool(os.environ.get("SHORT"))
EVERY = [i for i in interpreters() if not (i.free_threaded or i.debug) and i.word == 8]


def newest(version):
    """The interpreter of this version that is here; None: there is none."""
    found = [i for i in EVERY if i.version == version]
    return found[-1] if found else None


def exact(db, truth):
    """Objects, types and referents as the process itself told them."""
    lost, missed, extra = compare(truth, db)
    assert len(truth.type) > 2000
    assert not lost
    # faulthandler, which -X dev switches on, visits a variable of C.
    assert not missed.keys() - MISSED - {("module", "stderrprinter")}
    assert not [kind for kind in extra if kind[0] not in SCANNED]
    found = dict(db.rows("SELECT o.address, t.name FROM object o JOIN type t ON t.id = o.type_id "
                         "WHERE o.refcount IS NOT NULL"))
    wrong = Counter((kind, found[a]) for a, kind in truth.type.items()
                    if a in found and found[a].split(".")[-1].replace(" ", "_") != kind.split(".")[-1])
    assert not wrong


# ---- allocators: what PYTHONMALLOC and -X dev choose ----

HOOKS = [((3, 6), "pymalloc_debug"), ((3, 7), "malloc_debug"), ((3, 8), "pymalloc_debug"),
         ((3, 9), "malloc"), ((3, 10), "dev"), ((3, 11), "dev"), ((3, 11), "malloc"),
         ((3, 12), "debug"), ((3, 13), "debug"), ((3, 13), "malloc_debug")]
if SHORT:
    HOOKS = [((3, 11), "dev")]
ALLOCATOR = {"dev": "pymalloc_debug", "debug": "pymalloc_debug"}


def hooked(version, how):
    python = newest(version)
    if not python:
        pytest.skip(f"no CPython {version} here")
    if how == "dev":
        return [python.path, "-X", "dev"], python, builds.environment(PYTHONHASHSEED="0")
    return [python.path], python, builds.environment(PYTHONMALLOC=how)


@pytest.mark.parametrize("version,how", HOOKS, ids=lambda x: x if isinstance(x, str) else "%d.%d" % x)
def test_allocator(tmp_path, version, how):
    command, python, env = hooked(version, how)
    truth = tmp_path / "objects"
    dump = dumper.run(tmp_path / "run", [*command, "-B", HERE / "programs" / "referents.py", truth],
                      python.path, env=env)
    with scan(dump.core, tmp_path / "x.db") as db:
        assert db.meta()["python_allocator"] == ALLOCATOR.get(how, how)
        exact(db, Truth(truth))
        check_sound(db)
    builds.clean(dump.folder)


def test_hooks_garbage(tmp_path):
    """Behind the marks of the debug hooks: cyclic garbage, counts, sizes."""
    command, python, env = hooked((3, 12), "debug")
    dump = dumper.run(tmp_path / "run", [*command, test_garbage.ZOO], python.path, env=env)
    found = {"garbage": {}, "alive": {}}
    for line in dump.truth.read_text().splitlines():
        what, address, *kind = line.split()
        found[what][int(address)] = " ".join(kind)
    with scan(dump.core, tmp_path / "x.db") as db:
        test_garbage.test_identical((db, found))
        test_garbage.test_nothing_leads_to_it((db, found))
        # A block is the allocator's: it begins with the marks, and holds them.
        wrong = db.rows("SELECT address FROM object WHERE refcount IS NOT NULL AND arena_id "
                        "AND (address - block < 16 OR block + size < address + 24)")
        assert not wrong
    builds.clean(dump.folder)


def test_hooks_counts(tmp_path):
    command, python, env = hooked((3, 12), "debug")
    dump = dumper.run(tmp_path / "run", [*command, test_refs.ZOO], python.path, env=env)
    truth = [line.split() for line in dump.truth.read_text().splitlines()]
    with scan(dump.core, tmp_path / "x.db") as db:
        test_refs.test_found((db, [(what, int(a), int(n)) for what, a, n in truth]), python)
    builds.clean(dump.folder)
