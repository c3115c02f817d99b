-- What the root word at an address points to.
SELECT r.kind, r.name, o.id, o.address, o.size, t.name AS type, o.value
FROM root r JOIN object o ON o.id = r.object_id LEFT JOIN type t ON t.id = o.type_id
WHERE r.address = (:address & ~7) OR r.address = :address
LIMIT 1
