"""A CPython that is newer than the tables. There is none yet: dump and executable of one that is known are
changed where they tell the version, to 3.99."""

import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

import dump as dumper  # noqa: E402
from heapscan import scan  # noqa: E402
from interpreters import interpreters  # noqa: E402

PROGRAM = HERE / "programs" / "refs_zoo.py"
# The cookie is in the executable itself: no libpython.
KNOWN = [i for i in interpreters() if i.version >= (3, 13) and not (i.free_threaded or i.debug)
         and b"xdebugpy" in i.path.read_bytes()]


def renumber(path, version):
    """Its bytes with another Py_Version and _Py_DebugOffsets.version (0x030f02f0 of 3.15.2)."""
    data = bytearray(path.read_bytes())
    cookie = data.find(b"xdebugpy")  # it is in an instruction, too
    while data[cookie + 10:cookie + 12] != bytes([version[1], version[0]]):
        cookie = data.find(b"xdebugpy", cookie + 1)
        assert cookie >= 0
    word = bytes(data[cookie + 8:cookie + 12])
    places = []
    at = data.find(word)
    while at >= 0:
        places.append(at)
        at = data.find(word, at + 1)
    for at in places:
        data[at + 2] = 99
    return bytes(data)


@pytest.mark.parametrize("python", KNOWN, ids=repr)
def test_newer(python, tmp_path):
    dump = dumper.run(tmp_path / "run", [*python.command, PROGRAM, "healthy"], python.path,
                      env={k: v for k, v in os.environ.items() if not k.startswith("PYTHON")})
    for path, copy in ((python.path, tmp_path / "python"), (dump.core, dump.core)):
        copy.write_bytes(renumber(path, python.version))
    db = scan(dump.core, tmp_path / "x.db", "--check", "--exe", tmp_path / "python")
    dump.core.unlink()
    meta = db.meta()
    # Not one object is claimed, no count or cycle judged; the native half is there.
    assert db.one("SELECT count(*) FROM object WHERE refcount IS NOT NULL") == 0
    assert db.one("SELECT count(*) FROM refcount_error") == 0
    assert db.one("SELECT count(*) FROM object") > 10000
    assert db.one("SELECT count(*) FROM arena WHERE allocator = 'pymalloc'") > 0
    (detail,) = db.column("SELECT title FROM finding WHERE title LIKE '%CPython 3.99%'")
    assert detail in meta["warnings"]
    assert "raw blocks" in detail and "native" in detail
    frames = db.rows("SELECT t.tid, f.function, f.line FROM frame f JOIN thread t ON t.id = f.thread_id "
                     "WHERE f.language = 'python' ORDER BY f.thread_id, f.depth")
    if python.version < (3, 15):
        assert "not known here" in detail and frames == []  # it does not speak in the newest order
        return
    assert "newer" in detail and meta["python_version"].startswith("3.99")
    lines = PROGRAM.read_text().splitlines()
    at = {function: lines[line - 1] for _, function, line in frames if line and function in
          ("<module>", "blocked")}
    assert "os.kill" in at["<module>"] and "STOP.wait()" in at["blocked"]
    assert int(meta["python_threads"]) == 2
    db.close()
