-- Of an allocation trace: the call paths that hold most at the end, and blocks that come and go for nothing.
INSERT INTO draft (kind, severity, title, detail, objects, bytes)
SELECT 'leak', CASE WHEN live_bytes >= 1048576 THEN 'error' ELSE 'warning' END,
       printf('%s not freed, allocated by %s', human(live_bytes), coalesce(short_name(function), module, 'an unknown function')),
       printf('%scall path: heapscan leaks DB; site #%d',
              coalesce(file || coalesce(':' || line, '') || '; ', ''), id),
       live_objects, live_bytes
FROM site
WHERE (SELECT value FROM meta WHERE key = 'kind') = 'trace' AND live_bytes > 0 AND suppressed IS NULL
ORDER BY live_bytes DESC
LIMIT 10;

INSERT INTO draft (kind, severity, title, detail, objects)
SELECT 'temporary', 'info',
       printf('%d %% of all allocations (%,d) were freed by the very next event',
              CAST(100 * temporary / allocations AS INTEGER), CAST(temporary AS INTEGER)),
       'a buffer that is kept, or one on the stack, saves them: heapscan top DB --by site --cost temporary',
       CAST(temporary AS INTEGER)
FROM (SELECT total(allocations) AS allocations, total(temporary) AS temporary FROM site)
WHERE (SELECT value FROM meta WHERE key = 'kind') = 'trace' AND temporary * 5 > allocations AND temporary >= 1000;
