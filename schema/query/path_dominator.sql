-- The object that all ways to another lead through; NULL: there is none, and something holds it. in_module: it is
-- part of this binary's data, where nothing needs to hold it.
SELECT o.dominator_id, d.address, d.retained, t.name AS type,
       CASE WHEN o.arena_id IS NULL THEN
            (SELECT replace(m.path, rtrim(m.path, replace(m.path, '/', '')), '')
             FROM root x JOIN module m ON m.id = x.module_id
             WHERE x.object_id = o.id AND x.address = o.address LIMIT 1) END AS in_module
FROM object o LEFT JOIN object d ON d.id = o.dominator_id LEFT JOIN type t ON t.id = d.type_id
WHERE o.id = :id AND o.reachable <> 0
