-- Cyclic garbage: what the collector would free if it ran now, and what it never will.
INSERT INTO draft (kind, severity, title, detail, objects, bytes, object_id)
SELECT 'garbage', CASE WHEN sum(o.size) >= 1048576 THEN 'warning' ELSE 'info' END,
       printf('%,d objects (%s) are cyclic garbage that a collection would free', count(*), human(sum(o.size))),
       coalesce('the collector is '
                || (SELECT CASE value WHEN '0' THEN 'switched off (gc.disable())'
                                      ELSE 'on: it has not run yet' END
                    FROM meta WHERE key = 'gc_enabled')
                || coalesce((SELECT ', thresholds ' || value FROM meta WHERE key = 'gc_thresholds'), '')
                || coalesce((SELECT ', counts ' || value FROM meta WHERE key = 'gc_counts'), '') || '; ', '')
       || 'by shape: heapscan cycles DB',
       count(*), sum(o.size), min(g.object_id)
FROM garbage g JOIN object o ON o.id = g.object_id
WHERE NOT g.uncollectable
HAVING count(*) > 0;

INSERT INTO draft (kind, severity, title, detail, objects, bytes, object_id)
SELECT 'garbage', 'error',
       printf('%,d objects (%s) are cyclic garbage that the collector cannot free', count(*), human(sum(o.size))),
       'a finalizer (__del__) is in the cycle, or leads to it: they go to gc.garbage and stay; heapscan cycles DB',
       count(*), sum(o.size), min(g.object_id)
FROM garbage g JOIN object o ON o.id = g.object_id
WHERE g.uncollectable
HAVING count(*) > 0;
