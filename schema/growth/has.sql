-- Which tables the database attached as `dump` has that not all have, and that have rows.
SELECT (SELECT count(*) FROM dump.sqlite_schema WHERE type = 'table' AND name = 'retention') AS retention,
       (SELECT count(*) FROM dump.sqlite_schema WHERE type = 'table' AND name = 'site') AS site
