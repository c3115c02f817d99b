-- Objects that no other object dominates, by type; those without one by their size. What they retain is every live
-- byte once.
WITH total AS (SELECT sum(bytes) AS bytes FROM census),
r AS (SELECT t.name AS type, t.language, t.module, c.type_id, sum(c.tops) AS objects, sum(c.tops * c.size) AS bytes,
             sum(c.tops_retained) AS retained, CASE WHEN min(c.size) = max(c.size) THEN min(c.size) END AS size
      FROM census c LEFT JOIN type t ON t.id = c.type_id
      WHERE c.tops > 0 AND (:type IS NULL OR t.name REGEXP :type)
      AND (:min_size IS NULL OR c.size >= :min_size) AND (:max_size IS NULL OR c.size <= :max_size)
      GROUP BY c.type_id, CASE WHEN c.type_id IS NULL THEN c.size END)
SELECT r.type, r.language, r.module, r.objects, r.bytes, r.retained, 1.0 * r.retained / total.bytes AS share,
       1.0 * sum(r.retained) OVER (ORDER BY r.retained DESC, r.type_id, r.size ROWS UNBOUNDED PRECEDING) / total.bytes
           AS cumulative,
       r.size
FROM r, total
ORDER BY r.retained DESC, r.type_id, r.size
LIMIT :limit
