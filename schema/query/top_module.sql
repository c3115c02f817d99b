-- Live objects by the library or package that their type comes from.
WITH total AS (SELECT sum(bytes) AS bytes FROM census)
SELECT t.module, count(DISTINCT c.type_id) AS types, sum(c.objects) AS objects,
       sum(c.bytes) AS bytes, 1.0 * sum(c.bytes) / total.bytes AS share,
       1.0 * sum(sum(c.bytes)) OVER (ORDER BY sum(c.bytes) DESC, t.module ROWS UNBOUNDED PRECEDING) / total.bytes
           AS cumulative,
       CASE WHEN count(c.reachable) THEN coalesce(sum(c.bytes) FILTER (WHERE c.reachable = 0), 0) END
           AS unreachable_bytes
FROM census c LEFT JOIN type t ON t.id = c.type_id, total
WHERE (:type IS NULL OR t.name REGEXP :type)
      AND (:min_size IS NULL OR c.size >= :min_size) AND (:max_size IS NULL OR c.size <= :max_size)
GROUP BY t.module
ORDER BY sum(c.bytes) DESC, t.module
LIMIT :limit
