-- One object: all that is known of it in one row.
SELECT o.id, o.address, coalesce(o.block, o.address) AS block, o.size, t.name AS type, t.language,
       t.module AS type_module, o.value, o.owner_id, o.refcount, o.reachable, o.grade,
       CASE o.grade WHEN 1 THEN 'global' WHEN 2 THEN 'data' WHEN 3 THEN 'tls' WHEN 4 THEN 'frame'
                    WHEN 5 THEN 'register' WHEN 6 THEN 'stack' WHEN 7 THEN 'unexplained' END AS grade_name,
       o.retained, o.dominator_id, o.arena_id, o.site_id, a.allocator, a.name AS arena, a.address AS arena_address,
       (SELECT max(id) FROM written WHERE object_id = :id) AS written, (SELECT max(id) FROM written) AS writes,
       (SELECT count(*) FROM reference r WHERE r.src = o.id) AS referent_count,
       (SELECT count(*) FROM reference r WHERE r.dst = o.id) AS referrer_count,
       (SELECT count(*) FROM object b WHERE b.owner_id = o.id) AS buffer_count,
       (SELECT count(*) FROM root r WHERE r.object_id = o.id) AS root_count
FROM object o LEFT JOIN type t ON t.id = o.type_id LEFT JOIN arena a ON a.id = o.arena_id
WHERE o.id = :id
