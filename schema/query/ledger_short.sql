-- The ledger for one screen: free memory and stacks by place, all else by category; the rows add up to the
-- last one, which is the size of all mappings. What is below a 200th of it goes into one row.
WITH line AS (
    SELECT CASE WHEN category IN ('free', 'stack') THEN category || ': ' || coalesce(place, '?')
                ELSE category END AS category,
           sum(bytes) AS bytes
    FROM ledger GROUP BY 1),
total AS (SELECT sum(bytes) AS bytes FROM ledger),
short AS (
    SELECT CASE WHEN line.bytes * 200 < total.bytes AND line.category <> 'live' THEN NULL
                ELSE line.category END AS category,
           line.bytes AS bytes, line.category AS one
    FROM line, total),
folded AS (
    SELECT CASE WHEN category IS NOT NULL OR count(*) = 1 THEN max(one)
                ELSE count(*) || ' smaller: ' || group_concat(one, ', ') END AS category,
           sum(bytes) AS bytes, category IS NULL AS last
    FROM (SELECT * FROM short ORDER BY bytes DESC, one) GROUP BY category)
SELECT folded.category, folded.bytes, 1.0 * folded.bytes / total.bytes AS share, last
FROM folded, total
UNION ALL
SELECT 'total', bytes, 1.0, 2 FROM total WHERE bytes IS NOT NULL
ORDER BY last, bytes DESC, category
