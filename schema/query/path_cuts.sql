-- What cutting one reference of a path would free: (path, step, object, reference, root, objects, bytes, returned,
-- at_once, others, complete, holder of a root). References to a Python object's own
-- buffer are left out: nobody cuts those.
SELECT c.path, c.step, coalesce(r.name, '->+' || r.offset, CASE WHEN c.reference_id > 0 THEN '->?' END, x.name,
                                 CASE WHEN x.address >= m.base THEN
                                      replace(m.path, rtrim(m.path, replace(m.path, '/', '')), '') ||
                                      printf('+0x%x', x.address - m.base) END, nullif(c.holder, '')) AS name,
       o.id, o.address, t.name AS type, c.objects, c.bytes, c.returned, c.at_once, c.others, c.complete,
       CASE WHEN c.others > 0 THEN c.others || ' more ' || iif(c.others = 1, 'holds it', 'hold it')
            WHEN NOT c.complete AND c.objects = 0 THEN 'too many hold it to tell'
            WHEN NOT c.complete THEN 'at least: the search was stopped' END AS note,
       nullif(c.reference_id, 0) AS reference_id, nullif(c.root_id, 0) AS root_id
FROM (SELECT json_extract(value, '$[0]') AS path, json_extract(value, '$[1]') AS step,
             json_extract(value, '$[2]') AS object_id, json_extract(value, '$[3]') AS reference_id,
             json_extract(value, '$[4]') AS root_id, json_extract(value, '$[5]') AS objects,
             json_extract(value, '$[6]') AS bytes, json_extract(value, '$[7]') AS returned,
             json_extract(value, '$[8]') AS at_once, json_extract(value, '$[9]') AS others,
             json_extract(value, '$[10]') AS complete, json_extract(value, '$[11]') AS holder
      FROM json_each(:cuts)) c
     JOIN object o ON o.id = c.object_id LEFT JOIN type t ON t.id = o.type_id
     LEFT JOIN reference r ON r.rowid = c.reference_id LEFT JOIN root x ON x.id = c.root_id
     LEFT JOIN module m ON m.id = x.module_id
WHERE o.owner_id IS NULL OR r.src IS NULL OR o.owner_id <> r.src
      OR (SELECT refcount FROM object WHERE id = r.src) IS NULL
ORDER BY c.path, c.step
