"""JSON lines and --trace-pattern: random events, with a dictionary as the oracle; bad lines, limits."""

import json
import random

import pytest

from build import TOP
from heapscan import command, scan

STACKS = [["malloc", "keep (a.c:25)", "main (a.c:42)"], ["lose (a.c:3)", "main (a.c:43)"],
          [{"function": "far", "file": "b.c", "line": 7, "module": "/usr/lib/x.so"}],
          ["0x1234"], ["operator() (in /usr/lib/y.so)", "main (a.c:44)"], []]
OWN = ["keep", "lose", "far", None, "operator()", None]


class Model:
    """What the events mean, one by one."""

    def __init__(self):
        self.live, self.made, self.bytes, self.unknown, self.failed = {}, 0, 0, 0, 0
        self.peak = 0

    def alloc(self, ptr, size, stack):
        if not ptr:
            self.failed += 1
            return
        self.live[ptr] = (size, stack)
        self.made += 1
        self.bytes += size
        self.peak = max(self.peak, sum(s for s, _ in self.live.values()))

    def free(self, ptr):
        if ptr and self.live.pop(ptr, None) is None:
            self.unknown += 1

    def check(self, db):
        meta = db.meta()
        assert {k: int(meta.get(k, 0)) for k in ("allocations", "allocated_bytes", "live_objects",
                                                 "live_bytes", "peak_bytes", "unknown_frees",
                                                 "failed_allocations")} == {
            "allocations": self.made, "allocated_bytes": self.bytes,
            "live_objects": len(self.live), "live_bytes": sum(s for s, _ in self.live.values()),
            "peak_bytes": self.peak, "unknown_frees": self.unknown,
            "failed_allocations": self.failed}
        assert dict(db.rows("SELECT address, size FROM object")) == {
            a: s for a, (s, _) in self.live.items()}


def events(seed, n=1500):
    """(op, old, ptr, size, stack, model)"""
    rnd = random.Random(seed)
    model = Model()
    for _ in range(n):
        ptr, size = 8192 * rnd.randrange(1, 120), rnd.randrange(0, 5000)
        stack = rnd.randrange(len(STACKS))
        op = rnd.choice(["malloc", "calloc", "free", "free", "realloc", "new"])
        old = 0
        if op == "free":
            model.free(ptr)
        elif op == "realloc":
            old = rnd.choice([0, 8192 * rnd.randrange(1, 120)])
            ptr = rnd.choice([0, ptr, ptr, old or ptr])
            if ptr or (old and not size):
                model.free(old)
            if ptr or size:
                model.alloc(ptr, size, stack)
        else:
            ptr = rnd.choice([0, ptr, ptr, ptr, ptr])
            model.alloc(ptr, size, stack)
        yield op, old, ptr, size, stack, model


@pytest.mark.parametrize("seed", range(3))
def test_json(seed, tmp_path, db_path):
    path = tmp_path / "app.jsonl"
    lines = [json.dumps({"exe": "/usr/bin/app", "pid": 1234})]
    for i, (op, old, ptr, size, stack, model) in enumerate(events(seed)):
        event = {"op": op, "ptr": hex(ptr) if i % 2 else ptr, "t": 100 + i / 1000}
        if op != "free":
            event.update(size=size, stack=STACKS[stack])
        if op == "realloc":
            event["old"] = hex(old)
        lines.append(json.dumps(event))
    # The last line has no line feed, and is whole.
    path.write_text("\n".join(lines))
    db = scan(path, db_path)
    model.check(db)
    meta = db.meta()
    assert meta["exe"] == "/usr/bin/app" and meta["pid"] == "1234" and meta["time_unit"] == "s"
    assert meta["warnings"] == "" if "warnings" in meta else True
    own = {}
    for size, stack in model.live.values():
        own[OWN[stack]] = own.get(OWN[stack], 0) + size
    found = dict(db.rows("SELECT function, sum(live_bytes) FROM site GROUP BY 1 HAVING sum(live_bytes) > 0"))
    assert found == {k: v for k, v in own.items() if v}
    assert db.rows("SELECT DISTINCT file, line FROM site WHERE function = 'keep'") == [("a.c", 25)]


def test_json_damage(tmp_path, db_path):
    path = tmp_path / "bad.jsonl"
    path.write_bytes(b"\n".join([
        b'{"op":"malloc","ptr":16,"size":10}', b'{"op":"malloc","ptr":32,"size":-5}',
        b'{"op":"malloc","ptr":-32,"size":5}', b'{"op":"malloc","size":5}', b'{"op":"dance","ptr":1}',
        b'{"op":"malloc","ptr":48,"size":7,"stack":[{},[1],"\\u0000x","f (a.c:99999999999999999999)"]}',
        b'{"op":"malloc","ptr":64,"size":18446744073709551615}', b"[1]", b"nonsense", b"\xff\xfe\0",
        b"[" * 100000, b'{"op":"free","ptr":' + b"1" * 500 + b"}",
        b'{"op":"malloc","ptr":80,"size":1,"t":"soon"}', b'{"op":"mall']))
    db = scan(path, db_path)
    assert sorted(db.rows("SELECT address, size FROM object")) == [(16, 10), (48, 7), (80, 1)]
    told = db.meta()["warnings"]
    assert "no JSON object" in told and "op that is not known" in told and "breaks off" in told


PATTERN = (r"^\[(?<tid>\d+)\] (?<time>[\d.]+) (?:(?<op>\w+)\((?<size>\d+)\) = (?<ptr>\S+)"
           r"|(?<op>free)\((?<ptr>\S+)\)|(?<op>realloc)\((?<old>\S+), (?<size>0x\w+)\) = (?<new>\S+))"
           r"(?: <(?<stack>.*)>)?$")


@pytest.mark.parametrize("seed", range(3))
def test_pattern(seed, tmp_path, db_path):
    path = tmp_path / "app.log"
    lines = []
    for i, (op, old, ptr, size, stack, model) in enumerate(events(seed + 10)):
        address = "(nil)" if not ptr else f"{ptr:x}" if i % 2 else hex(ptr)
        text = {"free": f"free({address})",
                "realloc": f"realloc({old:#x}, {size:#x}) = {address}"}.get(
                    op, f"{op}({size}) = {address}")
        frames = ";".join(f if isinstance(f, str) else f["function"] for f in STACKS[stack])
        lines.append(f"[{i % 3}] {i / 1000} {text} <{frames}>")
        lines.append("something else: malloc is not called here")
    path.write_text("\n".join(lines) + "\n")
    db = scan(path, db_path, "--trace-pattern", PATTERN)
    model.check(db)
    assert db.meta()["threads"] == "3"
    assert db.rows("SELECT DISTINCT file, line FROM site WHERE function = 'keep'") == [("a.c", 25)]


def test_pattern_usage(tmp_path):
    path = tmp_path / "log"
    path.write_text("malloc 10 16\n")

    def told(pattern, status=1):
        return command(path, "-o", tmp_path / "a.db", "--trace-pattern", pattern, status=status).err

    assert "at 1" in told("(")
    assert "no group may be called color" in told("(?<color>x)(?<ptr>.)")
    assert "needs a group for the address" in told("(?<op>malloc)")
    assert "no line matches" in told("(?<ptr>nothing)", 2)
    assert "core file" in command(TOP / "sample-dumps" / "i386.core.xz", "--trace-pattern", "(?<ptr>.)",
                                  "-o", tmp_path / "a.db", status=1).err


def test_pattern_limits(tmp_path, db_path):
    """A pattern that backtracks without end, and a line of more than a megabyte, are left out."""
    path = tmp_path / "log"
    path.write_text("a" * 200 + "!\n" + "malloc 16 10\n" + "x" * 3_000_000 + "\n\0\xff\n")
    db = scan(path, db_path, "--trace-pattern", r"^(a+)+$|malloc (?<ptr>\w+) (?<size>\w+)")
    assert db.rows("SELECT address, size FROM object") == [(0x16, 10)]
    told = db.meta()["warnings"]
    assert "takes too long" in told and "more than a megabyte" in told


def test_pattern_joins_core(tmp_path):
    """--trace with a pattern: the blocks of a core by address."""
    core = TOP / "sample-dumps" / "i386.core.xz"
    blocks = [line.split() for line in core.with_name("i386.expected").open()]
    log = tmp_path / "log"
    log.write_text("".join(f"got {a} {n} by f{i % 3} (x.c:{i})\n" for i, (a, n, _) in enumerate(blocks)))
    out = tmp_path / "a.db"
    command(core, "--trace", log, "--trace-pattern", r"got (?<ptr>\S+) (?<size>\d+) by (?<stack>.*)",
            "-o", out)
    import sqlite3
    found = sqlite3.connect(out).execute(
        "SELECT o.address, s.line FROM object o JOIN site s ON s.id = o.site_id").fetchall()
    assert dict(found) == {int(a, 16): i or None for i, (a, _, _) in enumerate(blocks)}


# Frames as memleak of bcc (0.26; before 0.20 without addresses) and of libbpf-tools print them, with and without
# blazesym; and what they are: (function, file, line, module, address).
MEMLEAK = {
    "\t\tmain+0x6d [allocs]": ("main", None, None, "allocs", None),
    "\t\t0x000055d7050e62a0\tmain+0x6d [allocs]": ("main", None, None, "allocs", None),
    "\t\t0x000055d7050e62a0\ta::operator+(a, b)+0x1d [lib+x.so.1]":
        ("a::operator+(a, b)", None, None, "lib+x.so.1", None),
    "\t\t0x000055d7050e62a0\tget[abi:cxx11](int)+0x1d [x]": ("get[abi:cxx11](int)", None, None, "x", None),
    "\t\t0x000055d7050e62a0\t[unknown] [libx.so]": (None, None, None, "libx.so", 0x55d7050e62a0),
    "\t\t0x000055d7050e62a0\t[unknown]": (None, None, None, None, 0x55d7050e62a0),
    "\t12 [<000055d7050e62a0>] main+0x6d [allocs]": ("main", None, None, "allocs", None),
    "\t  1 [<000055d7050e62a0>] kmalloc+0x6d": ("kmalloc", None, None, None, None),
    "\t1 [<000055d7050e62a0>] [libx.so]": (None, None, None, "libx.so", 0x55d7050e62a0),
    "\t1 [<000055d7050e62a0>] <null sym>": (None, None, None, None, 0x55d7050e62a0),
    "\t1 [<000055d7050e62a0>] main+0x6d /usr/src/c++/a+0x1.c:12": ("main", "/usr/src/c++/a+0x1.c", 12, None, None),
    "\t1 [<000055d7050e62a0>] (2 entries)\n\t\tget@0x55d7050e6200 get.c:7": ("get", "get.c", 7, None, None),
}
# bpftrace's, in a map's key; ustack(perf) has tabs.
BPFTRACE = {
    "    main+109": ("main", None, None, None, None),
    "    a::operator+(a, b)+29": ("a::operator+(a, b)", None, None, None, None),
    "    0x7f4abc4ae7e0": (None, None, None, None, 0x7f4abc4ae7e0),
    "\t7f6096b97109 main+3497 (/usr/bin/a b)": ("main", None, None, "/usr/bin/a b", None),
    "\t7f6096b97109 0x7f6096b97109 ([unknown])": (None, None, None, None, 0x7f6096b97109),
}
FRAME = "SELECT function, file, line, module, address FROM site WHERE live_bytes = 80 AND live_objects = 5"


@pytest.mark.parametrize("frame", MEMLEAK)
def test_memleak_frames(frame, tmp_path, db_path):
    path = tmp_path / "log"
    path.write_text("[9:5:3] Top 2 stacks with outstanding allocations:\n\t80 bytes in 5 allocations from stack\n"
                    f"{frame}\n\t7 bytes in 1 allocations from stack\n\t\tstack information lost\n")
    with scan(path, db_path) as db:
        assert db.rows(FRAME) == [MEMLEAK[frame]]
        # What is not known is no function.
        assert db.rows("SELECT function, address FROM site WHERE live_bytes = 7") == [(None, None)]
        assert db.meta()["live_bytes"] == "87" and db.meta()["warnings"] == ""


@pytest.mark.parametrize("frame", BPFTRACE)
@pytest.mark.parametrize("ends", [("@a[", "]: count 5, average 16, total 80"),
                                  ("@a[app, ", "]: count 5, average 16, total 80"),
                                  ("@a[", ", app]: 80\n@count_of[\n{}\n, app]: 5")])
def test_bpftrace_frames(ends, frame, tmp_path, db_path):
    path = tmp_path / "log"
    path.write_text(f"Attaching 4 probes...\n\n\n{ends[0]}\n{frame}\n{ends[1].replace('{}', frame)}\n")
    with scan(path, db_path) as db:
        assert db.rows(FRAME) == [BPFTRACE[frame]]
        assert db.meta()["live_bytes"] == "80" and db.meta()["warnings"] == ""


@pytest.mark.parametrize("frame", BPFTRACE)
@pytest.mark.parametrize("values", [{"@a": ("stats", {"count": 5, "average": 16, "total": 80})},
                                    {"@a": ("map", 80), "@count_of": ("map", 5)}])
@pytest.mark.parametrize("key", ["\n{}\n", "app,\n{}\n", "\n{}\n,app"])
def test_bpftrace_json_frames(key, values, frame, tmp_path, db_path):
    """As JsonOutput of bpftrace 0.17 prints them; what comes before and after says nothing of sizes."""
    lines = [{"type": "attached_probes", "data": {"probes": 4}}, {"type": "printf", "data": 'a "line"\n'}]
    for name, (kind, value) in values.items():
        lines += [{"type": kind, "data": {name: {key.format(frame): 7 if kind == "map" else value}}},
                  {"type": kind, "data": {name: {key.format(frame): value}}}]
    lines += [{"type": "hist", "data": {"@h": {key.format(frame): [{"min": 2, "max": 3, "count": 9}]}}},
              {"type": "map", "data": {"@n": 7}}, {"type": "map", "data": {"@of": {"app": 7}}}]
    path = tmp_path / "log"
    path.write_text("\n".join(map(json.dumps, lines)) + "\n")
    with scan(path, db_path) as db:
        assert db.rows(FRAME) == [BPFTRACE[frame]]
        assert db.meta()["live_bytes"] == "80" and db.meta()["warnings"] == ""


@pytest.mark.parametrize("text", [
    "@a[1, \n    f+1\n    main+2\n]: 30\n@a[2, \n    f+1\n    main+2\n]: 50\n@a[1, \n    f+1\n    main+2\n]: 40\n",
    "@a[\n    k+1\n, \n    f+1\n    main+2\n, 1]: 40\n@a[\n    k+1\n, \n    f+1\n    main+2\n, 2]: 50\n",
    '{"type": "map", "data": {"@a": {"1,\\n    f+1\\n    main+2\\n": 40, "2,\\n    f+1\\n    main+2\\n": 50}}}\n',
    '{"type": "map", "data": {"@a": {"\\n    k+1\\n,\\n    f+1\\n": 40, "\\n    k+1\\n,\\n    f+1\\n,b": 50}}}\n'])
def test_bpftrace_keys_add_up(text, tmp_path, db_path):
    """Of a map with more than a stack in its key; two stacks in one are one way in."""
    path = tmp_path / "log"
    path.write_text(text)
    with scan(path, db_path) as db:
        assert db.rows("SELECT live_bytes FROM site WHERE live_bytes > 0") == [(90,)]
        assert db.meta()["live_bytes"] == "90" and db.meta()["warnings"] == ""


@pytest.mark.parametrize("bad", ['{"type": "map", "data": {"@a": {"\\n    f+1\\n": -16}}}',
                                 '{"type": "map", "data": {"@a": {"\\n    f+1\\n": 16',
                                 '{"type": "map", "data": {"@a": {"\\n    f+1\\n": {"count": 5}}}}',
                                 '{"type": "map", "data": {"@a": 7}}'])
def test_bpftrace_json_without_sizes(bad, tmp_path, db_path):
    path = tmp_path / "log"
    path.write_text('{"type": "attached_probes", "data": {"probes": 1}}\n' + bad + "\n")
    with scan(path, db_path) as db:
        assert db.meta()["warnings"] != "", "nothing was read, and nothing is said"


# What memleak of bcc prints of the same with Python 2, and what the kernel's trace_pipe has of libbpf-tools'.
CALLS = [
    "('allocs', 5193, 0, 'd..3', {:.6f}, '{}')",
    "(b'a.0 1.5', 5193, 0, b'd..31', {:.6f}, b'{}')",
    "          allocs-5193    [000] d..31 {:.6f}: bpf_trace_printk: {}",
]


@pytest.mark.parametrize("form", CALLS)
def test_memleak_calls(form, tmp_path, db_path):
    texts = ["alloc entered, size = 16", "alloc exited, size = 16, result = 948cd0",
             "alloc exited, size = 24, result = 948d10", "free entered, address = 948cd0, size = 16",
             "alloc exited, size = 48, result = 0", "alloc exited, size = 32, result = 948cd0"]
    path = tmp_path / "log"
    path.write_text("".join(form.format(4711.5 + i / 4, text) + "\n" for i, text in enumerate(texts)))
    with scan(path, db_path) as db:
        meta = db.meta()
        assert (meta["live_bytes"], meta["live_objects"], meta["warnings"]) == ("56", "2", "")
        assert db.rows("SELECT address, size FROM object ORDER BY 1") == [(0x948cd0, 32), (0x948d10, 24)]
        assert float(meta["duration"]) == 1.0


def test_memleak_intervals(tmp_path, db_path):
    """`memleak -s 10 5 3`, past midnight: three reports, the last of which is what lives."""
    path = tmp_path / "log"
    path.write_text("Attaching to pid 2614, Ctrl+C to quit.\n" + "".join(
        f"[{clock}] Top 2 stacks with outstanding allocations:\n\t{n} bytes in {n // 16} allocations from stack\n"
        f"\t\t main+0x6d [allocs]\n\t\t __libc_start_main+0xf0 [libc-2.21.so]\n\n"
        for clock, n in (("23:59:53", 16), ("23:59:58", 48), ("00:00:03", 32))))
    with scan(path, db_path) as db:
        assert db.meta()["live_bytes"] == "32" and db.meta()["warnings"] == ""
        assert db.rows("SELECT function, live_objects FROM site WHERE live_bytes > 0") == [("main", 2)]
        assert db.rows("SELECT time, live_bytes FROM timeline ORDER BY time") == [(0.0, 16), (5.0, 48), (10.0, 32)]
