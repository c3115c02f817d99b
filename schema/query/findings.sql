-- What was odd about the dump, and what is worth a person's time.
SELECT id, severity, kind, title, detail, objects, bytes, address, object_id, cluster_id
FROM finding
ORDER BY CASE severity WHEN 'error' THEN 0 WHEN 'warning' THEN 1 ELSE 2 END, id
LIMIT :limit
