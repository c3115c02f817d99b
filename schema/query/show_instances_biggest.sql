-- As show_instances.sql, from those that the scan noted as the biggest of the type: for limits up to
-- meta.biggest_each.
SELECT o.id, o.address, o.size, o.retained, o.reachable, o.value,
       CASE o.reachable WHEN 0 THEN 'no' WHEN 1 THEN 'yes' WHEN 2 THEN 'interior' END AS reachable_name
FROM object o
WHERE o.id IN (SELECT object_id FROM biggest WHERE type_id = :type_id ORDER BY retained DESC, object_id LIMIT :limit)
ORDER BY o.retained DESC, o.id
