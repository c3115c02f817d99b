-- Paths that hold the most, with what is held through them.
SELECT r.all_bytes, 1.0 * r.all_bytes / nullif((SELECT sum(bytes) FROM census), 0) AS share, r.all_objects, r.objects,
       t.name AS type, r.path
FROM retention r LEFT JOIN type t ON t.id = r.type_id
ORDER BY r.all_bytes DESC, r.id
LIMIT :limit
