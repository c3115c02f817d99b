-- Live objects by the arena that their blocks are of.
WITH total AS (SELECT sum(bytes) AS bytes FROM census)
SELECT c.arena_id, a.allocator, a.name, sum(c.objects) AS objects, sum(c.bytes) AS bytes,
       1.0 * sum(c.bytes) / total.bytes AS share,
       1.0 * sum(sum(c.bytes)) OVER (ORDER BY sum(c.bytes) DESC, c.arena_id ROWS UNBOUNDED PRECEDING) / total.bytes
           AS cumulative,
       coalesce(sum(c.bytes) FILTER (WHERE c.reachable = 0), 0) AS unreachable_bytes
FROM census c LEFT JOIN arena a ON a.id = c.arena_id LEFT JOIN type t ON t.id = c.type_id, total
WHERE (:type IS NULL OR t.name REGEXP :type)
      AND (:min_size IS NULL OR c.size >= :min_size) AND (:max_size IS NULL OR c.size <= :max_size)
GROUP BY c.arena_id
ORDER BY sum(c.bytes) DESC, c.arena_id
LIMIT :limit
