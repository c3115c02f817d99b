-- What is worth a person's time, and what was odd about the dump; with :odd without files that the screen lists.
SELECT id, severity, kind, title, detail, objects, bytes, address, object_id, cluster_id
FROM finding
WHERE NOT :odd OR NOT (kind = 'missing' AND title LIKE '%: not found%')
ORDER BY CASE severity WHEN 'error' THEN 0 WHEN 'warning' THEN 1 ELSE 2 END, id
LIMIT :limit
