-- The ledger once more, by category and place.
WITH total AS (SELECT sum(bytes) AS bytes FROM ledger)
SELECT category, place, sum(ledger.bytes) AS bytes,
       1.0 * sum(ledger.bytes) / total.bytes AS share, count(DISTINCT segment_id) AS segments
FROM ledger, total
GROUP BY category, place
ORDER BY sum(sum(ledger.bytes)) OVER (PARTITION BY category) DESC, category, 3 DESC, place
LIMIT :limit
