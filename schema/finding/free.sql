-- Memory that was freed and never went back to the system, by allocator: what a trim would return, and what live
-- blocks pin. Where they pin most of it, it is fragmentation, and the blocks that do it are named.
INSERT INTO draft (kind, severity, title, detail, objects, bytes, object_id, type_id)
SELECT iif(f.pinned * 2 >= f.bytes, 'fragmentation', 'free'),
       iif(f.bytes >= 16777216 AND f.bytes * 2 >= f.total, 'warning', 'info'),
       printf('%s are free inside %s: %d %% of its memory, in %,d blocks%s', human(f.bytes), f.called,
              100 * f.bytes / f.total, f.blocks,
              iif(f.pinned * 2 >= f.bytes, printf(', and %s of it cannot go back: live blocks are between', human(f.pinned)), '')),
       coalesce(CASE WHEN f.pinned * 2 >= f.bytes
                     THEN (SELECT printf('%s of it pinned by %,d %s%s; ', human(p.bytes), p.objects,
                                         coalesce(short_name(t.name) || ' objects', 'blocks of ' || p.size || ' bytes', 'blocks of various sizes'),
                                         coalesce(' (one is at ' || r.path || ')', ''))
                           FROM pin p LEFT JOIN type t ON t.id = p.type_id LEFT JOIN object o ON o.id = p.object_id
                                LEFT JOIN retention r ON r.id = o.retention_id
                           WHERE p.allocator = f.allocator AND p.objects > 0 ORDER BY p.bytes DESC, p.size LIMIT 1) END, '')
       || CASE f.allocator WHEN 'glibc'
               THEN coalesce(printf('malloc_trim(0) would return %s (%s of it once written to)%s; ', human(f.returnable), human(f.written),
                                    iif(f.pinned * 2 < f.bytes, printf(', %s stay, pinned by live blocks', human(f.pinned)), '')), '')
               ELSE '' END
       || iif(f.thread_free * 2 >= f.bytes, printf('%s of it in %,d arenas of threads: fewer of them (MALLOC_ARENA_MAX) share it; ',
                                                   human(f.thread_free), f.thread_arenas), '')
       || 'by place and by who pins it: heapscan memory DB',
       f.blocks, f.bytes,
       iif(f.pinned * 2 >= f.bytes, (SELECT object_id FROM pin p WHERE p.allocator = f.allocator AND p.objects > 0
                                     ORDER BY p.bytes DESC, p.size LIMIT 1), NULL), NULL
FROM (SELECT a.allocator, CASE a.allocator WHEN 'glibc' THEN 'malloc' WHEN 'pymalloc' THEN 'Python''s allocator' ELSE a.allocator END AS called,
             sum(a.free_bytes) AS bytes, sum(a.used_bytes + a.free_bytes + a.overhead_bytes) AS total,
             coalesce(sum(b.blocks), 0) AS blocks, sum(t.returnable) AS returnable, sum(t.written) AS written, coalesce(sum(t.pinned), 0) AS pinned,
             count(*) FILTER (WHERE a.name LIKE 'thread%') AS thread_arenas,
             coalesce(sum(a.free_bytes) FILTER (WHERE a.name LIKE 'thread%'), 0) AS thread_free
      FROM arena a LEFT JOIN trim t ON t.arena_id = a.id
           LEFT JOIN (SELECT arena_id, count(*) AS blocks FROM free_block GROUP BY arena_id) b ON b.arena_id = a.id
      GROUP BY a.allocator) f
WHERE f.bytes >= 1048576 AND (f.bytes * 4 >= f.total OR f.bytes >= 16777216);
