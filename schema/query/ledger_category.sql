-- Every byte of every mapping, by category; the rows add up to the last one. Shares are those of memory:
-- reserved addresses hold none.
WITH total AS (SELECT sum(bytes) AS bytes, sum(bytes) FILTER (WHERE category <> 'reserved') AS memory FROM ledger)
SELECT category, bytes, share, segments
FROM (SELECT category, sum(ledger.bytes) AS bytes,
             CASE WHEN category <> 'reserved' THEN 1.0 * sum(ledger.bytes) / total.memory END AS share,
             count(DISTINCT segment_id) AS segments
      FROM ledger, total GROUP BY category ORDER BY 2 DESC)
UNION ALL
SELECT 'total', bytes, 1.0, (SELECT count(*) FROM segment) FROM total WHERE bytes IS NOT NULL
