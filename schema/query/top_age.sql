-- Dicts, those that were written to last first. age: the share of all that was written to later.
WITH total AS (SELECT max(id) AS n FROM written)
SELECT w.id AS written, 1.0 * (total.n - w.id) / total.n AS age, o.id, o.address, o.retained, t.name AS type,
       o.value, r.path
FROM total, written w CROSS JOIN object o ON o.id = w.object_id LEFT JOIN type t ON t.id = o.type_id
     LEFT JOIN retention r ON r.id = o.retention_id
WHERE :type IS NULL OR t.name REGEXP :type
ORDER BY w.id DESC
LIMIT :limit
