-- Retention paths: parents, which are a __dict__, whose keys are attributes of the parent, and the other side's id.
SELECT r.id, r.parent_id, r.step LIKE '%.\_\_dict\_\_' ESCAPE '\', o.id
FROM new.retention r LEFT JOIN old.retention o ON o.key = r.key
ORDER BY r.id
