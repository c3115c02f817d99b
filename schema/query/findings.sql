-- What is worth a person's time, and what was odd about the dump; with :odd without files that the screen lists.
-- What --suppress and --baseline know in whole is left out.
SELECT id, severity, kind, title, detail, objects, bytes, address, object_id, cluster_id
FROM finding f
WHERE (NOT :odd OR NOT (kind = 'missing' AND (title LIKE '%: not found%' OR title LIKE '%, and not found')))
  AND NOT (kind = 'leak' AND EXISTS (SELECT 1 FROM known_shape)
           AND NOT EXISTS (SELECT 1 FROM open_shape s JOIN object o ON o.id = s.head_id
                           WHERE s.kind = 'leak' AND NOT s.reachable
                             AND (s.cluster_id = f.cluster_id OR o.type_id = f.type_id)))
  AND NOT (kind = 'refcount' AND EXISTS (SELECT 1 FROM known_count)
           AND NOT EXISTS (SELECT 1 FROM open_count e CROSS JOIN object o ON o.id = e.object_id
                           WHERE o.type_id IS f.type_id))
ORDER BY CASE severity WHEN 'error' THEN 0 WHEN 'warning' THEN 1 ELSE 2 END, id
LIMIT :limit
