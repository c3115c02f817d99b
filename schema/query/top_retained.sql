-- Single objects, the most retained bytes: what would go with them first.
SELECT o.id, o.address, o.size, o.retained,
       1.0 * o.retained / (SELECT sum(bytes) FROM census) AS share,
       CASE WHEN o.reachable = 0 THEN 'no' WHEN o.grade >= 6 THEN 'weak' WHEN o.reachable = 2 THEN 'interior'
            WHEN o.reachable = 1 THEN 'yes' END AS reachable,
       t.name AS type, o.value
FROM object o LEFT JOIN type t ON t.id = o.type_id
WHERE (:min_size IS NULL OR o.size >= :min_size) AND (:max_size IS NULL OR o.size <= :max_size)
ORDER BY o.retained DESC
LIMIT :limit
