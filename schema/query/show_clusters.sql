-- The clusters that an object is in.
SELECT c.id, c.kind, c.reachable, c.objects, c.bytes, c.head_id, h.address AS head_address
FROM cluster_member m JOIN cluster c ON c.id = m.cluster_id LEFT JOIN object h ON h.id = c.head_id
WHERE m.object_id = :id
ORDER BY c.kind DESC, c.id
LIMIT :limit
