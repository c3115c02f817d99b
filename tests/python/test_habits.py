"""What real extensions do with counts: nothing is said of what is right, nor are leaks hidden beside it."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

import dump as dumper  # noqa: E402
import native  # noqa: E402
from build import run_compiler  # noqa: E402
from heapscan import scan  # noqa: E402
from test_native import KNOWN, errors_of, hidden  # noqa: E402

PROGRAMS = HERE / "programs"
# The habits are of extensions, not of a version: those whose heads and tables differ most.
SOME = [i for i in KNOWN if i.version in ((2, 7), (3, 7), (3, 10), (3, 11), (3, 12), (3, 13))]


@pytest.fixture(scope="module", params=SOME, ids=str)
def made(request, tmp_path_factory):
    """The database and the truth."""
    interpreter, folder = request.param, tmp_path_factory.mktemp("habits")
    run_compiler(["gcc", "-O2", "-g", "-Wall", "-Wextra", "-Wno-missing-field-initializers", "-shared", "-fPIC",
                  f"-I{native.headers(interpreter)}", *native.flags(interpreter.path),
                  PROGRAMS / "habits.c", "-o", folder / "habits.so"])
    for name in ("h5t", "_message"):
        shutil.copy(folder / "habits.so", folder / f"{name}.so")
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    dump = dumper.run(folder / "run", [*interpreter.command, PROGRAMS / "habits.py", folder],
                      interpreter.path, env=env)
    db = scan(dump.core, folder / "habits.db")
    yield db, json.loads(dump.truth.read_text())
    db.close()
    dump.core.unlink()


def test_held(made):
    """Text that a type's documentation lies in, what a dict has and does not count, a module's definition; sizes that
    are none; attributes of instances, where most types are freed by a function of an extension's."""
    db, truth = made
    found = errors_of(db)
    types = dict(db.rows("SELECT o.address, t.name FROM object o JOIN type t ON t.id = o.type_id"))
    for habit, addresses in truth["held"].items():
        assert not [a for a in addresses if a not in types], habit
        assert not [(found[a], types[a]) for a in addresses if a in found], habit
    assert not db.rows("SELECT title FROM finding WHERE kind = 'runtime-damage'")


def test_leaked(made):
    """A word that was left over hides one count, seldom."""
    db, truth = made
    found = errors_of(db)
    missed = [a for a in truth["leaked"] if found.get(a) != 1]
    assert all(hidden(db, a) for a in missed)
    assert len(missed) <= len(truth["leaked"]) // 10


def test_ghosts(made):
    """What the collector's lists do not have, and says that it is in one, is no object."""
    db, truth = made
    objects = set(db.column("SELECT address FROM object WHERE refcount IS NOT NULL"))
    assert not objects.intersection(truth["ghosts"])


def test_kept(made):
    """What modules of Cython's, and well-known ones, keep for good is told, never more of it than there can be; a
    word that was left over may hide one."""
    db, truth = made
    found = errors_of(db)
    told = dict(db.rows("SELECT o.address, k.cause FROM kept_count k JOIN object o ON o.id = k.object_id"))
    for rule, (addresses, most) in truth["kept"].items():
        these = [a for a in addresses if a in told]
        assert len(these) <= most, rule
        assert len(these) == most or any(hidden(db, a) for a in addresses), rule
        assert not set(these).intersection(found), rule
        left = [a for a in addresses if a not in told and a not in found]
        assert all(hidden(db, a) for a in left), rule
        assert len(left) <= 1 + len(addresses) // 10, rule
        assert {"never read" in told[a] if rule.startswith("known") else "Cython" in told[a] for a in these} <= {True}
    assert told.keys() <= {a for addresses, _ in truth["kept"].values() for a in addresses}
    lost = set(db.column("SELECT address FROM object WHERE reachable = 0"))
    assert not lost.intersection(told)
