-- One type that is most of the memory, and where most of its objects are.
INSERT INTO draft (kind, severity, title, detail, objects, bytes, type_id)
SELECT 'type', 'info',
       printf('%,d %s objects are %.3g %% of what is live (%s)', d.objects, t.name, 100.0 * d.bytes / live.bytes,
              human(d.bytes)),
       coalesce((SELECT printf('%d %% of them at %s; ', 100 * r.objects / d.objects, r.path) FROM retention r
                 WHERE r.type_id = d.type_id ORDER BY r.objects DESC LIMIT 1), '')
       || printf('the biggest: heapscan top DB --by size --type ''^%s$''', t.name),
       d.objects, d.bytes, d.type_id
FROM (SELECT type_id, sum(objects) AS objects, sum(bytes) AS bytes FROM census WHERE type_id IS NOT NULL
      GROUP BY type_id) d
     JOIN type t ON t.id = d.type_id, (SELECT sum(bytes) AS bytes FROM census) live
WHERE d.bytes * 10 >= live.bytes * 4 AND d.objects >= 100 AND d.bytes >= 65536
ORDER BY d.bytes DESC
LIMIT 2;
