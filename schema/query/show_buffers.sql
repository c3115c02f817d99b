-- The buffers that are part of an object.
SELECT o.id, o.address, o.size, t.name AS type, o.value
FROM object o LEFT JOIN type t ON t.id = o.type_id
WHERE o.owner_id = :id
ORDER BY o.id
LIMIT :limit
