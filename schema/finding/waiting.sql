-- Much work that waits at one line, and work that has ended and is kept. Coroutines that a task or another
-- coroutine awaits are theirs; the futures of tasks, too.
INSERT INTO draft (kind, severity, title, detail, objects, bytes, object_id)
SELECT 'waiting', CASE WHEN retained >= 16777216 THEN 'warning' ELSE 'info' END,
       printf('%,d %s %s', objects,
              CASE kind WHEN 'async generator' THEN 'asynchronous generators' ELSE kind || 's' END,
              CASE WHEN state IN ('ended', 'done', 'cancelled')
                   THEN 'have ' || iif(state = 'cancelled', 'been cancelled', 'ended') || ' and are kept'
                   WHEN state = 'created' THEN 'were never started'
                   ELSE 'wait' END)
       || coalesce(printf(' %s %s:%d, in %s()', iif(state IN ('suspended', 'pending'), 'at', 'from'),
                          replace(file, rtrim(file, replace(file, '/', '')), ''), line, function), '')
       || '; they hold ' || human(retained),
       coalesce('each awaits ' || chain || '; ', '') || 'all of them: heapscan top DB --by waiting',
       objects, retained, object_id
FROM waiting v
WHERE state <> 'running' AND (objects >= 1000 OR (objects >= 10 AND retained >= 1048576))
      AND NOT EXISTS (SELECT 1 FROM suspended p WHERE p.awaits_id = v.object_id)
      AND (kind <> 'future' OR state <> 'pending' OR chain IS NOT NULL)
ORDER BY retained DESC
LIMIT 5;

-- That tells more of their type than that it is most of the memory.
DELETE FROM draft WHERE kind = 'type' AND type_id IN (SELECT o.type_id FROM draft d JOIN object o ON o.id = d.object_id
                                                      WHERE d.kind = 'waiting');
