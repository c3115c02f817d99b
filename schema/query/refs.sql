-- Counts that the references do not explain, by type, size and difference: the most bytes first.
WITH fold AS (
    SELECT o.type_id, o.size, e.excess, count(*) AS objects, sum(o.size) AS bytes,
           min(e.object_id) AS object_id
    FROM refcount_error e JOIN object o ON o.id = e.object_id LEFT JOIN type t ON t.id = o.type_id
    WHERE :type IS NULL OR t.name REGEXP :type
    GROUP BY o.type_id, o.size, e.excess)
SELECT CASE WHEN f.excess > 0 THEN 'leaked' ELSE 'over-released' END AS state, f.objects, f.bytes, f.size,
       f.excess, t.name AS type, o.address, f.object_id, o.value
FROM fold f JOIN object o ON o.id = f.object_id LEFT JOIN type t ON t.id = f.type_id
ORDER BY f.excess > 0, f.bytes DESC, f.object_id
LIMIT :limit
