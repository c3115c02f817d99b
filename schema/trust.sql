-- How far a database can be trusted: facts for meta, once its tables are complete. Shares are fractions of 1.
INSERT INTO meta (key, value)
SELECT 'trust_typed_share', printf('%.4f', 1.0 * sum(bytes) FILTER (WHERE type_id IS NOT NULL) / sum(bytes))
FROM census HAVING sum(bytes) > 0 AND (SELECT value FROM meta WHERE key = 'kind') IS NOT 'trace';

INSERT INTO meta (key, value)
SELECT 'trust_named_roots_share', printf('%.4f', 1.0 * count(name) / count(*))
FROM root WHERE grade < 6 HAVING count(*) > 0;

-- What the process could write to and the dump does not have: pointers there were not seen.
INSERT INTO meta (key, value)
SELECT 'trust_missing_bytes', coalesce(sum(l.bytes), 0)
FROM ledger l JOIN segment s ON s.id = l.segment_id
WHERE l.category = 'missing from the dump' AND s.perms LIKE '_w_'
HAVING (SELECT count(*) FROM segment) > 0;

INSERT INTO meta (key, value)
SELECT 'trust_unexplained_bytes', coalesce(sum(bytes), 0) FROM ledger WHERE category = 'unexplained' AND place IS NOT 'pages of zeroes'
HAVING (SELECT count(*) FROM ledger) > 0;

INSERT INTO meta (key, value)
SELECT 'trust_arenas', count(*) FROM arena WHERE system_bytes IS NOT NULL HAVING count(*) > 0;

INSERT INTO meta (key, value)
SELECT 'trust_arenas_agree', count(*) FILTER (WHERE used_bytes + free_bytes + overhead_bytes = system_bytes)
FROM arena WHERE system_bytes IS NOT NULL HAVING count(*) > 0;

INSERT INTO meta (key, value)
SELECT 'trust_binaries', count(*) FROM module WHERE path IS NOT NULL HAVING count(*) > 0;

INSERT INTO meta (key, value)
SELECT 'trust_binaries_missing', (length(value) - length(replace(value, char(10), ''))) + 1
FROM meta WHERE key = 'missing_files' AND value <> '';

-- Of python_nameless_types: the share of Python's objects that is of them.
INSERT INTO meta (key, value)
SELECT 'trust_nameless_share', printf('%.4f', 1.0 * n.value / o.value)
FROM meta n, meta o WHERE n.key = 'python_nameless_objects' AND o.key = 'python_objects' AND o.value > 0;

INSERT INTO meta (key, value)
SELECT 'trust_damage', count(*) FROM finding WHERE kind IN ('heap-damage', 'dump-damage', 'runtime-damage') HAVING count(*) > 0;
