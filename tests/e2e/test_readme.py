"""The README's SQL examples: each ```sql block runs, by heapscan and, where it uses none of heapscan's own
functions, by the stock library too."""

import re
import sqlite3

import pytest

from build import TOP
from heapscan import command, scan

README = (TOP / "README.md").read_text()
BLOCKS = re.findall(r"^```sql\n(.*?)^```", README, re.M | re.S)
OWN = re.compile(r"\bREGEXP\b|\b(addr|human|hex|regexp\w*)\s*\(", re.I)


def test_there_are_examples():
    assert len(BLOCKS) >= 3


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_sql(dumps, db_path, number):
    query = BLOCKS[number]
    db = scan(dumps("sample_service").core, db_path)
    command("sql", db_path, query)
    if not OWN.search(query):
        try:
            with sqlite3.connect(db.path) as stock:
                for statement in filter(str.strip, query.split(";")):
                    stock.execute(statement).fetchall()
        except sqlite3.OperationalError as e:
            raise AssertionError(f"the stock library: {e}: {query}") from None
