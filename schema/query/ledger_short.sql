-- The ledger for one screen: free memory, stacks and pages of zeroes by place, all else by category; the rows add up to the
-- last one, which is the size of all mappings. The tenth and further ones, and what is below a 200th, go
-- into one row. Reserved addresses hold no memory: they come last, and make no other row look small; shares
-- are those of the memory.
WITH line AS (
    SELECT CASE WHEN category IN ('free', 'stack') OR place = 'pages of zeroes' THEN category || ': ' || coalesce(place, '?')
                ELSE category END AS category,
           category = 'reserved' AS reserved, sum(bytes) AS bytes
    FROM ledger GROUP BY 1, 2),
total AS (SELECT sum(bytes) AS bytes, coalesce(sum(bytes) FILTER (WHERE NOT reserved), 0) AS memory
          FROM line),
ranked AS (
    SELECT line.*, row_number() OVER (ORDER BY reserved, line.bytes DESC, category) AS place,
           line.bytes * 200 < total.memory AS small
    FROM line, total),
folded AS (
    SELECT CASE WHEN reserved THEN 'reserved addresses, without memory' ELSE category END AS category,
           bytes, reserved * 2 AS part
    FROM ranked WHERE reserved OR category = 'live' OR (place < 10 AND NOT small)
    UNION ALL
    SELECT CASE count(*) WHEN 1 THEN max(category)
                ELSE count(*) || ' smaller: ' || group_concat(category, ', ') END, sum(bytes), 1
    FROM (SELECT * FROM ranked WHERE NOT (reserved OR category = 'live' OR (place < 10 AND NOT small))
          ORDER BY place)
    HAVING count(*) > 0)
SELECT folded.category, folded.bytes, CASE WHEN part <> 2 THEN 1.0 * folded.bytes / total.memory END AS share, part
FROM folded, total
UNION ALL
SELECT 'total', bytes, 1.0, 3 FROM total WHERE bytes IS NOT NULL
ORDER BY part, bytes DESC, category
