"""Builds of CPython that Debian or a developer has beside the usual one (`make builds`;
scripts/fetch-builds fetched them into $BUILD/builds). BUILDS names them.

A build --with-pydebug is read like any other. One of 32 bits, without the GIL, or --with-trace-refs, is
recognised and refused with a sentence; what is native is then found all the same."""

import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

import builds  # noqa: E402
import dump as dumper  # noqa: E402
import test_builds  # noqa: E402
from build import BUILD  # noqa: E402
from heapscan import check_sound, command, scan  # noqa: E402
from test_referents import Truth  # noqa: E402

NAMES = os.environ.get("BUILDS", "i386 debug free-threaded trace-refs trace-refs-2.7").split()


class Build:
    """How to run it: command and environment; what its program is."""

    def __init__(self, name):
        root = BUILD / "builds" / name
        assert (root / ".complete").exists(), f"{name} was not fetched"
        triplet = {"i386": "i386-linux-gnu"}.get(name, "x86_64-linux-gnu")
        places = ":".join(str(root / lib / triplet) for lib in ("lib", "usr/lib"))
        if name == "i386":
            self.program = root / "usr/bin/python3.11"
            loader = root / "lib" / triplet / "ld-linux.so.2"
            self.command = [loader, "--library-path", places, self.program]
            self.env = builds.environment(PYTHONHOME=root / "usr")
        elif name == "debug":
            self.program = root / "usr/bin/python3.11d"
            self.command = [self.program]
            self.env = builds.environment(LD_LIBRARY_PATH=places)
        else:
            self.program = root / "build/python"
            self.command = [self.program]
            self.env = builds.environment()


@pytest.mark.skipif("debug" not in NAMES, reason="not asked for")
@pytest.mark.parametrize("malloc", ["", "malloc"])
def test_debug(tmp_path, malloc):
    build = Build("debug")
    env = {**build.env, **({"PYTHONMALLOC": malloc} if malloc else {})}
    truth = tmp_path / "objects"
    dump = dumper.run(tmp_path / "run", [*build.command, "-B", HERE / "programs" / "referents.py",
                                         truth, HERE / "zoo.py"], build.program, env=env)
    with scan(dump.core, tmp_path / "x.db") as db:
        meta = db.meta()
        assert meta["python_build"] == "debug"
        assert meta["python_allocator"] == (malloc or "pymalloc_debug")
        test_builds.exact(db, Truth(truth))
        check_sound(db)
        assert int(meta["counts_audited"]) > 1000
    builds.clean(dump.folder)


REFUSED = {"i386": "CPython 3.11.2 is of 32 bits",
           "free-threaded": "CPython 3.13.5 was built without the GIL (free-threaded)",
           "trace-refs": "CPython 3.11.2 was built with --with-trace-refs",
           "trace-refs-2.7": "CPython 2.7.18 was built with --with-trace-refs"}


@pytest.mark.parametrize("name", [n for n in NAMES if n in REFUSED])
def test_refused(tmp_path, name):
    build = Build(name)
    dump = dumper.run(tmp_path / "run", [*build.command, "-B",
                                         HERE / "programs" / "native_and_python.py"],
                      build.program, env=build.env)
    lost = {int(a): int(n) for _, a, n in map(str.split, dump.truth.read_text().splitlines())}
    assert len(lost) == 100
    with scan(dump.core, tmp_path / "x.db") as db:
        titles = db.column("SELECT title FROM finding")
        said = [t for t in titles if REFUSED[name] in t]
        assert len(said) == 1 and "what is native in the process is complete" in said[0]
        assert "python_version" not in db.meta()
        rows = {a: (size, reachable) for a, size, reachable in
                db.rows("SELECT address, size, reachable FROM object WHERE size > 3990")}
        assert {a: rows[a][0] for a in lost} == lost
        # Where addresses are as short as numbers and texts are, some of these look like one. And what
        # calls left on stacks, and in memory that mimalloc holds free, holds a few; in blocks behind objects
        # whose size nobody tells, half of them.
        most = {"i386": 100, "free-threaded": 20}.get(name, 75)
        assert len([a for a in lost if rows[a][1] != 0]) <= most
        assert db.one("SELECT count(*) FROM thread") == 2
        assert "has a Python interpreter that cannot be read" in command(db.path).out
    builds.clean(dump.folder)
