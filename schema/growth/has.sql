-- What the database attached as `dump` has that not all have. A trace knows nothing of references.
SELECT (SELECT count(*) FROM dump.sqlite_schema WHERE type = 'table' AND name = 'retention')
       AND (SELECT value FROM dump.meta WHERE key = 'kind') IS NOT 'trace' AS retention,
       (SELECT value FROM dump.meta WHERE key = 'kind') IS 'trace' AS trace,
       (SELECT count(*) FROM dump.sqlite_schema WHERE type = 'table' AND name = 'site') AS site
