-- Mappings, or parts of them, that no allocator, stack or module explains.
SELECT s.start, s."end", s.perms, s.kind, l.place, l.bytes, s.name
FROM ledger l JOIN segment s ON s.id = l.segment_id
WHERE l.category = 'unexplained'
ORDER BY l.bytes DESC, s.start
LIMIT :limit
