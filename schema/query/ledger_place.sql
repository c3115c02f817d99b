-- The ledger once more, by category and place, categories together. The smallest beyond :limit are one row, so
-- that the rows add up all the same. Shares are those of memory: reserved addresses hold none.
WITH total AS (SELECT sum(bytes) FILTER (WHERE category <> 'reserved') AS memory FROM ledger),
line AS (
    SELECT category, place, sum(bytes) AS bytes, count(DISTINCT segment_id) AS segments,
           sum(sum(bytes)) OVER (PARTITION BY category) AS whole
    FROM ledger GROUP BY category, place),
ranked AS (
    SELECT *, :limit < 0 OR row_number() OVER (ORDER BY bytes DESC, category, place) <= :limit AS shown
    FROM line)
SELECT category, place, line.bytes, CASE WHEN NOT reserved THEN 1.0 * line.bytes / total.memory END AS share,
       segments
FROM (SELECT category, place, bytes, segments, category = 'reserved' AS reserved, 1 AS shown, whole
      FROM ranked WHERE shown
      UNION ALL
      SELECT '(' || count(*) || ' smaller)', NULL, sum(bytes), sum(segments), 0, 0, 0
      FROM ranked WHERE NOT shown HAVING count(*) > 0) line, total
ORDER BY shown DESC, whole DESC, category, line.bytes DESC, place
