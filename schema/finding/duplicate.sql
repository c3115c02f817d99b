-- Texts and buffers that are there more than once: one copy would do. The contents that are worth most, and their sum.
INSERT INTO draft (kind, severity, title, detail, objects, bytes, object_id, type_id)
SELECT 'duplicate', 'info',
       printf('%,d copies of %s: one would do, %s less', s.objects,
              CASE WHEN s.value IS NULL THEN printf('%s of %s bytes', CASE WHEN s.type IS NULL THEN 'a block'
                                                                      ELSE 'one ' || s.type END, printf('%,d', s.size))
                   ELSE printf('%s (%s)', iif(s.type = 'bytes', s.value, printf('''%s''', s.value)), s.type) END,
              human(s.bytes)),
       coalesce(printf('%s at %s; ', CASE WHEN s.there = s.objects THEN 'all' WHEN 2 * s.there > s.objects THEN 'most'
                                     ELSE printf('%,d', s.there) END, s.path), '')
       || printf('why one of them is there: heapscan path DB %d; all: heapscan sql DB "SELECT * FROM savings"', s.object_id),
       s.objects, s.bytes, s.object_id, (SELECT type_id FROM saving WHERE id = s.id)
FROM savings s, (SELECT sum(bytes) AS bytes FROM census) live
WHERE s.kind = 'duplicate' AND s.folded IS NULL AND (s.bytes >= 1 << 20 OR (s.bytes * 20 >= live.bytes AND s.bytes >= 65536))
ORDER BY s.bytes DESC
LIMIT 3;

INSERT INTO draft (kind, severity, title, detail, objects, bytes)
SELECT 'duplicate', 'info',
       printf('%s are equal texts and buffers: one copy of each would do, %.3g %% of what is live', human(sum(s.bytes)),
              100.0 * sum(s.bytes) / live.bytes),
       printf('%,d objects have %,d different contents; by type %s; the list: heapscan memory DB', sum(s.objects),
              sum(coalesce(s.folded, 1)),
              (SELECT group_concat(part, ', ')
               FROM (SELECT printf('%s %s', coalesce(type, iif(folded IS NULL, 'untyped', 'various')), human(sum(bytes))) AS part
                     FROM savings WHERE kind = 'duplicate' GROUP BY type, folded IS NULL ORDER BY sum(bytes) DESC LIMIT 3))),
       sum(s.objects), sum(s.bytes)
FROM saving s, (SELECT sum(bytes) AS bytes FROM census) live
WHERE s.kind = 'duplicate'
HAVING count(*) > 1 AND sum(s.bytes) >= 65536 AND (sum(s.bytes) >= 1 << 20 OR sum(s.bytes) * 20 >= live.bytes);
