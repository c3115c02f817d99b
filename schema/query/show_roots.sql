-- The words outside the heap that point to an object, the surest first.
SELECT r.kind, r.grade, r.address,
       coalesce(r.name, CASE WHEN r.address >= m.base THEN
                             replace(m.path, rtrim(m.path, replace(m.path, '/', '')), '') ||
                             printf('+0x%x', r.address - m.base) END) AS name,
       r.thread_id, CASE r.how WHEN 0 THEN 'start' WHEN 1 THEN 'interior'
       WHEN 2 THEN 'tagged' ELSE 'unaligned' END AS how, t.tid, f.function, m.path AS module
FROM root r LEFT JOIN thread t ON t.id = r.thread_id
     LEFT JOIN frame f ON f.thread_id = r.thread_id AND f.depth = r.depth
     LEFT JOIN module m ON m.id = r.module_id
WHERE r.object_id = :id
ORDER BY r.grade, r.id
LIMIT :limit
