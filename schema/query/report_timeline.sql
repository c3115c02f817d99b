-- The curve of a trace.
SELECT time, live_bytes, live_objects FROM timeline ORDER BY time LIMIT :limit
