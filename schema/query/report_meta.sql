-- Facts about the dump.
SELECT key, value FROM meta ORDER BY key
