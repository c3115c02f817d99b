"""Real applications under load, with Debian's packages: objects, referents, garbage and counts.

Those of LIGHT run in `make check`, all of them in `make apps` (APPS=all). An application whose packages
are not there is left out; scripts/setup test installs what LIGHT needs, scripts/setup apps the rest."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e"), str(HERE.parent / "apps")]

import dump as dumper  # noqa: E402
from compare import Compared, Truth  # noqa: E402
from heapscan import command, Database  # noqa: E402

PROGRAMS = HERE.parent / "apps" / "programs"
PYTHON = "/usr/bin/python3"
ALL = os.environ.get("APPS") == "all"

# name: what it imports; load; in `make check`, too
APPS = {
    "stdlib": ((), ["100"], True),
    "flask": (("flask",), ["64"], True),
    "lxml": (("lxml",), ["100"], True),
    "green": (("gevent", "greenlet"), ["30"], True),
    "django": (("django",), ["300"], False),
    "tornado": (("tornado",), ["500"], False),
    "twisted": (("twisted",), ["200"], False),
    "numbers": (("numpy", "pandas"), ["300", "pandas"], False),
    "mixed": (("aiohttp", "sqlalchemy", "cffi", "cryptography", "PIL", "yaml", "msgpack", "simplejson"), ["100"],
              False),
}


def present(packages):
    return not subprocess.run([PYTHON, "-c", "import " + ", ".join(packages)], capture_output=True).returncode \
        if packages else Path(PYTHON).exists()


@pytest.fixture(scope="module", params=[a for a, (_, _, light) in APPS.items() if light or ALL])
def app(request, tmp_path_factory):
    packages, load, _ = APPS[request.param]
    if not present(packages):
        pytest.skip("not installed: " + " ".join(packages))
    folder = tmp_path_factory.mktemp("apps") / request.param
    truth = folder.parent / "truth"
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    made = dumper.run(folder, [PYTHON, "-B", PROGRAMS / f"{request.param}_app.py", truth, *load], PYTHON, env=env)
    command(made.core, "-o", folder / "x.db")
    made.core.unlink()
    compared = Compared(Truth(truth), Database(folder / "x.db"))
    yield compared
    compared.db.close()


def test_objects(app):
    """Every one is found, as what it is. A few are made by the child that tells."""
    assert len(app.truth.type) > 10000
    assert sum(app.lost.values()) <= 3, app.lost
    assert not app.wrong, app.wrong


def test_invented(app):
    """What the process did not name is an object all the same: its count is that of its holders."""
    errors = set(app.db.column("SELECT o.address FROM refcount_error e JOIN object o ON o.id = e.object_id"))
    unreachable = set(app.db.column("SELECT address FROM object WHERE refcount IS NOT NULL AND reachable = 0"))
    invented = (errors | unreachable) & (app.name.keys() - app.truth.type.keys())
    invented = {a: app.name[a] for a in invented if app.name[a] not in CONSTANTS}
    # A dead object in memory that something raw has taken over may still look like one.
    assert len(invented) <= len(app.name) // 100000, invented


# Constants of modules that Cython made: module data held them, but the compiler dropped variables that
# are written and never read. Their counts are lost indeed; so are those of the wrappers of a type's
# special methods (Cython 0.29, ModuleNode.py, "wrapperbase").
CONSTANTS = {"tuple", "code", "str", "wrapper_descriptor", "method_descriptor", "int", "bytes"}


# Counts that other extensions do not give back; none of them grows with the load.
#
# cffi: names and modules that it takes at its start (c/_cffi_backend.c, file_emulator.h), and a type
# whose count its cache of types gives up although it goes on to hold it (get_unique_type).
CFFI = {("str", 1), ("moduledef", 1), ("module", 1), ("_cffi_backend.FFI", 1), ("_cffi_backend.CType", -1)}
# multidict, numpy, pandas: functions that their start-up takes and no word refers to any more.
OTHERS = {("function", 1), ("builtin_function_or_method", 1), ("cython_function_or_method", 1)}


def test_counts(app):
    """No count is unexplained."""
    modules = " ".join(app.db.column("SELECT path FROM module WHERE path IS NOT NULL"))
    known = CFFI if "_cffi_backend" in modules else set()
    if "multidict" in modules or "numpy" in modules:
        known = known | OTHERS
    cython = any(name in modules for name in ("/lxml/", "/gevent/", "/pandas/", "/msgpack/"))
    left = {key: n for key, n in app.counts.items()
            if not (cython and key[0] in CONSTANTS and key[1] > 0) and not (key in known and n <= 5)}
    assert not left, {key: hex(app.example["counts", key]) for key in left}


def test_referents(app):
    """All that gc.get_referents tells; besides, words that look like references to what a module's state,
    C code and types whose traverse function cannot be followed lead to (tests/python/test_referents.py)."""
    assert not app.missed, app.missed
    assert sum(app.extra.values()) <= 20 + app.referents // (10 if "greenlet.greenlet" in app.name.values() else 200)


def test_garbage(app):
    """What gc.collect() finds, to the object."""
    assert not app.missing, app.missing
    assert not app.invented, app.invented


def test_native_leaks(app):
    """No block of C's is lost by itself. (Names of types that a module in Rust made are: cryptography's
    pyo3 gives them away, and 3.11 copies them.)"""
    heads = app.db.rows("SELECT printf('0x%x', o.address), c.signature, c.bytes FROM cluster c "
                        "JOIN object o ON o.id = c.head_id WHERE c.kind = 'leak' AND o.refcount IS NULL")
    rust = app.db.one("SELECT count(*) FROM module WHERE path LIKE '%cryptography%_rust%'")
    assert len(heads) <= (20 if rust else 0), heads
