"""Where native code meets Python: faults of a C extension are found and named; what C holds rightly is not
reported."""

import json
import os
import sys
from collections import Counter
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

import native  # noqa: E402
from heapscan import command, scan  # noqa: E402
from interpreters import interpreters  # noqa: E402
from test_refs import ITS_OWN  # noqa: E402

KNOWN = [i for i in interpreters()
         if (i.version == (2, 7) or (3, 6) <= i.version) and i.word == 8
         and not (i.free_threaded or i.debug) and native.headers(i)]
if os.environ.get("SHORT"):
    KNOWN = KNOWN[-1:]

# By the name of the ring: the type at fault, and whether its code must be there to know it.
UNSEEN = {
    "blind": ("Blind", False),
    "blind and whole": ("Blind", False),
    "untracked": ("Untracked", False),
    "empty": ("Empty", True),
    "half unseen": ("Half", True),
}
SEEN = {"half seen", "whole", "whole items"}


@pytest.fixture(scope="module", params=KNOWN, ids=str)
def interpreter(request):
    return request.param


class Zoo:
    def __init__(self, folder, made, truth, modules):
        self.folder, self.made, self.truth, self.modules = folder, made, truth, modules
        self.db = scan(made.core, folder / "native.db")

    def ids(self, addresses, db=None):
        found = dict((db or self.db).rows("SELECT address, id FROM object"))
        return [found[a] for a in addresses]

    def rings(self, *names):
        return {n: [set(r) for r in self.truth["rings"][n]] for n in names or self.truth["rings"]}


@pytest.fixture(scope="module")
def zoo(interpreter, tmp_path_factory):
    folder = tmp_path_factory.mktemp("native")
    zoo = Zoo(folder, *native.run(interpreter, folder))
    yield zoo
    zoo.db.close()
    zoo.made.core.unlink()


@pytest.fixture(scope="module")
def without(zoo, tmp_path_factory):
    """The same core where the module's binary is not to be found."""
    away = tmp_path_factory.mktemp("away")
    for file in zoo.modules.glob("*.so"):
        file.rename(away / file.name)
    db = scan(zoo.made.core, zoo.folder / "without.db")
    for file in away.iterdir():
        file.rename(zoo.modules / file.name)
    yield db
    db.close()


# ---- cycles ----


def garbage(db):
    return set(db.column("SELECT o.address FROM garbage g JOIN object o ON o.id = g.object_id"))


def test_garbage(zoo):
    """Of the rings, exactly those that gc.collect() found: their types' own functions tell."""
    members = {a for name in zoo.rings() for ring in zoo.rings()[name] for a in ring}
    assert garbage(zoo.db) & members == set(zoo.truth["garbage"]) & members
    for name in SEEN:
        for ring in zoo.rings()[name]:
            assert ring <= garbage(zoo.db)


CULPRITS = """SELECT o.address, c.collectable, c.reachable, t.name, c.kind
              FROM cluster c JOIN cluster_member m ON m.cluster_id = c.id
                   JOIN object o ON o.id = m.object_id LEFT JOIN object p ON p.id = c.culprit_id
                   LEFT JOIN type t ON t.id = p.type_id"""


def culprits(db, kind):
    return {a: rest for a, *rest, k in db.rows(CULPRITS) if k == kind}


@pytest.mark.parametrize("kind", ["cycle", "leak"])
def test_unseen(zoo, kind):
    """Rings that the collector never frees, as cycles and as leaks: of that kind, with the type at fault."""
    found = culprits(zoo.db, kind)
    for name, (type_, _) in UNSEEN.items():
        for ring in zoo.rings()[name]:
            assert {tuple(found[a]) for a in ring} == {(0, 0, "native_zoo." + type_)}, name
    for name in SEEN:
        for ring in zoo.rings()[name]:
            assert {tuple(found[a]) for a in ring} == {(1, 0, None)}, name
    if kind == "cycle":
        for name in ("alive blind", "alive whole"):
            for ring in zoo.rings()[name]:
                assert {tuple(found[a])[1:] for a in ring if a in found} <= {(1, None)}


def test_unseen_findings(zoo):
    rows = zoo.db.rows("SELECT f.title, f.detail, t.name, f.severity FROM finding f "
                       "JOIN type t ON t.id = f.type_id WHERE f.kind = 'cycle-unseen'")
    wanted = Counter()
    for name, (type_, _) in UNSEEN.items():
        wanted["native_zoo." + type_] += len(zoo.rings()[name])
    assert {t: int(title.split()[0]) for title, _, t, _ in rows} == wanted
    assert {severity for *_, severity in rows} == {"warning"}
    reason = {t: detail for _, detail, t, _ in rows}
    assert "no traverse function" in reason["native_zoo.Blind"]
    assert "leaves a reference out" in reason["native_zoo.Half"]
    assert "never given to the collector" in reason["native_zoo.Untracked"]
    out = json.loads(command("cycles", zoo.db.path, "--format", "json", "--limit", "0").out)
    assert out["unseen"] == sum(wanted.values()) and out["unclear"] == 0
    assert {r["culprit"] for r in out["rows"] if r["state"] == "unseen"} == wanted.keys()
    text = command("cycles", zoo.db.path).out
    assert "unseen" in text and "native_zoo.Half" in text and "AT FAULT" in text
    assert "cannot see: native_zoo.Blind" in command("leaks", zoo.db.path, "--limit", "0").out


def test_unseen_without(zoo, without):
    """Without the type's code: certain where no code is needed, else said not to be known."""
    found = culprits(without, "cycle")
    for name, (_, code) in UNSEEN.items():
        for ring in zoo.rings()[name]:
            assert {found[a][0] for a in ring} == {None if code else 0}, name
            assert all(found[a][2] for a in ring)
    for name in SEEN:
        for ring in zoo.rings()[name]:
            assert {found[a][0] for a in ring} == {None}, name
    severities = dict(without.rows("SELECT title, severity FROM finding WHERE kind = 'cycle-unseen'"))
    assert {("may not" in title, severity) for title, severity in severities.items()} == {
        (True, "info"), (False, "warning")}
    out = json.loads(command("cycles", without.path, "--format", "json", "--limit", "0").out)
    assert (out["unseen"], out["unclear"]) == (
        sum(len(zoo.rings()[n]) for n, (_, code) in UNSEEN.items() if not code),
        sum(len(zoo.rings()[n]) for n in [*SEEN, *(n for n, (_, code) in UNSEEN.items() if code)]))


# ---- counts ----


def errors_of(db):
    return dict(db.rows("SELECT o.address, e.excess FROM refcount_error e "
                        "JOIN object o ON o.id = e.object_id"))


def hidden(db, address):
    """Words that point there by chance: what was left in memory that something else has now."""
    return db.one("""SELECT (SELECT count(*) FROM reference r JOIN object o ON o.id = r.dst
                             WHERE r.kind = 0 AND o.address = :a)
                          + (SELECT count(*) FROM root r JOIN object o ON o.id = r.object_id
                             WHERE o.address = :a)""".replace(":a", str(address)))


def test_leaked(zoo, interpreter):
    """Every leaked count, and no other; few are hidden by a word that was left over."""
    found = errors_of(zoo.db)
    leaked = zoo.truth["leaked"]
    missed = {a for a, n in leaked.items() if found.get(a) != n}
    assert all(hidden(zoo.db, a) for a in missed)
    assert len(missed) <= len(leaked) // 20
    over = {a: n for a, n in found.items() if n < 0}
    assert over.items() >= zoo.truth["over"].items()
    assert interpreter.version < (3, 9) or over.keys() == zoo.truth["over"].keys()


def test_held(zoo, without, interpreter):
    """What C holds rightly has no error, wherever it holds it; nor has what hangs below; nor anything else."""
    for db in (zoo.db, without):
        found = errors_of(db)
        for what in ("held", "below"):
            for place, addresses in zoo.truth[what].items():
                assert not [a for a in addresses if a in found], (what, place)
        if interpreter.version < (3, 9):
            continue
        names = dict(db.rows("SELECT o.address, CASE t.name WHEN 'type' THEN o.value ELSE t.name END "
                             "FROM object o JOIN type t ON t.id = o.type_id"))
        own = ITS_OWN.get(interpreter.version, ())
        assert {names.get(a) for a in found.keys() - zoo.truth["leaked"].keys()
                - zoo.truth["over"].keys()} <= set(own)


def test_refs_folded(zoo, interpreter):
    """Like ones together: by type, size and excess, with what most of them lie beside."""
    out = json.loads(command("refs", zoo.db.path, "--limit", "0", "--format", "json").out)
    found = errors_of(zoo.db)
    assert out["leaked"] == sum(n > 0 for n in found.values())
    assert out["leaked_counts"] == sum(n for n in found.values() if n > 0)
    assert out["over_released"] == sum(n < 0 for n in found.values())
    assert isinstance(out["audited"], int)
    nodes = Counter()
    for row in out["rows"]:
        if row["type"] == "__main__.Node":
            nodes[row["excess"]] += row["objects"]
    truth = Counter(zoo.truth["over"].values())
    types = dict(zoo.db.rows("SELECT o.address, t.name FROM object o JOIN type t ON t.id = o.type_id"))
    truth.update(n for a, n in zoo.truth["leaked"].items()
                 if types[a] == "__main__.Node" and found.get(a) == n)
    assert nodes == truth
    assert sum(r["objects"] for r in out["rows"]) == len(found)
    name = "str" if interpreter.version < (3,) else "bytes"
    (big,) = [r for r in out["rows"] if r["type"] == name and r["bytes"] > 50000]
    assert big["excess"] == 1 and big["size"] * big["objects"] == big["bytes"]
    beside = [r for r in out["rows"] if r["beside"]]
    assert beside and all(r["beside_objects"] <= 2 * r["objects"] for r in beside)
    assert "MOST BESIDE" in command("refs", zoo.db.path).out


def test_nothing_audited(tmp_path):
    """No Python in the dump: unknown is null, never 0."""
    db = scan(HERE.parents[1] / "sample-dumps" / "service.core.xz", tmp_path / "service.db")
    out = json.loads(command("refs", db.path, "--format", "json").out)
    assert {out[k] for k in ("audited", "leaked", "leaked_bytes", "leaked_counts", "over_released")} == {
        None}
    assert "No counts" in command("refs", db.path, "--fail-on", "refcount").out
    db.close()


# ---- what only native code keeps alive ----

LIBRARY, MODULE = "libnative_holders.so", "native_zoo.so"
# place: kinds, symbol or type, module, whether a block of C memory comes between
HOLDERS = {
    "array": ({"global"}, "holder_array", LIBRARY, False),
    "record": ({"global"}, "holder_record", LIBRARY, True),
    "tagged": ({"global"}, "holder_record", LIBRARY, True),
    "list": ({"global"}, "holder_list", LIBRARY, True),
    "vector": ({"global"}, "holder_vector", LIBRARY, True),
    "map": ({"global"}, "holder_map", LIBRARY, True),
    "global": ({"global"}, "module_global", MODULE, False),
    "table": ({"unexplained"}, None, None, False),
    "capsule": ({"object"}, "PyCapsule", None, True),
    "pair": ({"object"}, "native_zoo.Whole", None, True),
    "stack": ({"frame", "stack"}, None, None, False),
    "specific": ({"tls"}, None, None, True),
    "tls": ({"tls", "data"}, None, None, None),  # of a library that was opened: a block of the loader's
}
HELD = """SELECT o.address, h.kind, coalesce(t.name, h.name), m.path, d.direct, v.id, v.refcount, o.id
          FROM native_held d JOIN native_holder h ON h.id = d.holder_id JOIN object o ON o.id = d.object_id
               LEFT JOIN type t ON t.id = h.type_id LEFT JOIN module m ON m.id = h.module_id
               LEFT JOIN object v ON v.id = d.via_id"""


def held_of(db):
    return {address: rest for address, *rest in db.rows(HELD)}


def check_held(db, truth, symbols=True):
    found = held_of(db)
    strays = 0
    for place, (kinds, name, module, block) in HOLDERS.items():
        for address in truth["held"][place]:
            kind, name_, path, direct, via, via_count, id_ = found[address]
            if symbols or "global" not in kinds:
                assert (kind in kinds, name_) == (True, name), place
            else:
                assert (kind, name_) == ("data", None), place
            assert (path and Path(path).name) == module, place
            assert direct == 1
            if block is not None:
                assert (via is not None) == block, place
            if via:  # a block of C memory, and it does refer to the object
                assert via_count is None
                assert db.rows("SELECT 1 FROM reference WHERE src = ? AND dst = ? AND kind = 0", via, id_)
        for address in truth["below"][place]:
            kind, _, _, direct, *_ = found[address]
            if not direct:
                assert kind in kinds or not symbols, place
            else:  # by a word that was left over
                strays += 1
                assert hidden(db, address)
    assert strays <= 3
    return found


def test_native_held(zoo):
    """By holder, to the object; nothing that Python itself leads to, nor what nothing leads to."""
    found = check_held(zoo.db, zoo.truth)
    others = {*zoo.truth["leaked"], *zoo.truth["over"]}
    others |= {a for name in ("alive blind", "alive whole") for ring in zoo.rings()[name] for a in ring}
    wrong = others & found.keys()
    assert len(wrong) <= len(others) // 20
    assert all(hidden(zoo.db, a) for a in wrong)
    unreachable = set(zoo.db.column("SELECT address FROM object WHERE reachable = 0"))
    assert not unreachable & found.keys()
    mine = {a for a, (_, _, path, *_) in found.items() if path and Path(path).name in (LIBRARY, MODULE)}
    places = [p for p, (_, _, module, _) in HOLDERS.items() if module]
    direct = {a for p in places for a in zoo.truth["held"][p]}
    assert {a for a in mine if found[a][3]} == direct
    for objects, direct, rows in zoo.db.rows(
            "SELECT h.objects, h.direct, (SELECT count(*) FROM native_held d WHERE d.holder_id = h.id) "
            "FROM native_holder h"):
        assert objects == rows >= direct > 0


def test_native_finding(zoo):
    rows = zoo.db.rows("SELECT title, detail, severity, objects FROM finding WHERE kind = 'native'")
    # Memory that C has not written to yet may lead somewhere: libstdc++'s, for exceptions when there is none.
    (row,) = [r for r in rows if LIBRARY in r[0]]
    title, detail, severity, objects = row
    n = len(zoo.truth["held"]["list"])
    assert objects >= 2 * n and severity == "info"
    assert f"module {LIBRARY}, global `holder_list`, via block 0x" in title
    assert f"C code refers to {n} of them, of type dict" in detail
    out = json.loads(command("refs", zoo.db.path, "--format", "json", "--limit", "0").out)
    rows = {r["name"]: r for r in out["native"] if r["name"]}
    assert rows["holder_list"]["direct"] == n and rows["holder_list"]["module_name"] == LIBRARY
    assert rows["holder_vector"]["type"] == "dict"
    text = command("refs", zoo.db.path).out
    assert "Objects that only native code keeps alive" in text and "holder_list" in text
    text = command("show", zoo.db.path, hex(zoo.truth["held"]["vector"][3])).out
    assert f"only native code keeps it alive: holder_vector of {LIBRARY}" in text
    text = command("show", zoo.db.path, hex(zoo.truth["below"]["capsule"][3])).out
    assert "C memory of PyCapsule objects, by way of other objects" in text
    text = command("show", zoo.db.path, "--format", "json", hex(zoo.truth["over"].copy().popitem()[0])).out
    assert "native_holder" not in json.loads(text)


@pytest.mark.parametrize("interpreter", KNOWN[-1:], ids=str)
def test_healthy_stripped(tmp_path, interpreter):
    """No faults, no symbols: nothing is reported, and what C holds is still told, by module."""
    made, truth, _ = native.run(interpreter, tmp_path, "healthy", stripped=True)
    db = scan(made.core, tmp_path / "healthy.db")
    made.core.unlink()
    check_held(db, truth, symbols=False)
    # The collector is off in it, which is said; and that is all.
    assert db.rows("SELECT title FROM finding WHERE kind IN ('cycle-unseen', 'garbage') AND objects > 0") == []
    names = dict(db.rows("SELECT o.address, CASE t.name WHEN 'type' THEN o.value ELSE t.name END "
                         "FROM object o JOIN type t ON t.id = o.type_id"))
    assert {names[a] for a in errors_of(db)} <= set(ITS_OWN.get(interpreter.version, ()))
    db.close()
