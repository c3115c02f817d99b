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
