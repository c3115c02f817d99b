-- As top_retained.sql, for --type, --min-size and --max-size, from those that the scan noted as the biggest of their
-- type and size: for limits up to meta.biggest_each.
SELECT o.id, o.address, o.size, o.retained,
       1.0 * o.retained / (SELECT sum(bytes) FROM census) AS share,
       CASE WHEN o.reachable = 0 THEN 'no' WHEN o.grade >= 6 THEN 'weak' WHEN o.reachable = 2 THEN 'interior'
            WHEN o.reachable = 1 THEN 'yes' END AS reachable,
       t.name AS type, o.value
FROM object o LEFT JOIN type t ON t.id = o.type_id
WHERE o.id IN (SELECT object_id FROM biggest
               WHERE (:type IS NULL OR type_id IN (SELECT id FROM type WHERE name REGEXP :type))
                     AND size BETWEEN coalesce(:min_size, 0) AND coalesce(:max_size, 0x7fffffffffffffff)
               ORDER BY retained DESC, object_id LIMIT :limit)
ORDER BY o.retained DESC, o.id
LIMIT :limit
