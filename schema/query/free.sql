-- Free memory that the allocators hold, by the list that holds it.
SELECT f.kind, count(*) AS blocks, sum(f.size) AS bytes, max(f.size) AS biggest
FROM free_block f
GROUP BY f.kind
ORDER BY bytes DESC
