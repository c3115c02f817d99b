-- How many ids of objects there are, and whether somebody counts references.
SELECT coalesce(max(id), 0) AS last_id, EXISTS (SELECT 1 FROM meta WHERE key = 'python_version') AS python FROM object
