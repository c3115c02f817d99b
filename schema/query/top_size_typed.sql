-- As top_size.sql, for --type: by way of the objects of those types, which may be none of the biggest.
SELECT o.id, o.address, o.size, o.retained,
       1.0 * o.size / (SELECT sum(bytes) FROM census) AS share,
       CASE WHEN o.reachable = 0 THEN 'no' WHEN o.grade >= 6 THEN 'weak' WHEN o.reachable = 2 THEN 'interior'
            WHEN o.reachable = 1 THEN 'yes' END AS reachable,
       t.name AS type, o.value
FROM object o LEFT JOIN type t ON t.id = o.type_id
WHERE o.type_id IN (SELECT id FROM type WHERE name REGEXP :type)
      AND (:min_size IS NULL OR o.size >= :min_size) AND (:max_size IS NULL OR o.size <= :max_size)
ORDER BY +o.size DESC, o.retained DESC, o.id
LIMIT :limit
