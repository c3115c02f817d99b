-- Live objects by where they were allocated, as the process or a trace recorded it: bytes asked for.
WITH total AS (SELECT sum(live_bytes) AS bytes FROM site)
SELECT s.id AS site_id, s.live_objects AS objects, s.live_bytes AS bytes,
       1.0 * s.live_bytes / total.bytes AS share, s.function, s.file, s.line, s.module,
       coalesce(p.function || ' ', '') || coalesce(p.file || coalesce(':' || p.line, ''), '') AS caller
FROM site s LEFT JOIN site p ON p.id = s.parent_id, total
WHERE s.live_objects > 0
ORDER BY s.live_bytes DESC, s.id
LIMIT :limit
