-- Where a search for paths begins: the object of a type that holds the most (of `objects` such).
SELECT id, (SELECT sum(c.objects) FROM census c JOIN type t ON t.id = c.type_id WHERE t.name = :name) AS objects
FROM object WHERE type_id IN (SELECT id FROM type WHERE name = :name)
ORDER BY retained DESC, id LIMIT 1
