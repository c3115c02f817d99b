-- The thread that dumped, innermost frames first.
SELECT f.depth, f.pc, f.function, f.file, f.line, m.path AS module
FROM frame f LEFT JOIN module m ON m.id = f.module_id
WHERE f.thread_id = 1
ORDER BY f.depth
LIMIT :limit
