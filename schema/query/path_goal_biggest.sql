-- As path_goal_type.sql, from those that the scan noted as the biggest of the type.
SELECT object_id AS id, (SELECT sum(c.objects) FROM census c JOIN type t ON t.id = c.type_id WHERE t.name = :name) AS objects
FROM biggest WHERE type_id IN (SELECT id FROM type WHERE name = :name)
ORDER BY retained DESC, object_id LIMIT 1
