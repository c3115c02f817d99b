-- Single objects, the most bytes first.
SELECT o.id, o.address, o.size, o.retained,
       1.0 * o.size / (SELECT sum(bytes) FROM census) AS share,
       CASE WHEN o.reachable = 0 THEN 'no' WHEN o.grade >= 6 THEN 'weak' WHEN o.reachable = 2 THEN 'interior'
            WHEN o.reachable = 1 THEN 'yes' END AS reachable,
       t.name AS type, o.value
FROM object o LEFT JOIN type t ON t.id = o.type_id
WHERE o.size BETWEEN coalesce(:min_size, 0) AND coalesce(:max_size, 0x7fffffffffffffff)
ORDER BY o.size DESC
LIMIT :limit
