-- Live objects by who holds them: the type of the holder and the step from it, on the way that path would show. Bytes
-- with the buffers of the objects. A partition: what nothing leads to, and what no way was found to, have rows, too.
WITH total AS (SELECT sum(bytes) AS bytes FROM census),
held AS (SELECT p.type_id AS holder_id, n.parent_id IS NULL AS root, n.step, n.type_id, n.objects, n.bytes, n.path,
                n.object_id
         FROM retention n LEFT JOIN retention p ON p.id = n.parent_id
         WHERE n.objects > 0 OR n.bytes > 0),
r AS (SELECT iif(h.root, '(a root)', coalesce(ht.name, '(untyped)')) AS holder, iif(h.root, NULL, h.step) AS step,
             CASE WHEN min(coalesce(h.type_id, 0)) = max(coalesce(h.type_id, 0)) THEN coalesce(t.name, '(untyped)')
                  ELSE '(various)' END AS type,
             sum(h.objects) AS objects, sum(h.bytes) AS bytes, max(h.bytes) AS most, h.path, h.object_id
      FROM held h LEFT JOIN type t ON t.id = h.type_id LEFT JOIN type ht ON ht.id = h.holder_id
      WHERE :type IS NULL OR t.name REGEXP :type
      GROUP BY h.root, h.holder_id, iif(h.root, NULL, h.step)
      UNION ALL
      SELECT '(nothing)', NULL, '(various)', sum(c.objects), sum(c.bytes), NULL, NULL, NULL
      FROM census c LEFT JOIN type t ON t.id = c.type_id
      WHERE c.reachable = 0 AND (:type IS NULL OR t.name REGEXP :type)
      HAVING count(*) > 0)
SELECT r.holder, r.step, r.type, r.objects, r.bytes, 1.0 * r.bytes / total.bytes AS share,
       1.0 * sum(r.bytes) OVER (ORDER BY r.bytes DESC, r.holder, r.step ROWS UNBOUNDED PRECEDING) / total.bytes
           AS cumulative,
       r.path, r.object_id
FROM r, total
ORDER BY r.bytes DESC, r.holder, r.step
LIMIT :limit
