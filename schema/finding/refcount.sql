-- Counts that nobody holds, by type; then holders without a count. The example is the biggest object.
INSERT INTO draft (kind, severity, title, detail, objects, bytes, object_id, type_id)
SELECT 'refcount', CASE WHEN bytes >= 1048576 THEN 'error' ELSE 'warning' END,
       printf('%,d %s object%s of %s: %,d count%s that nothing in the dump holds', objects,
              coalesce(name, 'unknown'), iif(objects = 1, '', 's'), human(bytes), excess,
              iif(excess = 1, '', 's')),
       'somebody took a reference and never gave it back (Py_DECREF); like ones together: heapscan refs DB',
       objects, bytes, object_id, type_id
FROM (SELECT o.type_id, t.name, count(*) AS objects, sum(o.size) AS bytes, sum(e.excess) AS excess,
             max(o.size) AS biggest, e.object_id
      FROM refcount_error e CROSS JOIN object o ON o.id = e.object_id LEFT JOIN type t ON t.id = o.type_id
      WHERE e.excess > 0
      GROUP BY o.type_id)
ORDER BY bytes DESC
LIMIT 10;

INSERT INTO draft (kind, severity, title, detail, objects, bytes, object_id, type_id)
SELECT 'refcount', 'error',
       printf('%,d %s object%s with fewer counts than holders: freed while in use, sooner or later', objects,
              coalesce(name, 'unknown'), iif(objects = 1, '', 's')),
       'a reference was given back twice, or never taken (Py_INCREF); like ones together: heapscan refs DB',
       objects, bytes, object_id, type_id
FROM (SELECT o.type_id, t.name, count(*) AS objects, sum(o.size) AS bytes, max(o.size) AS biggest, e.object_id
      FROM refcount_error e CROSS JOIN object o ON o.id = e.object_id LEFT JOIN type t ON t.id = o.type_id
      WHERE e.excess < 0
      GROUP BY o.type_id)
ORDER BY objects DESC
LIMIT 10;
