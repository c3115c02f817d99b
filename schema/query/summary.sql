-- The figures of the first screen in one row. Lost for certain: nothing in the dump leads there. Weak: only
-- words that may be stale do (grade 6: stack words of no frame, 7: mappings that nobody explains).
SELECT coalesce(sum(objects), 0) AS objects,
       coalesce(sum(bytes), 0) AS bytes,
       coalesce(sum(objects) FILTER (WHERE reachable = 0), 0) AS lost_objects,
       coalesce(sum(bytes) FILTER (WHERE reachable = 0), 0) AS lost_bytes,
       coalesce(sum(objects) FILTER (WHERE reachable <> 0 AND grade >= 6), 0) AS weak_objects,
       coalesce(sum(bytes) FILTER (WHERE reachable <> 0 AND grade >= 6), 0) AS weak_bytes,
       coalesce(sum(objects) FILTER (WHERE reachable = 2), 0) AS interior_objects,
       coalesce(sum(bytes) FILTER (WHERE reachable = 2), 0) AS interior_bytes,
       coalesce(sum(bytes) FILTER (WHERE arena_id IS NULL), 0) AS module_bytes,
       (SELECT count(*) FROM free_block) AS free_objects,
       (SELECT coalesce(sum(bytes), 0) FROM ledger WHERE category = 'free') AS free_bytes,
       (SELECT count(*) FROM arena) AS arenas,
       (SELECT count(*) FROM thread) AS threads,
       (SELECT coalesce(sum(clusters), 0) FROM shape WHERE kind = 'leak' AND reachable = 0) AS leak_clusters,
       (SELECT coalesce(sum(clusters), 0) FROM shape WHERE kind = 'cycle' AND reachable = 0) AS lost_cycles,
       (SELECT count(*) FROM refcount_error) AS refcount_errors,
       (SELECT coalesce(sum("end" - start), 0) FROM segment) AS mapped_bytes,
       (SELECT count(*) FROM segment) AS segments,
       (SELECT coalesce(sum(bytes), 0) FROM ledger WHERE category = 'reserved') AS reserved_bytes,
       (SELECT coalesce(sum(bytes), 0) FROM ledger) AS ledger_bytes
FROM census
