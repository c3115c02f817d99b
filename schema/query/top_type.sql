-- Live objects by type; those without one by their size. retained: of all objects of the type;
-- in a database from before there was such a column the name is that of older.
WITH total AS (SELECT sum(bytes) AS bytes FROM census)
SELECT t.name AS type, t.language, t.module, sum(c.objects) AS objects, sum(c.bytes) AS bytes,
       1.0 * sum(c.bytes) / total.bytes AS share,
       1.0 * sum(sum(c.bytes)) OVER (ORDER BY sum(c.bytes) DESC, c.type_id, c.size ROWS UNBOUNDED PRECEDING) / total.bytes
           AS cumulative,
       CASE WHEN min(c.size) = max(c.size) THEN min(c.size) END AS size,
       CASE WHEN :min_size IS NULL AND :max_size IS NULL
            THEN (SELECT retained FROM (SELECT * FROM type WHERE id = c.type_id)) END AS retained,
       CASE WHEN count(c.reachable) THEN coalesce(sum(c.bytes) FILTER (WHERE c.reachable = 0), 0) END
           AS unreachable_bytes
FROM census c LEFT JOIN type t ON t.id = c.type_id, total, (SELECT NULL AS retained) AS older
WHERE (:type IS NULL OR t.name REGEXP :type)
      AND (:min_size IS NULL OR c.size >= :min_size) AND (:max_size IS NULL OR c.size <= :max_size)
GROUP BY c.type_id, CASE WHEN c.type_id IS NULL THEN c.size END
ORDER BY sum(c.bytes) DESC, c.type_id, c.size
LIMIT :limit
