-- Bytes that could be saved: equal texts and buffers, containers with room to spare. What else there is, in one row.
WITH line AS (
    SELECT *, :limit < 0 OR (folded IS NULL AND row_number() OVER (ORDER BY folded IS NOT NULL, bytes DESC, id) <= :limit)
              AS shown
    FROM savings)
SELECT bytes, 1.0 * bytes / nullif((SELECT sum(bytes) FROM census), 0) AS share, kind, objects, size, capacity, used,
       form, CASE WHEN folded IS NULL THEN coalesce(type, '(untyped)') ELSE '(' || folded || ' smaller)' END AS type,
       value, path, there, address
FROM (SELECT *, 0 AS part FROM line WHERE shown
      UNION ALL
      SELECT NULL, kind, sum(bytes), sum(objects), NULL, sum(capacity), sum(used), NULL, NULL, NULL, NULL,
             sum(coalesce(folded, 1)), NULL, NULL, NULL, 0, 1
      FROM line WHERE NOT shown GROUP BY kind)
ORDER BY part, folded IS NOT NULL, bytes DESC, id
