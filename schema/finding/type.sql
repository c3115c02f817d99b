-- One type that is most of the memory, and where most of its objects are. A class of the program's own (Python's with
-- a module before its name, C++'s) is worth it sooner than a str or dict, of which every process of its language is made,
-- and counts with what goes with it.
INSERT INTO draft (kind, severity, title, detail, objects, bytes, type_id)
SELECT 'type', 'info',
       iif(d.weight > d.bytes, printf('%,d %s objects hold %s, %.3g %% of what is live (%s their own)', d.objects, short_name(t.name),
                                      human(d.weight), 100.0 * d.weight / live.bytes, human(d.bytes)),
           printf('%,d %s objects are %.3g %% of what is live (%s)', d.objects, short_name(t.name), 100.0 * d.bytes / live.bytes,
                  human(d.bytes))),
       iif(d.lost * 10 >= d.bytes, printf('nothing leads to %d %% of these bytes: heapscan leaks DB; ', 100 * d.lost / d.bytes), '')
       || coalesce((SELECT printf('%d %% of them at %s; ', 100 * r.objects / d.objects, r.path) FROM retention r
                 WHERE r.type_id = d.type_id AND r.objects * 10 >= d.objects ORDER BY r.objects DESC LIMIT 1), '')
       || printf('the biggest: heapscan top DB --by retained --type ''^%s$''', p.pattern),
       d.objects, d.weight, d.type_id
FROM (SELECT c.type_id, c.objects, c.bytes, c.lost, c.own, iif(c.own, max(c.bytes, coalesce(c.retained, 0)), c.bytes) AS weight
      FROM (SELECT c.type_id, sum(c.objects) AS objects, sum(c.bytes) AS bytes,
                   coalesce(sum(c.bytes) FILTER (WHERE c.reachable = 0), 0) AS lost, t.retained,
                   (t.language = 'python' AND t.name LIKE '%.%'
                    AND t.name NOT IN ('abc.ABCMeta', 'enum.EnumMeta', 'enum.EnumType')) OR t.language = 'C++' AS own
            FROM census c JOIN type t ON t.id = c.type_id GROUP BY c.type_id) c) d
     JOIN type t ON t.id = d.type_id
     -- what a regular expression or a shell would take for something else: any character
     JOIN (SELECT id, replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(name, '(', '.'), ')', '.'), '*', '.'), '[', '.'), ']', '.'), '+', '.'), '?', '.'), '{', '.'), '}', '.'), '|', '.'), '$', '.'), '''', '.')
           AS pattern FROM type) p ON p.id = t.id, (SELECT sum(bytes) AS bytes FROM census) live
WHERE d.objects >= 100 AND (d.bytes * 10 >= live.bytes * 4 AND d.bytes >= 65536
                            -- a container that has most of what is live tells more
                            AND NOT EXISTS (SELECT 1 FROM draft WHERE kind = 'holder' AND bytes * 2 >= live.bytes)
                            OR d.own AND d.weight >= 1048576 AND (d.weight * 10 >= live.bytes OR d.weight >= 67108864))
ORDER BY d.weight DESC
LIMIT 4;

-- The same of blocks of one size that have no type: what a program in C without debug information is made of. Where
-- they are is counted, of so many at most: a place may have others, too. What hangs on the place is told where it is
-- theirs nearly alone.
INSERT INTO draft (kind, severity, title, detail, objects, bytes, object_id)
SELECT 'type', 'info',
       printf('%,d blocks of %,d bytes are %.3g %% of what is live (%s)%s', d.objects, d.size, 100.0 * d.bytes / live.bytes,
              human(d.bytes),
              iif(w.n * 10 >= w.there * 9 AND d.objects * 10 >= w.there * 9 AND w.all_bytes * 10 >= d.bytes * 11,
                  printf(', %.3g %% with what hangs on them', 100.0 * w.all_bytes / live.bytes), '')),
       coalesce(printf('%d %% of %s at %s; why one of them is there: heapscan path DB %d; ', 100 * w.n / min(d.objects, 200000),
                       iif(d.objects > 200000, 'the first 200,000', 'them'), w.path, w.object_id), '')
       || printf('who holds them: heapscan top DB --by referrer --min-size %d --max-size %d', d.size, d.size),
       d.objects, d.bytes, w.object_id
FROM (SELECT size, sum(objects) AS objects, sum(bytes) AS bytes FROM census WHERE type_id IS NULL AND reachable <> 0
      GROUP BY size ORDER BY 3 DESC LIMIT 1) d
     JOIN (SELECT sum(bytes) AS bytes FROM census) live
     LEFT JOIN (SELECT o.size, r.path, r.objects AS there, r.all_bytes, count(*) AS n, min(o.id) AS object_id
                FROM (SELECT id, size, retention_id FROM object
                      WHERE size = (SELECT size FROM census WHERE type_id IS NULL AND reachable <> 0
                                    GROUP BY size ORDER BY sum(bytes) DESC LIMIT 1)
                            AND type_id IS NULL AND reachable <> 0
                      LIMIT 200000) o JOIN retention r ON r.id = o.retention_id
                GROUP BY r.id ORDER BY count(*) DESC LIMIT 1) w ON w.n * 10 >= min(d.objects, 200000)
WHERE d.bytes * 10 >= live.bytes * 4 AND d.objects >= 1000 AND d.bytes >= 1048576
      -- a container that has nearly all of them says so itself
      AND NOT EXISTS (SELECT 1 FROM draft f JOIN retention h ON h.object_id = f.object_id
                           JOIN retention r ON r.type_id IS NULL AND r.size = d.size AND r.objects * 10 >= d.objects * 9
                                               AND substr(r.path, 1, length(h.path)) = h.path
                      WHERE f.kind = 'holder');
