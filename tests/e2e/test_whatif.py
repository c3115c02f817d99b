"""What if it were gone: against a copy of the process that frees it, and asks the system."""

import json

import pytest

from conftest import short
from heapscan import command, scan, verify

SEEDS = range(1, 3 if short() else 5)


# Not i686, not static: there a small number may have the value of an address, and hold what would go.
@pytest.mark.parametrize("variant", ["gcc-O2"] if short() else ["gcc-O2", "clang-O2"])
@pytest.mark.parametrize("seed", SEEDS)
def test_cache(dumps, db_path, seed, variant):
    dump = dumps("whatif_cache", variant, args=[str(seed)])
    oracle = dump.oracle
    db = scan(dump.core, db_path)
    verify(db, oracle)
    assert oracle.gone and oracle.given
    head = db.one("SELECT id FROM object WHERE address = ?", cache_address(db, oracle))
    rows = json.loads(command("sql", db.path, f"""
        SELECT o.address FROM retained_set({head}) r JOIN object o ON o.id = r.object_id""",
                              "--format", "json").out)["rows"]
    assert {row["address"] for row in rows} == oracle.gone
    found = what_if(db, head)
    assert found["complete"] == 1
    assert found["objects"] == len(oracle.gone)
    assert found["bytes"] == sum(oracle.live[a] for a in oracle.gone)
    assert found["returned"] == oracle.given
    # A search that was stopped says so, and no more than the truth.
    part = what_if(db, head, 100)
    assert part["complete"] == 0
    assert part["bytes"] == found["bytes"]
    assert part["objects"] <= 100 and part["returned"] <= found["returned"]


def test_cut(dumps, db_path):
    """The variable's reference frees it all; one to what another variable holds, too, frees nothing."""
    dump = dumps("whatif_cache", args=["1"])
    db = scan(dump.core, db_path)
    head = cache_address(db, dump.oracle)
    report = json.loads(command("path", db.path, hex(head), "--cut", "--format", "json").out)
    (cut,) = report["cuts"]
    assert cut["others"] == 0 and cut["complete"] == 1
    for row in (cut["objects"], report["freed_objects"]):
        assert row == len(dump.oracle.gone)
    assert cut["returned"] == report["returned"] == dump.oracle.given
    assert report["dominator_id"] is None and len(report["shared_by"]) == 1
    # Of a label in the cache and in `labels`.
    shared = db.one("""SELECT r.object_id FROM root r JOIN reference e ON e.dst = r.object_id
                       WHERE r.name LIKE 'labels%' LIMIT 1""")
    report = json.loads(command("path", db.path, shared, "--cut", "--format", "json").out)
    assert report["freed_objects"] == 1
    assert len(report["shared_by"]) == 2
    cuts = [c for c in report["cuts"] if c["id"] == shared]
    assert cuts and all(c["others"] == 1 and c["bytes"] == 0 for c in cuts)
    assert "1 more holds it" in command("path", db.path, shared, "--cut").out


@pytest.mark.parametrize("seed", SEEDS[:2])
def test_reference(dumps, db_path, seed):
    """One reference, all of a pair, one variable: what a copy that cut it had to free, and the system then got."""
    dump = dumps("whatif_reference", args=[str(seed)])
    oracle = dump.oracle
    db = scan(dump.core, db_path)
    verify(db, oracle)
    assert len(oracle.cuts) == 24
    kinds = set()
    for cut in oracle.cuts.values():
        report = cut_reference(db, cut)
        assert report["cut_complete"] == 1 and report["waiting_objects"] is None
        for what, truth in (("freed_objects", "objects"), ("freed_bytes", "bytes"), ("returned", "given")):
            assert report[what] == cut[truth], (what, cut)
        assert (report["others"] > 0) == (cut["objects"] == 0)
        assert len(report["holders"]) == report["others"]
        kinds.add((cut["how"], cut["objects"] > 0, len(report["references"]) > 1))
        assert report["object_id"] == db.one("SELECT id FROM object WHERE address = ?", cut["to"])
    assert {how for how, *_ in kinds} == {"slot", "pair", "root"}
    assert {freed for _, freed, _ in kinds} == {True, False}


def cut_reference(db, cut):
    """By the command, the reference named as it wants it; SQL says the same of a single one."""
    if cut["how"] == "root":
        id_, name = db.rows("SELECT id, name FROM root WHERE address = ?", cut["at"])[0]
        words, query = [f"--cut={name}"], f"what_if_root({id_})"
    elif cut["how"] == "pair":
        words, query = [hex(cut["to"]), f"--cut={cut['at']:#x}"], None
    else:
        src, row, name = db.rows("""SELECT r.src, r.rowid, r.name FROM reference r JOIN object o ON o.id = r.src
                                    WHERE o.address = ? AND r.offset = ?""", cut["at"], cut["offset"])[0]
        name = name or f"->+{cut['offset']}"
        words, query = [f"--cut=#{src}{name}"], f"what_if_reference({row})"
    report = json.loads(command("path", db.path, *words, "--format", "json").out)
    if query:
        (row,) = json.loads(command("sql", db.path, f"SELECT * FROM {query}", "--format", "json").out)["rows"]
        assert [row[c] for c in ("objects", "bytes", "returned", "others")] == [
            report[c] for c in ("freed_objects", "freed_bytes", "returned", "others")]
    return report


def test_reference_words(dumps, db_path):
    """What was not understood is told, and what is no reference."""
    db = scan(dumps("whatif_cache", args=["1"]).core, db_path)
    entry, src, name = db.rows("""SELECT e.dst, e.src, e.name FROM root r JOIN reference e ON e.src = r.object_id
                                  WHERE r.name = 'cache' ORDER BY e.offset LIMIT 1""")[0]
    for words, why in (
            (["--cut=nosuch"], "nothing here is called 'nosuch'"),
            (["--cut=cache.nosuch"], "there is 'cache', but it has no '.nosuch'"),
            (["--cut=#99999999"], "nothing here is called '#99999999'"),
            ([f"--cut=#{src}"], f"'#{src}' is an object and no reference"),
            ([f"#{src}", f"--cut=#{entry}"], f"'#{entry}' (#{entry}) does not refer to #{src}"),
            (["--cut=cache->next{40}->+8"], "written once for many ({40}) are not read back"),
            (["--cut"], "too few operands"),
            ([], "too few operands"),
            ([f"#{entry}", "--cut=cache", "--dot"], "without --dot"),
            (["nosuch", "--cut=cache"], "'nosuch' is no object's address")):
        assert why in command("path", db.path, *words, status=1).err
    # The same reference by all its names.
    names = [["--cut=cache" + (name or "->+0")], [f"#{entry}", "--cut=cache"], [str(entry), f"--cut={src}"],
             [f"--cut=#{src}->#{entry}"], [f"cache{name or '->+0'}", f"--cut=#{src}"]]
    answers = [command("path", db.path, *words, "--format", "json").out for words in names]
    assert len(set(answers)) == 1, answers
    assert json.loads(answers[0])["object_id"] == entry
    # The object, too.
    shown = [command("show", db.path, what).out for what in (f"#{entry}", "cache" + (name or "->+0"))]
    assert shown[0] == shown[1]


def cache_address(db, oracle):
    """The one block that goes and that a root holds."""
    return db.one("""SELECT o.address FROM root r JOIN object o ON o.id = r.object_id
                     WHERE r.name = 'cache'""")


def what_if(db, id_, budget=1000000):
    out = command("sql", db.path, f"SELECT * FROM what_if({id_}, {budget})", "--format", "json").out
    (row,) = json.loads(out)["rows"]
    return row
