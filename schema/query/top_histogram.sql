-- Live objects by size, in powers of two.
WITH RECURSIVE step (low, high) AS (
    SELECT 0, 15
    UNION ALL
    SELECT high + 1, 2 * high + 1 FROM step
    WHERE high < (SELECT max(size) FROM census) AND high < 0x3fffffffffffffff),
total AS (SELECT sum(bytes) AS bytes FROM census),
r AS (SELECT s.low, s.high, sum(c.objects) AS objects, sum(c.bytes) AS bytes
      FROM census c JOIN step s ON c.size BETWEEN s.low AND s.high LEFT JOIN type t ON t.id = c.type_id
      WHERE (:type IS NULL OR t.name REGEXP :type)
      AND (:min_size IS NULL OR c.size >= :min_size) AND (:max_size IS NULL OR c.size <= :max_size)
      GROUP BY s.low)
SELECT r.low, r.high, r.objects, r.bytes, 1.0 * r.bytes / total.bytes AS share,
       1.0 * sum(r.bytes) OVER (ORDER BY r.low) / total.bytes AS cumulative,
       CASE WHEN 40 * r.bytes >= max(r.bytes) OVER ()
            THEN substr('########################################', 1, 40 * r.bytes / max(r.bytes) OVER ())
            WHEN r.bytes > 0 THEN '.' END AS bar
FROM r, total
ORDER BY r.low
