-- Leak, or held by the allocator: what the arenas hold, and how much of it is which. lost: nothing leads there;
-- weak: only words that may be stale do. thread_free: what the arenas besides the main one hold free.
SELECT sum(a.used_bytes) AS live, sum(a.free_bytes) AS free,
       sum(a.used_bytes + a.free_bytes + a.overhead_bytes) AS bytes,
       (SELECT coalesce(sum(bytes), 0) FROM census WHERE reachable = 0 AND arena_id IS NOT NULL) AS lost,
       (SELECT coalesce(sum(bytes), 0) FROM census
        WHERE reachable <> 0 AND grade >= 6 AND arena_id IS NOT NULL) AS weak,
       (SELECT coalesce(sum(returnable), 0) FROM trim) AS returnable,
       (SELECT coalesce(sum(written), 0) FROM trim) AS written,
       (SELECT coalesce(sum(pinned), 0) FROM trim) AS pinned,
       (SELECT count(*) FROM arena WHERE allocator = 'glibc' AND name LIKE 'thread%') AS thread_arenas,
       coalesce(sum(a.free_bytes) FILTER (WHERE a.allocator = 'glibc' AND a.name LIKE 'thread%'), 0)
           AS thread_free
FROM arena a
