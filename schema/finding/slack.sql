-- Containers that keep far more than their entries need: grown once, or emptied since.
INSERT INTO draft (kind, severity, title, detail, objects, bytes, object_id, type_id)
SELECT 'slack', 'info',
       CASE WHEN s.objects = 1
            THEN printf('%s %s: room for %,d %s, %,d in it: %s too much', s.type, coalesce(s.path, s.address),
                        s.capacity, u.unit, s.used, human(s.bytes))
            ELSE printf('%,d %s at %s keep room that they do not use: %s', s.objects,
                        s.type || iif(s.form IS NULL, '', 's'), coalesce(s.path, '?'), human(s.bytes)) END,
       CASE WHEN s.form = 'hash table' THEN 'it had more entries once, or room was reserved; rehash(0) gives it back: '
            WHEN s.form = 'buffer' THEN 'it was larger once, or grew in steps: '
            WHEN s.form IS NOT NULL THEN 'it was larger once, grew in steps or was reserved; shrink_to_fit() gives it back: '
            ELSE 'it was larger once, or grew in steps; made anew (a copy) it takes what its entries need: ' END
       || printf('room for %,d %s, %,d in use; the largest is #%d', s.capacity, u.unit, s.used, s.object_id)
       || printf('; why it is there: heapscan path DB %d; all: heapscan sql DB "SELECT * FROM savings"', s.object_id),
       s.objects, s.bytes, s.object_id, (SELECT type_id FROM saving WHERE id = s.id)
FROM savings s, (SELECT sum(bytes) AS bytes FROM census) live,
     (SELECT column1 AS is_bytes, column2 AS unit FROM (VALUES (1, 'bytes'), (0, 'entries'))) u
WHERE u.is_bytes = (coalesce(s.form, 'hash table') <> 'hash table') AND s.kind = 'slack' AND s.folded IS NULL
      AND (s.bytes >= 1 << 20 OR (s.bytes * 20 >= live.bytes AND s.bytes >= 65536))
ORDER BY s.bytes DESC
LIMIT 3;

-- Of many small ones no one is worth a line.
INSERT INTO draft (kind, severity, title, detail, objects, bytes)
SELECT 'slack', 'info',
       printf('%s are room that %,d containers keep and do not use: %.3g %% of what is live', human(sum(s.bytes)), sum(s.objects),
              100.0 * sum(s.bytes) / live.bytes),
       printf('by type %s; the list: heapscan memory DB',
              (SELECT group_concat(part, ', ')
               FROM (SELECT printf('%s %s', coalesce(type, iif(folded IS NULL, 'untyped', 'various')), human(sum(bytes))) AS part
                     FROM savings WHERE kind = 'slack' GROUP BY type, folded IS NULL ORDER BY sum(bytes) DESC LIMIT 3))),
       sum(s.objects), sum(s.bytes)
FROM saving s, (SELECT sum(bytes) AS bytes FROM census) live
WHERE s.kind = 'slack'
HAVING sum(s.objects) > 1 AND sum(s.bytes) >= 65536 AND (sum(s.bytes) >= 1 << 20 OR sum(s.bytes) * 10 >= live.bytes)
       -- one of them is nearly all of it
       AND sum(s.bytes) * 4 > 5 * coalesce((SELECT max(bytes) FROM draft WHERE kind = 'slack'), 0);
