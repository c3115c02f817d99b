"""Each kind of finding of a Python process, from one that plants it: the cause is the first or second thing said."""

import os
import re
import sqlite3
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

import dump as dumper  # noqa: E402
from heapscan import command  # noqa: E402
from interpreters import interpreters  # noqa: E402

PROGRAM = HERE / "programs" / "planted.py"
KNOWN = [i for i in interpreters() if (3, 8) <= i.version <= (3, 13) and i.word == 8 and not (i.free_threaded or i.debug)]
DEBIAN = next((i for i in KNOWN if i.path.parts[:2] == ("/", "usr")), KNOWN[-1] if KNOWN else None)
MANY = 20000

# What it plants: the kind and title of the finding; the least number of objects. A stale word may explain a count.
PLANTED = {
    "count_leak": ("refcount", r"^(20,000|19,9\d\d) str objects .* counts that nothing in the dump holds$", MANY - 100),
    "over_release": ("refcount", r"^1 object object with fewer counts than holders", 1),
    "garbage": ("garbage", r"are cyclic garbage that a collection would free, with what hangs on them ", MANY - 100),
    "collector_off": ("garbage", r"^cyclic collection is switched off \(gc\.disable\(\)\)", None),
    "garbage_off": ("garbage", r"are cyclic garbage that a collection would free", 400),
    "container": ("holder", r"^__main__\.CACHE \(dict, 20,000 members\) holds ", 3 * MANY),
    "scattered": ("type", r"^20,000 __main__\.Session objects hold ", MANY),
    "fragments": ("pymalloc", r"of Python's arenas .* are kept by less than 5 % of their blocks", 1),
    "native": ("native", r"are held only by native code: module libc\.so\.6, (global|data at) ", MANY - 100),
    "equal": ("duplicate", r"are equal texts and buffers: one copy of each would do", 3000),
    "sparse": ("slack", r"^300 dict at __main__\.KEPT\[\*\] keep room that they do not use", 300),
    "waiting": ("waiting", r"^1,500 tasks wait at planted\.py:\d+, in waiting\.<locals>\.fetch\(\)", 1500),
}


@pytest.mark.skipif(not DEBIAN, reason="no interpreter")
@pytest.mark.parametrize("what", PLANTED)
def test_first_or_second(what, tmp_path):
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    made = dumper.run(tmp_path / "run", [*DEBIAN.command, PROGRAM, what], DEBIAN.path, env=env)
    command(made.core, "-o", tmp_path / "x.db")
    made.core.unlink()
    db = sqlite3.connect(tmp_path / "x.db")
    kind, title, objects = PLANTED[what]
    rows = db.execute("SELECT kind, title, objects, detail FROM finding WHERE kind <> 'missing' ORDER BY id LIMIT 2").fetchall()
    db.close()
    assert [r for r in rows if r[0] == kind and re.search(title, r[1]) and (objects is None or r[2] >= objects)], rows
    if what == "garbage_off":
        assert "switched off" in rows[0][3]
