"""Traces that nobody wrote with good intent: figures that cannot be, lines without end, cycles."""

import random
import re

import pytest

from heapscan import SANITIZED, Database, command
from test_traces_samples import FOLDER, SAMPLES

ODD = [b"-1", b"18446744073709551615", b"9223372036854775808", b"0", b"99999999999999999999999999",
       b"\0", b"\xff\xfe\xc0\x80", b"1e308", b"0x", b"0xffffffffffffffff"]


def read(path, folder, *options):
    """Refused, or a database that is sound."""
    out = folder / "odd.db"
    out.unlink(missing_ok=True)
    done = command(path, "-o", out, *options, status=(0, 2))
    if done.returncode == 0:
        with Database(out, done) as db:
            for column in ("live_bytes", "allocated_bytes", "peak_bytes", "allocations"):
                assert db.one(f"SELECT count(*) FROM site WHERE {column} < 0") == 0
    return done


@pytest.mark.parametrize("name", SAMPLES)
def test_numbers(name, tmp_path):
    """Numbers replaced by others: no sum wraps, nothing is negative."""
    data = (FOLDER / name).read_bytes()
    for seed in range(1 if SANITIZED else 2):
        rnd = random.Random(seed)
        odd = re.sub(rb"\b(0x)?[0-9a-f]*\d[0-9a-f]*\b",
                     lambda m: rnd.choice(ODD) if rnd.random() < 0.15 else m.group(), data)
        path = tmp_path / "odd"
        path.write_bytes(odd)
        read(path, tmp_path)


@pytest.mark.parametrize("name", SAMPLES)
def test_shuffled(name, tmp_path):
    """The lines in another order, some twice; what is recognised by its head keeps that."""
    lines = (FOLDER / name).read_bytes().splitlines(keepends=True)
    for seed in range(1):
        rnd = random.Random(seed)
        rest = lines[3:] + rnd.sample(lines, min(len(lines), 20))
        rnd.shuffle(rest)
        path = tmp_path / "odd"
        path.write_bytes(b"".join(lines[:3] + rest))
        read(path, tmp_path)


LONG = {
    "mtrace": b"= Start\n@ a:[0x1] + 0x10 0x%s\n@ a:[0x1] + 0x20 0x7\n",
    "xml": b"<?xml version=\"1.0\"?><valgrindoutput><pid>1</pid><error><kind>Leak_DefinitelyLost</kind>"
           b"<xwhat><text>7 bytes in 1 blocks are definitely lost in</text></xwhat><stack><frame><ip>0x1"
           b"</ip><fn>%s</fn></frame></stack></error></valgrindoutput>",
    "json": b'{"op":"malloc","ptr":16,"size":7}\n{"op":"malloc","ptr":1,"size":"%s"}\n',
    "lsan": b"==1==ERROR: LeakSanitizer: detected memory leaks\nDirect leak of 7 byte(s) in 1 object(s)"
            b" allocated from:\n    #0 0x1 in %s\nSUMMARY: AddressSanitizer: 7 byte(s) leaked in 1 a\n",
    "dhat": b'{"dhatFileVersion":2,"mode":"heap","bklt":true,"pps":[{"eb":7,"ebk":1,"fs":[1]}],'
            b'"ftbl":["[root]","0x1: %s"]}',
    "heap": b"heap profile: 1: 7 [1: 7] @ heapprofile\n1: 7 [1: 7] @ %s\nMAPPED_LIBRARIES:\n",
}


@pytest.mark.parametrize("name", LONG)
def test_long_line(name, tmp_path):
    """100 MB without a line feed: no figure is lost, and no name is as long."""
    path = tmp_path / "long"
    fill = {"heap": b"0x1 "}.get(name, b"7")
    path.write_bytes(LONG[name].replace(b"%s", fill * ((10_000_000 if SANITIZED else 100_000_000) // len(fill))))
    out = tmp_path / "long.db"
    command(path, "-o", out, memory=1 << 30)
    path.unlink()
    with Database(out) as db:
        assert db.one("SELECT value FROM meta WHERE key = 'live_bytes'") == "7"
        assert out.stat().st_size < 3_000_000


def test_deep(tmp_path):
    """Nesting and stacks without end."""
    path = tmp_path / "deep"
    path.write_bytes(b'{"dhatFileVersion":2,"mode":"heap","bklt":true,"pps":' + b"[{" * 1_000_000)
    read(path, tmp_path)
    head = b"desc: x\ncmd: y\ntime_unit: i\nsnapshot=0\ntime=0\nmem_heap_B=9\nheap_tree=peak\n"
    path.write_bytes(head + b"".join(b" " * i + b"n1: 9 0x1: f (a.c:%d)\n" % i for i in range(5000)))
    read(path, tmp_path)
    path.write_bytes(b"==7== HEAP SUMMARY:\n==7== 9 bytes in 1 blocks are definitely lost in loss record\n"
                     + b"==7==    at 0x1: f (a.c:1)\n" * 200_000 + b"==7== LEAK SUMMARY:\n")
    assert read(path, tmp_path).returncode == 0


def test_dhat_without_its_table(tmp_path):
    """The table of frames is at the end: a cut file has totals, and numbers that name nothing."""
    data = (FOLDER / "dhat.json").read_bytes()
    path = tmp_path / "cut"
    path.write_bytes(data[:data.index(b',"ftbl"')])
    with Database(tmp_path / "odd.db", read(path, tmp_path)) as db:
        assert db.one("SELECT sum(live_bytes) FROM site") == 10508
        assert "breaks off" in db.meta()["warnings"]
    path.write_bytes(data.replace(b'"fs":[', b'"fs":[4294967296,'))
    with Database(tmp_path / "odd.db", read(path, tmp_path)) as db:
        assert "a frame number out of range" in db.meta()["warnings"]


def test_two_reports_of_one_process(tmp_path):
    """Leak checks on request: the last one counts."""
    report = (b"==7== Memcheck, a memory error detector\n==7== %d bytes in 2 blocks are definitely lost in "
              b"loss record 1 of 1\n==7==    at 0x1: malloc (a.c:1)\n==7==    by 0x2: f (a.c:2)\n==7== \n"
              b"==7== LEAK SUMMARY:\n==7==    definitely lost: %d bytes in 2 blocks\n")
    path = tmp_path / "log"
    path.write_bytes(b"".join(report % (n, n) for n in (10, 30, 20)) + b"no line of valgrind's\n")
    with Database(tmp_path / "odd.db", read(path, tmp_path)) as db:
        assert db.rows("SELECT function, live_bytes FROM site WHERE live_bytes > 0") == [("f", 20)]


def test_two_processes_of_xml(tmp_path):
    """--xml-file without %p: one document behind the other; the second one breaks off."""
    data = (FOLDER / "memcheck.xml").read_bytes()
    path = tmp_path / "log"
    path.write_bytes(data + data)
    with Database(tmp_path / "odd.db", read(path, tmp_path)) as db:
        assert int(db.meta()["live_bytes"]) == 2 * 10508 and db.meta()["processes"] == "2"
        assert "warnings" not in db.meta() or "breaks off" not in db.meta()["warnings"]
    path.write_bytes(data + data[:data.index(b"Leak_")])
    with Database(tmp_path / "odd.db", read(path, tmp_path)) as db:
        assert int(db.meta()["live_bytes"]) == 10508
        assert "breaks off" in db.meta()["warnings"]


def test_lsan_colours_and_ids(tmp_path):
    """As on a terminal; a module that is not here keeps its offset."""
    path = tmp_path / "log"
    path.write_bytes(
        b"before\n\x1b[1m\x1b[31m==1==ERROR: LeakSanitizer: detected memory leaks\n\x1b[1m\x1b[0m\n"
        b"\x1b[1m\x1b[34mIndirect leak of 30 byte(s) in 3 object(s) allocated from:\n\x1b[1m\x1b[0m"
        b"    #0 0x1 in operator new(unsigned long) ../../src/libsanitizer/asan/asan_new_delete.cpp:99:3\n"
        b"    #1 0x2 in ns::f(int, char const*) /a dir/x.cpp:7:12\n"
        b"    #2 0x3  (/nowhere/lib (1).so+0x123) (BuildId: 00ff)\n"
        b"    #3 0x4  (<unknown module>)\n\n"
        b"SUMMARY: LeakSanitizer: 30 byte(s) leaked in 3 allocation(s).\n")
    with Database(tmp_path / "odd.db", read(path, tmp_path)) as db:
        rows = db.rows("SELECT id, parent_id, function, file, line, module, address, live_objects FROM site")
        site = {r[0]: r[1:] for r in rows}
        (leaf,) = [i for i, r in site.items() if r[-1]]
        path = []
        while leaf:
            path.append(site[leaf][1:6])
            leaf = site[leaf][0]
        assert path == [("ns::f(int, char const*)", "/a dir/x.cpp", 7, None, None),
                        (None, None, None, "/nowhere/lib (1).so", 0x123),
                        (None, None, None, None, 4),
                        ("[indirect leak]", None, None, None, None)]


def test_jemalloc_scaling(tmp_path):
    """By the formula, for averages far above and far below the rate."""
    import math
    rate = 4096
    stacks = [(3, 30), (5, 50000), (1, 4096), (2, 0)]
    text = f"heap_v2/{rate}\n  t*: 0: 0 [0: 0]\n"
    for i, (n, size) in enumerate(stacks):
        text += f"@ {0x1000 + i:#x}\n  t*: {n}: {size} [0: 0]\n  t0: {n}: {size} [0: 0]\n"
    path = tmp_path / "heap"
    path.write_text(text + "\nMAPPED_LIBRARIES:\n")
    with Database(tmp_path / "odd.db", read(path, tmp_path)) as db:
        found = db.rows("SELECT address, live_objects, live_bytes, allocations FROM site ORDER BY 1")
    factor = [1 / (1 - math.exp(-size / n / rate)) if size else 1 for n, size in stacks]
    # Less than one off: what is left over goes to the next stack.
    for (address, blocks, live, calls), (n, size), f in zip(found, stacks, factor):
        assert calls is None and abs(blocks - n * f) < 1 and abs(live - size * f) < 1, hex(address)
    assert abs(sum(r[2] for r in found) - sum(s * f for (_, s), f in zip(stacks, factor))) <= 0.5
