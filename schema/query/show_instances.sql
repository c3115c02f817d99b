-- Objects of one type, those that hold the most first.
SELECT o.id, o.address, o.size, o.retained, o.reachable, o.value,
       CASE o.reachable WHEN 0 THEN 'no' WHEN 1 THEN 'yes' WHEN 2 THEN 'interior' END AS reachable_name
FROM object o
WHERE o.type_id = :type_id
ORDER BY o.retained DESC, o.id
LIMIT :limit
