-- How many findings there are of each severity, as findings.sql lists them.
SELECT count(*) AS findings, coalesce(sum(severity = 'error'), 0) AS errors,
       coalesce(sum(severity = 'warning'), 0) AS warnings
FROM finding f
WHERE (NOT :odd OR NOT (kind = 'missing' AND (title LIKE '%: not found%' OR title LIKE '%, and not found')))
  AND NOT (kind = 'leak' AND EXISTS (SELECT 1 FROM known_shape)
           AND NOT EXISTS (SELECT 1 FROM open_shape s JOIN object o ON o.id = s.head_id
                           WHERE s.kind = 'leak' AND NOT s.reachable
                             AND (s.cluster_id = f.cluster_id OR o.type_id = f.type_id)))
  AND NOT (kind = 'refcount' AND EXISTS (SELECT 1 FROM known_count)
           AND NOT EXISTS (SELECT 1 FROM open_count e CROSS JOIN object o ON o.id = e.object_id
                           WHERE o.type_id IS f.type_id))
