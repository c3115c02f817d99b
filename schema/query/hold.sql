-- Two rows: while it stands at the first, the database is being read, and other queries need not lock it anew.
SELECT name FROM sqlite_schema LIMIT 2
