"""Age: dicts by their last write, as the program that wrote to them knows it."""

import json
import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

import dump as dumper  # noqa: E402
from heapscan import command, scan  # noqa: E402
from interpreters import interpreters  # noqa: E402

PROGRAM = HERE / "programs" / "written.py"
KNOWN = [i for i in interpreters() if i.word == 8 and not (i.free_threaded or i.debug)]
if os.environ.get("SHORT"):
    KNOWN = [i for i in KNOWN if i.version <= (3, 13)][-1:]


@pytest.fixture(scope="module", params=KNOWN, ids=str)
def written(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("written") / "run"
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    made = dumper.run(folder, [*request.param.command, PROGRAM], request.param.path, env=env)
    db = scan(made.core, folder / "written.db")
    made.core.unlink()
    yield db, [int(a) for a in made.truth.read_text().split()], request.param.version
    db.close()


ORDER = "SELECT o.address FROM written w JOIN object o ON o.id = w.object_id ORDER BY w.id"


def test_order(written):
    db, truth, version = written
    found = db.column(ORDER)
    if not (3, 6) <= version <= (3, 13):
        assert found == []  # no clock, before and since
        assert "No dicts" in command("top", db.path, "--by", "age").out
        return
    known = set(truth)
    assert len(known) == 700
    assert [a for a in found if a in known] == truth
    dicts = set(db.column("SELECT o.address FROM object o JOIN type t ON t.id = o.type_id "
                          "WHERE t.name IN ('dict', 'collections.defaultdict', "
                          "'collections.OrderedDict')"))
    assert len(found) == len(set(found))
    assert dicts <= set(found)


def test_commands(written):
    db, truth, version = written
    if not (3, 6) <= version <= (3, 13):
        pytest.skip("has no clock")
    out = json.loads(command("top", db.path, "--by", "age", "--limit", "0", "--type", "^dict$",
                             "--format", "json").out)
    ages = [r["age"] for r in out["rows"]]
    assert ages == sorted(ages) and 0 <= ages[0] and ages[-1] < 1
    assert "AGE" in command("top", db.path, "--by", "age").out
    text = command("show", db.path, hex(truth[-1])).out
    share = float(text.split("later than ")[1].split(" %")[0])
    rank, n = db.rows("SELECT w.id, (SELECT max(id) FROM written) FROM written w JOIN object o "
                      "ON o.id = w.object_id WHERE o.address = ?", truth[-1])[0]
    assert abs(share - 100 * (rank - 1) / n) < 0.06
