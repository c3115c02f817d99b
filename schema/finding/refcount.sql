-- Counts that nobody holds, by type, and what nothing else keeps alive: the clusters behind them; then holders without
-- a count. The example is the one that keeps most. A count of a type costs nothing while the type is in use.
INSERT INTO draft (kind, severity, title, detail, objects, bytes, object_id, type_id)
SELECT 'refcount', CASE WHEN max(bytes, keeps) >= 1048576 THEN 'error' WHEN name = 'type' AND NOT keeps THEN 'info'
                        -- what is lost once, while a program starts, is not what fills its memory
                        WHEN max(bytes, keeps) < 65536
                             AND max(bytes, keeps) * 1000 < (SELECT sum(bytes) FROM census) THEN 'info'
                        ELSE 'warning' END,
       printf('%,d %s object%s of %s%s: %,d count%s that nothing in the dump holds', objects,
              coalesce(name, 'unknown'), iif(objects = 1, '', 's'), human(bytes),
              iif(keeps > bytes, ', with what hangs on them ' || human(keeps), ''), excess, iif(excess = 1, '', 's')),
       iif(name = 'type' AND NOT keeps,
           'most likely instances that C freed and whose type it did not give back (tp_dealloc without '
           || 'Py_DECREF(Py_TYPE(self))): no memory, as the types are in use; ',
           'somebody took a reference and never gave it back (Py_DECREF); ')
       || 'like ones together: heapscan refs DB',
       objects, max(bytes, keeps), object_id, type_id
FROM (SELECT type_id, name, count(*) AS objects, sum(size) AS bytes, sum(keeps) AS keeps, sum(excess) AS excess,
             max(max(keeps, size)) AS most, object_id
      FROM (SELECT e.object_id, e.excess, o.type_id, t.name, o.size,
                   coalesce((SELECT c.bytes FROM cluster_member m JOIN cluster c ON c.id = m.cluster_id
                             WHERE m.object_id = e.object_id AND c.kind = 'leak' AND NOT c.reachable
                                   AND c.head_id = e.object_id), 0) AS keeps
            FROM refcount_error e CROSS JOIN object o ON o.id = e.object_id LEFT JOIN type t ON t.id = o.type_id
            WHERE e.excess > 0)
      GROUP BY type_id)
ORDER BY max(bytes, keeps) DESC
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
