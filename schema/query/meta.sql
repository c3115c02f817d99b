-- One fact about the dump.
SELECT value FROM meta WHERE key = :key
