-- Where an object was allocated: the line itself, then who called it.
WITH RECURSIVE up(id, step) AS (
    SELECT site_id, 0 FROM object WHERE id = :id AND site_id IS NOT NULL
    UNION ALL
    SELECT s.parent_id, step + 1 FROM up JOIN site s ON s.id = up.id WHERE s.parent_id IS NOT NULL)
SELECT s.id AS site_id, s.function, s.file, s.line, s.module, up.step
FROM up JOIN site s ON s.id = up.id
ORDER BY up.step
LIMIT :limit
