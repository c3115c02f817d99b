-- What the database attached as `dump` is of. A trace knows nothing of references.
SELECT (SELECT value FROM dump.meta WHERE key = 'kind') IS 'trace' AS trace
