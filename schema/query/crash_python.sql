-- The Python frames of the thread that dumped, innermost first.
SELECT f.function, replace(f.file, rtrim(f.file, replace(f.file, '/', '')), '') AS file, f.line
FROM frame f
WHERE f.thread_id = 1 AND f.language = 'python'
ORDER BY f.depth
LIMIT :limit
