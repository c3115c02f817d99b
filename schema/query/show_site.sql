-- Where an object was allocated: the line itself, then who called it.
WITH RECURSIVE up(id, step) AS (
    SELECT site_id, 0 FROM object WHERE id = :id AND site_id IS NOT NULL
    UNION ALL
    SELECT s.parent_id, step + 1 FROM up JOIN site s ON s.id = up.id
    WHERE s.parent_id IS NOT NULL AND s.parent_id < s.id)
SELECT s.id AS site_id,
       coalesce(s.function, CASE WHEN s.address IS NOT NULL THEN printf('0x%x', s.address) END) AS function,
       s.file, s.line, s.module, up.step
FROM up JOIN site s ON s.id = up.id
ORDER BY up.step
LIMIT :limit
