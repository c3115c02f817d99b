"""show: what any address is, and what the words of a block mean (tests/programs/show_words.c)."""

import json
import re

import pytest

from heapscan import command, scan


def show(db, what, *options):
    return json.loads(command("show", db.path, what, *options, "--format", "json").out)


@pytest.fixture
def process(dumps, db_path):
    db = scan(dumps("show_words").core, db_path)
    block = db.one("""SELECT r.object_id FROM root r WHERE r.name = 'words'""")
    return db, block


def test_words(process):
    db, block = process
    target = db.one("SELECT object_id FROM root WHERE name = 'target'")
    words = show(db, block)["words"]
    assert [w["offset"] for w in words] == list(range(0, 8 * len(words), 8))
    kinds = [w["kind"] for w in words[:10]]
    assert kinds == ["object", "stack", "module", "module", "free", "number", "text", "number", "other",
                     "number"]
    meaning = [w["meaning"] for w in words]
    assert words[0]["object_id"] == target and "+16" in meaning[0]
    assert re.search(r"^stack of thread 1, frame \d+ holder\(\)$", meaning[1])
    assert meaning[2] == words[2]["symbol"] == "holder"
    assert meaning[3] == "some_global+0x8"
    assert meaning[4].startswith("free block at 0x")
    assert meaning[5] == "12345" and meaning[6] == 'text "abcdefgh"'
    assert meaning[7] == "0" and meaning[8] == "no address" and meaning[9] == "-7"
    text = command("show", db.path, block).out
    assert "some_global+0x8" in text and "stack of thread" in text


def test_any_address(process):
    """The words of the block, each asked for itself."""
    db, block = process
    word = [w["word"] for w in show(db, block)["words"]]
    said = show(db, word[0])
    assert (said["what"], said["offset"]) == ("object", 16)
    said = show(db, word[1])
    assert said["segment_kind"] == "stack" and said["frame_function"] == "holder"
    assert said["frame_thread"] == 1
    text = command("show", db.path, word[1]).out
    assert re.search(r"^Frame +\d+ of thread \d+: holder", text, re.M)
    said = show(db, word[2])
    assert said["what"] == "mapping" and said["symbol"] == "holder"
    assert show(db, word[3])["symbol"] == "some_global+0x8"
    said = show(db, hex(int(word[4], 16) + 3))
    assert said["what"] == "free" and said["size"] >= 5000
    for nothing in (word[5], word[8]):
        assert show(db, nothing)["what"] == "nothing"


def test_place(process):
    """Neighbours are the blocks before and behind, in the order of addresses."""
    db, _ = process
    target = db.one("SELECT object_id FROM root WHERE name = 'target'")
    assert {n["place"]: n["id"] for n in show(db, target)["neighbours"]} == {
        "before": target - 1, "behind": target + 1}
