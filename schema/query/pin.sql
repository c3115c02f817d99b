-- Which live blocks keep free memory from going back, by type.
SELECT p.allocator, p.bytes, 1.0 * p.bytes / nullif(sum(p.bytes) OVER (), 0) AS share, p.units, p.objects,
       CASE WHEN p.objects = 0 THEN '(headers, threads'' caches)' ELSE t.name END AS type, p.size,
       o.address AS address
FROM pin p LEFT JOIN type t ON t.id = p.type_id LEFT JOIN object o ON o.id = p.object_id
ORDER BY p.bytes DESC, p.allocator, p.type_id, p.size
LIMIT :limit
