"""Fixtures: dumps are made once a session, whatever the number of tests that read them."""

import os
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import build as builder  # noqa: E402
import dump as dumper  # noqa: E402
import heapscan  # noqa: E402
from oracle import Oracle  # noqa: E402

PROGRAMS = builder.programs()


@pytest.fixture(scope="session", autouse=True)
def heapscan_is_built():
    assert heapscan.HEAPSCAN.exists(), f"no {heapscan.HEAPSCAN}: run make"


class Dumps:
    """Makes dumps, and keeps the last few (a dump may be 200 MB of holes)."""

    def __init__(self, top):
        self.top = top
        self.made = {}

    def __call__(self, name, variant="gcc-O2", coredump_filter=None, gcore=False, args=None):
        key = (name, variant, coredump_filter, gcore, tuple(args or ()))
        if key not in self.made:
            program = PROGRAMS[name]
            binary = builder.build(program, variant)
            while len(self.made) >= 40:
                old = next(iter(self.made))
                shutil.rmtree(self.made.pop(old).folder, ignore_errors=True)
            folder = self.top / "-".join(str(k) for k in key if k).replace(" ", "")
            cmd = [*(builder.VARIANTS | builder.MORE)[variant][3], binary, *(args or program.args)]
            make = dumper.run_gcore if gcore else dumper.run
            more = {} if gcore else {"coredump_filter": coredump_filter}
            dump = make(folder, cmd, binary, **more)
            dump.oracle = Oracle(dump.truth)
            self.made[key] = dump
        return self.made[key]


@pytest.fixture(scope="session")
def dumps(tmp_path_factory):
    top = tmp_path_factory.mktemp("dumps")
    yield Dumps(top)
    shutil.rmtree(top, ignore_errors=True)


@pytest.fixture
def db_path(tmp_path):
    yield tmp_path / "x.db"
    for f in tmp_path.glob("*"):
        if f.is_file():
            f.unlink()


def short():
    """SHORT=1 in the environment: one build of each program (the sanitizers' run)."""
    return bool(os.environ.get("SHORT"))
