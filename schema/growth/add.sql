-- A database that takes part, attached as `dump`.
INSERT INTO main.dump (step, path, kind, source, pid, exe, build_id, machine, taken_at, execution, layout, retention,
                       objects, bytes)
SELECT :step, :path, max(value) FILTER (WHERE key = 'kind'), max(value) FILTER (WHERE key = 'source'),
       CAST(max(value) FILTER (WHERE key = 'pid') AS INTEGER), max(value) FILTER (WHERE key = 'exe'),
       max(value) FILTER (WHERE key = 'build_id'), max(value) FILTER (WHERE key = 'machine'),
       max(value) FILTER (WHERE key = 'taken_at'), max(value) FILTER (WHERE key = 'execution'),
       (SELECT group_concat(path || '@' || base, char(10)) FROM (SELECT path, base FROM dump.module ORDER BY base)),
       max(value) FILTER (WHERE key = 'kind') IS NOT 'trace',
       (SELECT coalesce(sum(objects), 0) FROM dump.census), (SELECT coalesce(sum(bytes), 0) FROM dump.census)
FROM dump.meta
