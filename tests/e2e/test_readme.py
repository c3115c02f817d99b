"""The README's SQL examples: each ```sql block runs, by heapscan and by the stock library, with the
extension where the block uses a function of heapscan's own."""

import re
import sqlite3

import pytest

from build import BUILD, TOP
from heapscan import SANITIZED, command, scan

README = (TOP / "README.md").read_text()
BLOCKS = re.findall(r"^```sql\n(.*?)^```", README, re.M | re.S)
OWN = re.compile(r"\bREGEXP\b|\b(addr|human|hex|object_at|path_to|retained_set|referrers_of|regexp\w*)\s*\(", re.I)


def test_there_are_examples():
    assert len(BLOCKS) >= 3


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_sql(dumps, db_path, number):
    query = BLOCKS[number]
    db = scan(dumps("sample_service").core, db_path)
    command("sql", db_path, query)
    with sqlite3.connect(db.path) as stock:
        if OWN.search(query):
            if SANITIZED:  # its runtime cannot be loaded into another program
                return
            stock.enable_load_extension(True)
            stock.load_extension(str(BUILD / "heapscan.so"))
        try:
            for statement in filter(str.strip, query.split(";")):
                stock.execute(statement).fetchall()
        except sqlite3.OperationalError as e:
            raise AssertionError(f"the stock library: {e}: {query}") from None
