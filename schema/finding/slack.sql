-- Containers that keep far more than their entries need: grown once, or emptied since.
INSERT INTO draft (kind, severity, title, detail, objects, bytes, object_id, type_id)
SELECT 'slack', 'info',
       CASE WHEN s.objects = 1
            THEN printf('%s %s: room for %,d entries, %,d in it: %s too much', s.type, coalesce(s.path, s.address),
                        s.capacity, s.used, human(s.bytes))
            ELSE printf('%,d %s at %s keep room that they do not use: %s', s.objects, s.type, coalesce(s.path, '?'),
                        human(s.bytes)) END,
       CASE WHEN s.objects = 1 THEN 'it was larger once, or grew in steps; made anew (a copy) it takes what its entries need'
            ELSE printf('room for %,d entries, %,d in them; the largest is #%d', s.capacity, s.used, s.object_id) END
       || printf('; why it is there: heapscan path DB %d; all: heapscan sql DB "SELECT * FROM savings"', s.object_id),
       s.objects, s.bytes, s.object_id, (SELECT type_id FROM saving WHERE id = s.id)
FROM savings s, (SELECT sum(bytes) AS bytes FROM census) live
WHERE s.kind = 'slack' AND s.folded IS NULL AND (s.bytes >= 1 << 20 OR (s.bytes * 20 >= live.bytes AND s.bytes >= 65536))
ORDER BY s.bytes DESC
LIMIT 3;
