"""The HTML page: what is in it is what the database says, and nothing in it can do harm."""

import json
import re
import sqlite3

import pytest

from heapscan import command, scan

EVIL = "</script><script>alert(1)</script><!-- &amp; \u2028 \u202e"


def page_of(db, tmp_path):
    out = tmp_path / "page.html"
    command("report", db, "-o", out)
    assert out.stat().st_mode & 0o777 == 0o600
    return out.read_text()


def data_of(page):
    found = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
    assert len(found) == 1
    return json.loads(found[0])


@pytest.fixture(scope="module")
def case(dumps, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    db = scan(dumps("sample_service").core, folder / "x.db")
    yield db
    db.close()


def test_figures(case, tmp_path):
    data = data_of(page_of(case.path, tmp_path))
    assert {r["key"]: r["value"] for r in data["meta"]} == case.meta()
    assert data["summary"][0]["objects"] == case.one("SELECT count(*) FROM object")
    assert data["summary"][0]["lost_bytes"] == case.one(
        "SELECT sum(size) FROM object WHERE reachable = 0")
    assert [f["title"] for f in data["findings"]] == case.column(
        "SELECT title FROM finding ORDER BY id LIMIT 100")
    assert data["leaks"] and data["types"] and data["biggest"] and data["arenas"]
    assert sum(r["bytes"] for r in data["places"]) == case.one("SELECT sum(bytes) FROM ledger")


def test_every_section_is_drawn(case, tmp_path):
    page = page_of(case.path, tmp_path)
    for section in data_of(page):
        if section not in ("command", "database"):
            assert re.search(rf"data\.{section}\b|\['{section}', '", page), section


def test_commands_name_the_database(case, tmp_path):
    """What the page says to run is about this database, by its real name, ready for a shell."""
    copy = tmp_path / "it's a heap.db"
    copy.write_bytes(case.path.read_bytes())
    page = page_of(copy, tmp_path)
    assert data_of(page)["database"] == "'" + str(copy).replace("'", "'\\''") + "'"
    assert "data.database" in page and any(" DB" in f["detail"] for f in data_of(page)["findings"])


def test_self_contained(case, tmp_path):
    page = re.sub(r'(?s)<script type="application/json".*?</script>', "", page_of(case.path, tmp_path))
    assert not re.search(r"""(src|href)\s*=\s*["'](?!#)|@import|url\(|fetch\(|XMLHttp""", page)
    assert "default-src 'none'" in page


def test_hostile_texts(case, tmp_path):
    copy = tmp_path / "copy.db"
    copy.write_bytes(case.path.read_bytes())
    with sqlite3.connect(copy) as sql:
        sql.execute("UPDATE meta SET value = ? WHERE key IN ('exe', 'args')", [EVIL])
        sql.execute("UPDATE finding SET title = ?, detail = ?", [EVIL, EVIL])
        sql.execute("UPDATE type SET name = ?", [EVIL])
        sql.execute("UPDATE object SET value = ?", [EVIL])
    page = page_of(copy, tmp_path)
    assert "alert(1)</script>" not in page and page.count("</script>") == 2
    data = data_of(page)
    assert data["types"][0]["type"] == EVIL
    assert {r["value"] for r in data["meta"] if r["key"] == "exe"} == {EVIL}


def test_standard_output_and_default_name(case, tmp_path):
    assert "<!DOCTYPE html>" in command("report", case.path, "-o", "-").out
    copy = tmp_path / "copy.db"
    copy.write_bytes(case.path.read_bytes())
    command("report", copy)
    assert (tmp_path / "copy.db.html").stat().st_size > 10000
