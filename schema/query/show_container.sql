-- What is known of the room that a container has; :id is the container, or the block of its entries.
SELECT c.form, c.capacity, c.used, c.bytes, c.header, c.holder_id, coalesce(c.form, t.name) AS name,
       iif(coalesce(c.form, 'hash table') <> 'hash table', 'bytes', 'entries') AS unit
FROM container c JOIN object o ON o.id = c.object_id LEFT JOIN type t ON t.id = o.type_id
WHERE c.object_id = :id
