-- The frame whose part of a stack holds an address.
SELECT t.tid, f.thread_id, f.depth, f.function, f.file, f.line, m.path AS module
FROM frame f JOIN thread t ON t.id = f.thread_id LEFT JOIN module m ON m.id = f.module_id
WHERE f.sp <= :address AND :address < coalesce(f.cfa, (SELECT n.sp FROM frame n WHERE n.thread_id = f.thread_id AND n.sp > f.sp
                                                       ORDER BY n.sp LIMIT 1))
ORDER BY f.sp DESC
LIMIT 1
