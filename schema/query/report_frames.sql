-- Frames of all threads.
SELECT t.id AS thread_id, t.tid, t.name AS thread, f.depth, f.language, f.function, f.file, f.line, m.path AS module
FROM frame f JOIN thread t ON t.id = f.thread_id LEFT JOIN module m ON m.id = f.module_id
ORDER BY f.thread_id, f.depth
LIMIT :limit
