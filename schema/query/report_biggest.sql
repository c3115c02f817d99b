-- Objects that nothing but roots holds, by what would go with them.
SELECT o.retained, 1.0 * o.retained / nullif((SELECT sum(bytes) FROM census), 0) AS share, o.size, o.address, o.id,
       t.name AS type, r.path, o.value
FROM object o LEFT JOIN type t ON t.id = o.type_id LEFT JOIN retention r ON r.id = o.retention_id
WHERE o.dominator_id IS NULL AND o.retained IS NOT NULL
ORDER BY o.retained DESC, o.id
LIMIT :limit
