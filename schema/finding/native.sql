-- Python objects that live by native code alone, by holder, where there are many. What a call has on its stack
-- or in registers is no cache; nor is the interpreter's own state.
INSERT INTO draft (kind, severity, title, detail, objects, bytes, object_id, type_id)
SELECT 'native', 'info',
       printf('%,d %sobject%s (%s) %s held only by native code: %s', h.objects,
              CASE WHEN k.objects = h.objects THEN coalesce(t.name, 'unknown') || ' ' ELSE '' END,
              iif(h.objects = 1, '', 's'), human(h.bytes), iif(h.objects = 1, 'is', 'are'),
              CASE WHEN h.kind = 'object' THEN printf('C memory of %s objects', coalesce(ht.name, '?'))
                   WHEN h.kind = 'unexplained' THEN printf('a mapping of its own, word at %s', addr(h.address))
                   WHEN h.kind = 'tls' THEN printf('thread-local storage of thread %d', h.thread_id)
                   ELSE coalesce('module ' || replace(m.path, rtrim(m.path, replace(m.path, '/', '')), '') || ', ', '')
                        || coalesce('global `' || h.name || '`', printf('data at %s', addr(h.address))) END)
       || CASE WHEN v.address IS NULL THEN '' ELSE printf(', via block %s', addr(v.address)) END,
       printf('C code refers to %,d of them, %sof type %s; no reference of Python''s leads there: heapscan refs DB,'
              || ' and why: heapscan path DB %d',
              h.direct, CASE WHEN k.objects < h.direct THEN 'most ' ELSE '' END, coalesce(t.name, '?'), k.object_id),
       h.objects, h.bytes, k.object_id, k.type_id
FROM native_holder h
     JOIN (SELECT d.holder_id, o.type_id, count(*) AS objects, min(o.id) AS object_id, min(d.via_id) AS via_id,
                  row_number() OVER (PARTITION BY d.holder_id ORDER BY count(*) DESC, o.type_id) AS place
           FROM native_held d JOIN object o ON o.id = d.object_id
           WHERE d.direct
           GROUP BY d.holder_id, o.type_id) k ON k.holder_id = h.id AND k.place = 1
     LEFT JOIN type t ON t.id = k.type_id LEFT JOIN type ht ON ht.id = h.type_id
     LEFT JOIN module m ON m.id = h.module_id LEFT JOIN object v ON v.id = k.via_id
WHERE NOT h.interpreter AND h.kind NOT IN ('frame', 'register', 'stack') AND (h.objects >= 100 OR h.bytes >= 65536)
ORDER BY h.bytes DESC, h.id
LIMIT 10;

-- What a container holds that native code alone holds is said by that.
DELETE FROM draft WHERE kind = 'holder' AND object_id IN (SELECT object_id FROM draft WHERE kind = 'native');
