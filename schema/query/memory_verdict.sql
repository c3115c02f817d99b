-- Leak, or held by the allocator: what the arenas hold, and how much of it is which. lost: nothing leads there;
-- weak: only words that may be stale do. thread_free: what the arenas besides the main one hold free.
-- unread: what nobody explains, but for pages of zeroes; own: all that the process could write to, and did.
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
           AS thread_free,
       (SELECT coalesce(sum(bytes), 0) FROM ledger
        WHERE category = 'unexplained' AND place IS NOT 'pages of zeroes') AS unread,
       (SELECT coalesce(sum(l.bytes), 0) FROM ledger l JOIN segment s ON s.id = l.segment_id
        WHERE s.perms LIKE '_w%' AND l.category <> 'reserved' AND l.place IS NOT 'pages of zeroes') AS own
FROM arena a
