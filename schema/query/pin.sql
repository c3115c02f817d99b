-- Which live blocks keep free memory from going back, by type; where the example is held, by its path.
SELECT p.allocator, p.bytes, 1.0 * p.bytes / nullif(sum(p.bytes) OVER (), 0) AS share, p.units, p.objects,
       CASE WHEN p.objects = 0 THEN '(headers, threads'' caches)' ELSE t.name END AS type, p.size,
       o.address AS address, r.path, w.id AS owner_id, wt.name AS owner
FROM pin p LEFT JOIN type t ON t.id = p.type_id LEFT JOIN object o ON o.id = p.object_id
     LEFT JOIN retention r ON r.id = o.retention_id
     LEFT JOIN object w ON w.id = o.owner_id LEFT JOIN type wt ON wt.id = w.type_id
ORDER BY p.bytes DESC, p.allocator, p.type_id, p.size
LIMIT :limit
