-- Objects of one type, those that hold the most first.
SELECT o.id, o.address, o.size, o.retained, o.reachable, o.value
FROM object o
WHERE o.type_id = :type_id
ORDER BY o.retained DESC, o.id
LIMIT :limit
