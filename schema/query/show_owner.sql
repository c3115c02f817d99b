-- The object that a buffer is part of.
SELECT w.id, w.address, t.name AS type, w.value
FROM object o JOIN object w ON w.id = o.owner_id LEFT JOIN type t ON t.id = w.type_id
WHERE o.id = :id
