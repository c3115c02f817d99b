-- What was odd about the dump, and what is worth a person's time; with :odd without what is lost, which
-- the screen has told by then, and without files that it lists.
SELECT id, severity, kind, title, detail, objects, bytes, address, object_id, cluster_id
FROM finding
WHERE NOT :odd OR (kind NOT IN ('leak', 'cycle', 'weak')
      AND NOT (kind = 'missing' AND title LIKE '%: not found%'))
ORDER BY CASE severity WHEN 'error' THEN 0 WHEN 'warning' THEN 1 ELSE 2 END, id
LIMIT :limit
