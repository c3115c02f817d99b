-- What one database, attached as `dump`, has: by type, leak signature, garbage, counts, arena, memory. :step is its number.
INSERT INTO main.item (kind, key, name)
SELECT 'type', content_key(0, t.language, t.module, t.name), coalesce(t.name, '(untyped)')
FROM (SELECT DISTINCT type_id FROM dump.census) c LEFT JOIN dump.type t ON t.id = c.type_id WHERE true
ON CONFLICT DO NOTHING;
INSERT INTO main.sample (item_id, step, objects, bytes)
SELECT i.id, :step, sum(c.objects), sum(c.bytes)
FROM dump.census c LEFT JOIN dump.type t ON t.id = c.type_id
     JOIN main.item i ON i.kind = 'type' AND i.key = content_key(0, t.language, t.module, t.name)
GROUP BY i.id;

INSERT INTO main.item (kind, key, name)
SELECT DISTINCT 'leak', content_key(0, signature), coalesce(signature, '(no two alike)')
FROM dump.shape WHERE kind = 'leak' AND reachable = 0
ON CONFLICT DO NOTHING;
INSERT INTO main.sample (item_id, step, objects, bytes)
SELECT i.id, :step, sum(s.objects), sum(s.bytes)
FROM dump.shape s JOIN main.item i ON i.kind = 'leak' AND i.key = content_key(0, s.signature)
WHERE s.kind = 'leak' AND s.reachable = 0
GROUP BY i.id;

INSERT INTO main.item (kind, key, name)
SELECT DISTINCT 'garbage', content_key(0, t.language, t.module, t.name), coalesce(t.name, '(untyped)')
FROM dump.garbage g CROSS JOIN dump.object o ON o.id = g.object_id LEFT JOIN dump.type t ON t.id = o.type_id WHERE true
ON CONFLICT DO NOTHING;
INSERT INTO main.sample (item_id, step, objects, bytes)
SELECT i.id, :step, count(*), sum(o.size)
FROM dump.garbage g CROSS JOIN dump.object o ON o.id = g.object_id LEFT JOIN dump.type t ON t.id = o.type_id
     JOIN main.item i ON i.kind = 'garbage' AND i.key = content_key(0, t.language, t.module, t.name)
GROUP BY i.id;

INSERT INTO main.item (kind, key, name)
SELECT DISTINCT 'count', content_key(0, t.language, t.module, t.name), coalesce(t.name, '(untyped)')
FROM dump.refcount_error e CROSS JOIN dump.object o ON o.id = e.object_id LEFT JOIN dump.type t ON t.id = o.type_id WHERE true
ON CONFLICT DO NOTHING;
INSERT INTO main.sample (item_id, step, objects, bytes)
SELECT i.id, :step, count(*), sum(o.size)
FROM dump.refcount_error e CROSS JOIN dump.object o ON o.id = e.object_id LEFT JOIN dump.type t ON t.id = o.type_id
     JOIN main.item i ON i.kind = 'count' AND i.key = content_key(0, t.language, t.module, t.name)
GROUP BY i.id;

INSERT INTO main.arena_sample
SELECT :step, allocator, name, count(*), sum(used_bytes), sum(free_bytes), sum(overhead_bytes)
-- pymalloc's arenas are told apart by how full they are
FROM (SELECT allocator, used_bytes, free_bytes, overhead_bytes,
             CASE WHEN allocator = 'pymalloc' THEN '' ELSE coalesce(name, '') END AS name FROM dump.arena)
GROUP BY allocator, name;

-- The process's memory by category and place of the ledger; binaries' code is of no interest here, nor is what holds
-- no memory.
CREATE TEMP TABLE place AS
SELECT content_key(0, name) AS key, name, sum(bytes) AS bytes
FROM (SELECT CASE WHEN category = 'unexplained' AND place IS NOT 'pages of zeroes' THEN category
                  ELSE category || coalesce(': ' || place, '') END AS name, bytes
      FROM dump.ledger WHERE category NOT IN ('reserved', 'module', 'vdso'))
GROUP BY name;
INSERT INTO main.item (kind, key, name) SELECT 'memory', key, name FROM temp.place WHERE true ON CONFLICT DO NOTHING;
INSERT INTO main.sample (item_id, step, objects, bytes)
SELECT i.id, :step, 0, p.bytes FROM temp.place p JOIN main.item i ON i.kind = 'memory' AND i.key = p.key;
DROP TABLE temp.place;

-- Mappings that no allocator reads: these grow as a whole, since nothing is known of what is in them.
INSERT INTO main.mapping_sample
SELECT :step, s.start, s."end", s.perms, coalesce(s.name, ''),
       sum(l.bytes) FILTER (WHERE l.place IS NOT 'pages of zeroes')
FROM dump.ledger l JOIN dump.segment s ON s.id = l.segment_id
WHERE l.category IN ('unexplained', 'shared memory') OR (l.category = 'file' AND s.perms LIKE '_w%')
GROUP BY s.id
HAVING sum(l.bytes) FILTER (WHERE l.place IS NOT 'pages of zeroes') > 0;
