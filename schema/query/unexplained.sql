-- Mappings, or parts of them, that no allocator, stack or module explains; of each how much holds more than zeroes.
SELECT s.start, s."end", s.perms, s.kind, max(l.place) FILTER (WHERE l.place IS NOT 'pages of zeroes') AS place,
       sum(l.bytes) AS bytes, coalesce(sum(l.bytes) FILTER (WHERE l.place IS NOT 'pages of zeroes'), 0) AS written, s.name
FROM ledger l JOIN segment s ON s.id = l.segment_id
WHERE l.category = 'unexplained'
GROUP BY s.id
ORDER BY written DESC, sum(l.bytes) DESC, s.start
LIMIT :limit
