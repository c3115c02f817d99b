-- Retention paths: parents, which are a __dict__, whose keys are attributes of the parent, and their keys.
SELECT id, parent_id, step LIKE '%.\_\_dict\_\_' ESCAPE '\', key
FROM retention ORDER BY id
