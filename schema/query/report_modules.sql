-- Executable and libraries.
SELECT path, build_id, base, symbols FROM module ORDER BY id LIMIT :limit
