"""Real applications under load, with Debian's packages: objects, referents, garbage and counts.

Those of LIGHT run in `make check`, all of them in `make apps` (APPS=all). An application whose packages
are not there is left out; scripts/setup test installs what LIGHT needs, scripts/setup apps the rest.

APPS_SUITE names another suite: its interpreter (scripts/fetch-pythons) and its packages, which scripts/fetch-apps
unpacked below $BUILD/apps (`make apps-suites`)."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e"), str(HERE.parent / "apps")]

import dump as dumper  # noqa: E402
import interpreters  # noqa: E402
from test_referents import MISSED  # noqa: E402
from build import BUILD  # noqa: E402
from compare import Compared, Truth  # noqa: E402
from heapscan import command, Database  # noqa: E402

PROGRAMS = HERE.parent / "apps" / "programs"
PYTHON = "/usr/bin/python3"
COMMAND, ENV = [PYTHON], {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
SUITE = os.environ.get("APPS_SUITE")
if SUITE:
    root = BUILD / "apps" / SUITE
    assert (root / ".complete").exists(), f"{SUITE} was not fetched"
    (PYTHON,) = [i.path for i in interpreters.interpreters()
                 if interpreters.suite(i.path) == SUITE and i.version[0] == 3][:1]
    COMMAND = interpreters.command(PYTHON)
    old, libraries = (root / top / "x86_64-linux-gnu" for top in ("lib", "usr/lib"))
    COMMAND[1] += "".join(f":{p}" for p in (old, libraries, libraries / "blas", libraries / "lapack"))
    ENV["PYTHONPATH"] = str(root / "usr/lib/python3/dist-packages")
ALL = os.environ.get("APPS") == "all"

# Besides what tests/python/test_referents.py gives reasons for: a module's state may have what it refers to one
# block further away (3.13's _decimal: the exceptions of its conditions, signal_map and cond_map).
FARTHER = {("module", "type")}

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
    "science": (("scipy", "matplotlib", "shapely", "h5py"), ["100"], False),
    "wire": (("zmq", "google.protobuf", "grpc", "psycopg2", "ujson", "bcrypt"), ["100"], False),
}


# What is not held there, and why.
UNSEEN = {
    ("science", "test_native_leaks"): "shapely 1.8 keeps the addresses of its C++ objects in Python's ints",
    ("science", "test_invented"): "an array that its own buffer refers to is lost, and no collector tells of it",
    ("science", "test_referents"): "m_traverse of uarray visits what is in containers of C++",
}


@pytest.fixture(autouse=True)
def seen(request, app):
    reason = UNSEEN.get((app.program, request.node.originalname))
    if reason:
        pytest.skip(reason)


def present(packages):
    return not subprocess.run([*COMMAND, "-c", "import " + ", ".join(packages)], capture_output=True,
                              env=ENV).returncode \
        if packages else Path(PYTHON).exists()


@pytest.fixture(scope="module", params=[a for a, (_, _, light) in APPS.items() if light or ALL])
def app(request, tmp_path_factory):
    packages, load, _ = APPS[request.param]
    if not present(packages):
        pytest.skip("not installed: " + " ".join(packages))
    folder = tmp_path_factory.mktemp("apps") / request.param
    truth = folder.parent / "truth"
    made = dumper.run(folder, [*COMMAND, "-B", PROGRAMS / f"{request.param}_app.py", truth, *load], PYTHON, env=ENV)
    command(made.core, "-o", folder / "x.db")
    made.core.unlink()
    compared = Compared(Truth(truth), Database(folder / "x.db"))
    compared.program = request.param
    yield compared
    compared.db.close()


def test_objects(app):
    """Every one is found, as what it is. A few are made by the child that tells."""
    assert len(app.truth.type) > 10000
    assert sum(app.lost.values()) <= 3, app.lost
    assert not app.wrong, app.wrong


def named_parts(app):
    """What the process named, and what that owns: it does not tell of all that a code object has."""
    owned = {}
    for src, dst in app.db.rows("SELECT s.address, d.address FROM reference r JOIN object s ON s.id = r.src "
                                "JOIN object d ON d.id = r.dst WHERE r.kind = 1"):
        owned.setdefault(src, []).append(dst)
    named, pending = set(app.truth.type), list(app.truth.type)
    while pending:
        new = [a for a in owned.get(pending.pop(), ()) if a not in named]
        named.update(new)
        pending += new
    return named


def test_invented(app):
    """What the process did not name is an object all the same: its count is that of its holders, and something
    leads to it."""
    errors = set(app.db.column("SELECT o.address FROM refcount_error e JOIN object o ON o.id = e.object_id"))
    unreachable = set(app.db.column("SELECT address FROM object WHERE refcount IS NOT NULL AND reachable = 0"))
    invented = (errors | unreachable) & app.name.keys()
    assert not {hex(a): app.name[a] for a in invented - named_parts(app)}


def test_counts(app):
    """No count is unexplained."""
    assert not app.counts, {key: hex(app.example["counts", key]) for key in app.counts}


# Why counts that nothing holds are explained, and by which binary. The sources are named where the rules are:
# src/layout/cpython_kept.c, and src/runtime/cpython/kept_cython.c for what Cython made.
KEPT = {
    # init__cffi_backend adds two texts to the dict of a type, setup_module of Pillow seven versions to its own.
    "a value that the module's start adds to a dict and does not give back": ("_cffi_backend", "_imaging"),
    # PyImport_ImportModule, and no Py_DECREF.
    "imported by init_file_emulator": ("_cffi_backend",),
    "imported by multidict_views_init": ("_multidict",),
    # A function that multidict 4 called, a text that only others of zope.interface's releases use, kEmptyWeakref of
    # protobuf, what h5py needs on ppc64.
    "kept in a variable that is never read, which the compiler left out": (
        "_multidict", "_zope_interface_coptimizations", "_fitpack", "_message", "h5t"),
    # add_and_return_legacy_wrapping_ufunc_loop, PyUFunc_AddPromoter.
    "a loop that the module adds to a ufunc and does not give back": ("_multiarray_umath",),
    # An INCREF beside that of a tuple.
    "counted once too often by InitMapContainers": ("_message",),
}


# What each module has that Cython or f2py made.
MADE = {"made by Cython: ": b"cline_in_traceback", "made by f2py: ": b"fortran"}


def made_by(how, path):
    return MADE[how] in Path(path).read_bytes()


def test_kept(app):
    """Each explanation is one of these, and of a binary that it holds for."""
    rows = app.db.rows("SELECT k.cause, k.counts, m.path, t.name FROM kept_count k JOIN object o ON o.id = k.object_id "
                       "JOIN type t ON t.id = o.type_id LEFT JOIN module m ON m.id = k.module_id")
    extensions = app.db.column("SELECT path FROM module WHERE path LIKE '%.cpython-3%.so'")
    some = {how: any(made_by(how, path) for path in extensions) for how in MADE}
    for cause, counts, path, kind in rows:
        how = cause.partition(": ")[0] + ": "
        if how in MADE:
            assert made_by(how, path) if path else some[how], (cause, path)
            assert counts == 1 or "default argument" in cause
        else:
            assert Path(path).name.split(".")[0] in KEPT[cause], (cause, path)
            assert counts == 1


def test_referents(app):
    """All that gc.get_referents tells; besides, words that look like references to what a module's state,
    C code and types whose traverse function cannot be followed lead to (tests/python/test_referents.py)."""
    missed = {k: n for k, n in app.missed.items()
              if not SUITE or tuple(t.rpartition(".")[2] for t in k) not in MISSED | FARTHER}
    assert not missed, missed
    assert sum(app.missed.values()) <= 20
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
