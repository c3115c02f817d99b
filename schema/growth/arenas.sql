-- Arenas in the first and the last dump: what they hold in all (the high water mark), and how much of it is free.
SELECT allocator, name, sum(arenas) FILTER (WHERE step = n) - coalesce(sum(arenas) FILTER (WHERE step = 1), 0) AS arenas,
       coalesce(sum(total) FILTER (WHERE step = n), 0) - coalesce(sum(total) FILTER (WHERE step = 1), 0) AS bytes,
       coalesce(sum(used_bytes) FILTER (WHERE step = n), 0)
       - coalesce(sum(used_bytes) FILTER (WHERE step = 1), 0) AS used_bytes,
       coalesce(sum(free_bytes) FILTER (WHERE step = n), 0)
       - coalesce(sum(free_bytes) FILTER (WHERE step = 1), 0) AS free_bytes,
       sum(total) FILTER (WHERE step = 1) AS old_bytes, sum(total) FILTER (WHERE step = n) AS new_bytes,
       max(total) AS high_bytes,
       1.0 * sum(free_bytes) FILTER (WHERE step = 1) / nullif(sum(total) FILTER (WHERE step = 1), 0) AS old_free_share,
       1.0 * sum(free_bytes) FILTER (WHERE step = n) / nullif(sum(total) FILTER (WHERE step = n), 0) AS new_free_share
FROM (SELECT *, used_bytes + free_bytes + overhead_bytes AS total, (SELECT max(step) FROM main.dump) AS n
      FROM main.arena_sample)
GROUP BY allocator, name
HAVING bytes <> 0 OR used_bytes <> 0 OR free_bytes <> 0
ORDER BY bytes DESC, allocator, name
LIMIT :limit
