"""Runs heapscan, and checks what must hold of every database it writes."""

import os
import resource
import sqlite3
import subprocess
from bisect import bisect_right
from collections import Counter, defaultdict
from pathlib import Path

from build import BUILD

HEAPSCAN = BUILD / "heapscan"
TIMEOUT = int(os.environ.get("HEAPSCAN_TIMEOUT", "120"))
APPLICATION_ID = 0x48534442
# A sanitizer's shadow takes terabytes of address space.
SANITIZED = "SANITIZED" in os.environ
ENV = {**os.environ, "LC_ALL": "C.UTF-8",
       "ASAN_OPTIONS": "abort_on_error=1:detect_leaks=1:allocator_may_return_null=1",
       "UBSAN_OPTIONS": "halt_on_error=1:abort_on_error=1:print_stacktrace=1",
       "DEBUGINFOD_URLS": ""}


def command(*args, status=0, stdin=None, memory=None, timeout=TIMEOUT, cwd=None):
    """heapscan with these arguments; its exit status must be `status` (or one of them).

    memory: a bound on its address space beyond what it takes to start, in bytes."""

    def limit():
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if memory and not SANITIZED:
            resource.setrlimit(resource.RLIMIT_AS, (memory, memory))

    done = subprocess.run([str(HEAPSCAN), *map(str, args)], stdin=stdin or subprocess.DEVNULL,
                          capture_output=True, timeout=timeout, preexec_fn=limit, env=ENV, cwd=cwd)
    done.out = done.stdout.decode(errors="replace")
    done.err = done.stderr.decode(errors="replace")
    wanted = status if isinstance(status, tuple) else (status,)
    assert done.returncode in wanted, (
        f"heapscan {' '.join(map(str, args))}: exit {done.returncode}, not {status}\n"
        f"{done.out}\n{done.err}")
    assert "Sanitizer" not in done.err and "runtime error" not in done.err, done.err
    return done


class Database:
    """A database, opened by the stock library, its invariants checked.

    Of Python processes, whose databases are many, big and alike, one in four has each entry of its indexes compared
    with the tables; the others, as all, have their pages, rows and constraints checked (quick_check)."""

    python = 0

    def __init__(self, path, done=None):
        self.path = Path(path)
        self.done = done
        self.sql = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        self.check()

    def rows(self, query, *args):
        return self.sql.execute(query, args).fetchall()

    def one(self, query, *args):
        (row,) = self.rows(query, *args)
        return row[0]

    def column(self, query, *args):
        return [row[0] for row in self.rows(query, *args)]

    def meta(self):
        return dict(self.rows("SELECT key, value FROM meta"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sql.close()

    # What must hold of any database.

    def check(self):
        assert self.one("PRAGMA application_id") == APPLICATION_ID
        assert self.one("PRAGMA user_version") > 0
        whole = "python_version" not in self.meta() or Database.python % 4 == 0
        Database.python += "python_version" in self.meta()
        assert self.rows("PRAGMA integrity_check" if whole else "PRAGMA quick_check") == [("ok",)]
        assert self.rows("PRAGMA foreign_key_check") == []
        self.check_objects()
        if self.meta()["kind"] == "trace":
            return
        self.check_ledger()
        self.check_arenas()
        self.check_clusters()
        self.check_dominators()
        self.check_references()

    def check_objects(self):
        n, low, high = self.rows("SELECT count(*), min(id), max(id) FROM object")[0]
        assert n == 0 or (low, high) == (1, n), "object ids are not dense from 1"
        assert self.one(
            """SELECT count(*) FROM object a JOIN object b ON b.id = a.id + 1
               WHERE a.address >= b.address AND (a.address < 0) = (b.address < 0)
                  OR coalesce(a.block, a.address) + a.size > coalesce(b.block, b.address)
                     AND (SELECT value FROM meta WHERE key = 'kind') != 'trace'""") == 0
        if self.meta()["kind"] == "trace":
            return  # blocks need have no address, and a missed free leaves one behind
        # live and free blocks are apart
        spans = self.rows("""SELECT coalesce(block, address), size FROM object
                             UNION ALL SELECT address, size FROM free_block ORDER BY 1""")
        for (a, n), (b, _) in zip(spans, spans[1:]):
            assert a + n <= b, f"{a:#x}+{n} overlaps {b:#x}"

    def check_ledger(self):
        wrong = self.rows(
            """SELECT s.id, printf('%x', s.start), s."end" - s.start,
                      coalesce((SELECT sum(bytes) FROM ledger WHERE segment_id = s.id), 0) AS sum
               FROM segment s WHERE sum != s."end" - s.start""")
        assert wrong == [], f"ledger rows do not add up: {wrong}"
        assert self.one("SELECT count(*) FROM ledger WHERE bytes < 0") == 0

    def check_arenas(self):
        wrong = self.rows(
            """SELECT a.id, a.used_bytes, a.free_bytes,
                      coalesce((SELECT sum(size) FROM object o WHERE o.arena_id = a.id), 0) AS used,
                      coalesce((SELECT sum(size) FROM free_block f WHERE f.arena_id = a.id), 0)
                              AS free
               FROM arena a WHERE used != a.used_bytes OR free != a.free_bytes""")
        assert wrong == [], f"arenas do not balance: {wrong}"
        live, free = self.one("SELECT coalesce(sum(size), 0) FROM object"), self.one(
            "SELECT coalesce(sum(size), 0) FROM free_block")
        if self.one("SELECT count(*) FROM object WHERE arena_id IS NULL") == 0:
            ledger = dict(self.rows("SELECT category, sum(bytes) FROM ledger GROUP BY 1"))
            # What is missing from the dump is said to be missing, whatever else is known of it.
            missing = ledger.get("missing from the dump", 0)
            for category, bytes_ in (("live", live), ("free", free)):
                assert 0 <= bytes_ - ledger.get(category, 0) <= missing

    def check_clusters(self):
        unreachable = dict(self.rows("SELECT id, size FROM object WHERE reachable = 0"))
        members = self.rows("""SELECT m.object_id, c.id FROM cluster c JOIN cluster_member m
                               ON m.cluster_id = c.id WHERE c.kind = 'leak'""")
        assert len(members) == len({o for o, _ in members}), "an object in two leak clusters"
        assert {o for o, _ in members} == unreachable.keys()
        bytes_ = self.one("SELECT coalesce(sum(bytes), 0) FROM cluster WHERE kind = 'leak'")
        assert bytes_ == sum(unreachable.values()), "clusters and unreachable bytes differ"
        assert self.rows(
            """SELECT c.id FROM cluster c LEFT JOIN object h ON h.id = c.head_id WHERE
                 objects != (SELECT count(*) FROM cluster_member WHERE cluster_id = c.id)
                 OR bytes != (SELECT sum(size) FROM cluster_member m JOIN object o
                              ON o.id = m.object_id WHERE m.cluster_id = c.id)
                 OR direct_bytes != h.size
                 OR NOT EXISTS (SELECT 1 FROM cluster_member
                                WHERE cluster_id = c.id AND object_id = c.head_id)""") == []

    def check_dominators(self):
        """Every retained size is its own size and its children's; the top ones hold everything."""
        rows = self.rows("SELECT id, size, dominator_id, retained FROM object")
        if not rows or len(rows) > 100_000:
            return
        sums = defaultdict(int)
        for _, _, dominator, retained in rows:
            sums[dominator or 0] += retained
        for id_, size, _, retained in rows:
            assert retained == size + sums[id_], f"object {id_} retains {retained}"
        assert sums[0] == sum(size for _, size, _, _ in rows)

    def check_references(self):
        assert self.one("""SELECT count(*) FROM reference r JOIN object o ON o.id = r.src
                           WHERE r.offset < 0 OR r.offset >= o.size""") == 0
        assert self.one("SELECT count(*) FROM reference WHERE kind NOT IN (0, 1, 2)") == 0
        # what a root or a reachable block leads to is reachable
        # (of Python's objects the collector knows better than a word that looks like a pointer)
        assert self.one("""SELECT count(*) FROM root r JOIN object o ON o.id = r.object_id
                           WHERE o.reachable = 0 AND o.refcount IS NULL
                             AND o.owner_id IS NULL""") == 0
        assert self.one("""SELECT count(*) FROM reference r JOIN object a ON a.id = r.src
                           JOIN object b ON b.id = r.dst
                           WHERE a.reachable > 0 AND b.reachable = 0 AND r.kind != 2
                             AND (r.kind = 1 OR b.refcount IS NULL AND b.owner_id IS NULL)""") == 0


def scan(core, db, *options, **how):
    """heapscan CORE -o DB, and the database."""
    Path(db).unlink(missing_ok=True)
    done = command(core, "-o", db, *options, **how)
    return Database(db, done)


# What must hold of a database, given the truth.


def hexes(addresses, limit=12):
    shown = [f"{a:#x}" for a in sorted(addresses)[:limit]]
    return f"{len(addresses)}: {' '.join(shown)}"


def check_live(db, oracle):
    found = dict(db.rows("SELECT address, size FROM object WHERE arena_id IS NOT NULL"))
    missed = oracle.live.keys() - found.keys()
    invented = found.keys() - oracle.live.keys()
    assert not missed, f"live blocks missed, {hexes(missed)}"
    assert not invented, f"live blocks invented, {hexes(invented)}"
    wrong = {a for a in found if found[a] != oracle.live[a]}
    assert not wrong, f"sizes wrong, {hexes(wrong)}: {[(found[a], oracle.live[a]) for a in wrong][:5]}"


def led_to(db, addresses):
    """What these objects lead to, themselves included."""
    seen, pending = set(addresses), list(addresses)
    edges = defaultdict(list)
    for src, dst in db.rows("""SELECT s.address, d.address FROM reference r JOIN object s
                               ON s.id = r.src JOIN object d ON d.id = r.dst"""):
        edges[src].append(dst)
    while pending:
        for dst in edges[pending.pop()]:
            if dst not in seen:
                seen.add(dst)
                pending.append(dst)
    return seen


def coincidences(oracle):
    """How many lost blocks may be held by numbers that look like addresses: none in this small a
    part of 47 bits, a few of very many where addresses are as small as numbers are."""
    return len(oracle.live) // 400 if min(oracle.live, default=0) < 1 << 32 else 0


def check_leaks(db, oracle):
    found = dict(db.rows("SELECT address, reachable FROM object"))
    lost = {a for a, r in found.items() if r == 0}
    missed, false = oracle.lost - lost, lost - oracle.lost
    allowed = coincidences(oracle)
    if missed and allowed:
        # roots, and words that lie across two others: the programs make no such links
        held = missed & set(db.column("""
            SELECT o.address FROM root r JOIN object o ON o.id = r.object_id UNION
            SELECT o.address FROM reference r JOIN object o ON o.id = r.dst
            WHERE r.offset % (SELECT value FROM meta WHERE key = 'word_size') != 0"""))
        if len(held) <= allowed:
            missed -= led_to(db, held)
    held = [db.rows("""SELECT r.kind, printf('0x%x', r.address), r.name FROM root r
                       JOIN object o ON o.id = r.object_id WHERE o.address = ?""", a)
            for a in sorted(missed)[:5]]
    assert not missed, f"leaks missed, {hexes(missed)}; held by {held}"
    assert not false, f"false leaks, {hexes(false)}"
    wrong = {a: (found[a], r) for a, r in oracle.reachable.items()
             if found[a] != r and not (allowed and a in oracle.lost)}
    assert not wrong, f"reachable wrong (found, true): {list(wrong.items())[:10]}"


def check_clusters(db, oracle):
    of = dict(db.rows("""SELECT o.address, m.cluster_id FROM cluster c JOIN cluster_member m
                         ON m.cluster_id = c.id JOIN object o ON o.id = m.object_id
                         WHERE c.kind = 'leak'"""))
    # Same cluster here, same cluster there: a mapping of numbers that is one to one.
    clusters = {a: n for a, n in oracle.clusters.items() if a in of or not coincidences(oracle)}
    certain = {a: next(iter(n)) for a, n in clusters.items() if len(n) == 1}
    there, here = {}, {}
    for address, number in certain.items():
        assert there.setdefault(number, of[address]) == of[address], f"cluster {number} is split"
        assert here.setdefault(of[address], number) == number, f"cluster {number} is merged"
    for address, numbers in clusters.items():
        assert here.get(of[address]) in numbers, f"{address:#x} is in a wrong cluster"
    heads = dict(db.rows("""SELECT c.id, o.address FROM cluster c JOIN object o
                            ON o.id = c.head_id WHERE c.kind = 'leak'"""))
    for number, address in oracle.heads.items():
        if address not in clusters:
            continue
        assert heads[there[number]] == address, f"cluster {number} has another head"
    cycles = defaultdict(set)
    for cluster, address in db.rows(
            """SELECT c.id, o.address FROM cluster c JOIN cluster_member m ON m.cluster_id = c.id
               JOIN object o ON o.id = m.object_id WHERE c.kind = 'cycle' AND NOT c.reachable"""):
        cycles[cluster].add(address)
    for cycle in oracle.cycles.values():
        assert cycle in cycles.values(), f"no cycle of {hexes(cycle)}"


def check_free(db, oracle, word):
    rows = db.rows("SELECT address, size, kind, arena_id FROM free_block")
    found = {a: (n, kind) for a, n, kind, _ in rows}
    for address, (size, kind) in oracle.free.items():
        got = found.get(address)
        assert got == (size, kind), f"{address:#x}: {got}, not {(size, kind)}"
    # The allocator's own counts. A chunk is its usable bytes and one header word; top, with no
    # chunk behind it whose first word it could use, two.
    kinds = Counter(kind for _, _, kind, _ in rows)
    sizes = Counter()
    for _, size, kind, _ in rows:
        sizes[kind] += size + (2 * word if kind == "top" else word)
    m = oracle.mallinfo
    if m:
        assert kinds["fastbin"] == m["smblks"], f"fastbin chunks {kinds}, {m}"
        assert sizes["fastbin"] == m["fsmblks"], f"fastbin bytes {sizes}, {m}"
        assert sum(sizes.values()) - sizes["tcache"] == m["fordblks"], f"free bytes {sizes}, {m}"
    # What was freed is free: it lies in some free block, or its pages were given back.
    spans = sorted((a - 2 * word, a + n) for a, (n, _) in found.items())
    # A block that had a mapping of its own went with it; what the kernel has put there since (a
    # stack, say) is not the allocator's. So only mappings that hold blocks of some arena count.
    segments = db.rows("""
        SELECT start, "end" FROM segment s
        WHERE perms LIKE '_w%' AND EXISTS (
            SELECT 1 FROM free_block f WHERE f.address BETWEEN s.start AND s."end" - 1)""")
    starts = [a for a, _ in spans]
    live = sorted(oracle.live)
    gaps = set()
    for address in oracle.freed:
        i = bisect_right(starts, address) - 1
        if i >= 0 and address <= spans[i][1]:
            continue
        j = bisect_right(live, address) - 1
        if j >= 0 and address < live[j] + oracle.live[live[j]]:
            continue
        if any(a <= address < b for a, b in segments):
            gaps.add((i, j))
    # The tcache of a thread (not the first's: it comes before all) is a block, too, that the
    # allocator takes without asking malloc.
    assert len(gaps) < max(1, db.one("SELECT count(*) FROM thread")), (
        f"what was freed is in no free block, in the gaps behind {gaps}")


def check_marks(db, oracle):
    for address, kinds in oracle.roots.items():
        found = set(db.column("""SELECT r.kind FROM root r JOIN object o ON o.id = r.object_id
                                 WHERE o.address = ?""", address))
        # Without symbols a global is data.
        wanted = {("global", "data") if k == "global" else (k,) for k in kinds}
        for w in wanted:
            assert found & set(w), f"{address:#x}: roots {found}, not {w}"
    for address, name in oracle.types.items():
        found = db.column("""SELECT t.name FROM object o JOIN type t ON t.id = o.type_id
                             WHERE o.address = ?""", address)
        assert found and found[0].endswith(name), f"{address:#x}: type {found}, not {name}"
    for address, text in oracle.values.items():
        found = db.one("SELECT value FROM object WHERE address = ?", address)
        assert found and text in found, f"{address:#x}: value {found!r}, not {text!r}"


def check_sound(db):
    """Nothing is wrong with these dumps, and nothing may be said to be."""
    wrong = db.rows("SELECT kind, title, detail FROM finding WHERE kind LIKE '%damage%'")
    assert wrong == [], f"damage found where there is none: {wrong}"


def verify(db, oracle, marks=True):
    """Everything that the oracle knows. `marks`: what it says of single blocks, too."""
    word = int(db.meta()["word_size"])
    check_live(db, oracle)
    check_leaks(db, oracle)
    check_clusters(db, oracle)
    check_free(db, oracle, word)
    check_sound(db)
    if marks:
        check_marks(db, oracle)
