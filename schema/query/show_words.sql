-- What words of memory can mean: (offset, value, symbol, text). :id is the object whose words they are, if any.
WITH w AS (SELECT key AS position, json_extract(value, '$[0]') AS offset, json_extract(value, '$[1]') AS word,
                  json_extract(value, '$[2]') AS symbol, json_extract(value, '$[3]') AS text
           FROM json_each(:words)),
-- Read once: an object may have references by the hundred thousand.
n AS MATERIALIZED (SELECT offset, max(name) AS name FROM reference
                   WHERE src = :id AND offset BETWEEN (SELECT min(offset) FROM w) AND (SELECT max(offset) FROM w)
                   GROUP BY offset),
k AS (SELECT w.*, CASE WHEN w.word <> 0 THEN coalesce(
                 (SELECT iif(w.word < coalesce(o.block, o.address) + o.size, o.id, NULL) FROM object o
                  WHERE o.address <= w.word ORDER BY o.address DESC LIMIT 1),
                 (SELECT iif(o.block <= w.word, o.id, NULL) FROM object o
                  WHERE o.address > w.word ORDER BY o.address LIMIT 1)) END AS object_id,
             CASE WHEN w.word <> 0 THEN (SELECT iif(w.word < f.address + f.size, f.address, NULL) FROM free_block f
                                         WHERE f.address <= w.word ORDER BY f.address DESC LIMIT 1) END AS free,
             (SELECT s.id FROM segment s WHERE s.start <= w.word AND w.word < s."end" LIMIT 1) AS segment_id,
             (SELECT n.name FROM n WHERE n.offset = w.offset) AS name
      FROM w)
SELECT k.offset, k.word, k.object_id, k.symbol, k.name,
       CASE WHEN k.object_id IS NOT NULL THEN 'object'
            WHEN k.free IS NOT NULL THEN 'free'
            WHEN fr.thread_id IS NOT NULL OR s.kind = 'stack' THEN 'stack'
            WHEN k.symbol IS NOT NULL OR s.module_id IS NOT NULL THEN 'module'
            WHEN k.segment_id IS NOT NULL THEN 'mapping'
            WHEN k.text IS NOT NULL THEN 'text'
            WHEN k.word BETWEEN -1048576 AND 0x7fffffff THEN 'number'
            ELSE 'other' END AS kind,
       coalesce(k.name || ' ', '') ||
       CASE WHEN k.object_id IS NOT NULL
            THEN '#' || o.id || coalesce(' ' || t.name, '') ||
                 iif(k.word <> o.address, printf(' %+d', k.word - o.address), '') || coalesce(' ' || o.value, '') ||
                 iif(c.form IS NULL, '', printf('; %s: %,d of %,d %s in use', c.form, c.used, c.capacity,
                                                iif(c.form <> 'hash table', 'bytes', 'entries')))
            WHEN k.free IS NOT NULL
            THEN 'free block at ' || printf('0x%x', k.free) || ' (' || f.kind || ')'
            WHEN fr.thread_id IS NOT NULL
            THEN 'stack of thread ' || fr.thread_id || ', frame ' || fr.depth || coalesce(' ' || fr.function || '()', '')
            WHEN s.kind = 'stack' THEN 'stack'
            WHEN k.symbol IS NOT NULL THEN k.symbol
            WHEN s.module_id IS NOT NULL
            THEN replace(m.path, rtrim(m.path, replace(m.path, '/', '')), '') || printf('+0x%x', k.word - m.base)
            WHEN k.segment_id IS NOT NULL THEN 'mapping ' || s.kind || coalesce(' ' || s.name, '')
            WHEN k.text IS NOT NULL THEN 'text "' || k.text || '"'
            WHEN k.word BETWEEN -1048576 AND 0x7fffffff THEN CAST(k.word AS TEXT)
            ELSE 'no address' END AS meaning
FROM k LEFT JOIN object o ON o.id = k.object_id LEFT JOIN type t ON t.id = o.type_id
     LEFT JOIN container c ON c.object_id = k.object_id
          AND c.header = k.offset + (SELECT coalesce(block, address) FROM object WHERE id = :id)
     LEFT JOIN free_block f ON f.address = k.free LEFT JOIN segment s ON s.id = k.segment_id
     LEFT JOIN module m ON m.id = s.module_id
     LEFT JOIN frame fr ON (fr.thread_id, fr.depth) IN (
          SELECT x.thread_id, x.depth FROM frame x
          WHERE k.segment_id IS NOT NULL AND x.sp <= k.word AND k.word < x.cfa LIMIT 1)
ORDER BY k.position
