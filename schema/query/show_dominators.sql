-- Who has to go for it to go: its dominators, the nearest first.
WITH RECURSIVE chain (id, step) AS (
    SELECT dominator_id, 1 FROM object WHERE id = :id AND dominator_id IS NOT NULL
    UNION ALL
    SELECT o.dominator_id, step + 1 FROM chain JOIN object o ON o.id = chain.id
    WHERE o.dominator_id IS NOT NULL AND step < 1000)
SELECT chain.step, o.id, o.address, o.size, o.retained, t.name AS type, o.value
FROM chain JOIN object o ON o.id = chain.id LEFT JOIN type t ON t.id = o.type_id
ORDER BY chain.step
LIMIT :limit
