-- Cyclic garbage: what the collector would free if it ran now, with all that would go with it, and what it never
-- will. Where the collector is off, garbage stays: that is more than a collection that is due. Where it is on, a
-- little garbage is how every process looks between two collections, and worth nobody's time.
INSERT INTO draft (kind, severity, title, detail, objects, bytes, object_id)
SELECT 'garbage', CASE WHEN held.bytes >= 1048576 OR collector.off THEN 'warning' ELSE 'info' END,
       printf('%,d objects (%s) are cyclic garbage that a collection would free', g.objects, human(g.bytes))
       || iif(held.bytes > g.bytes, ', with what hangs on them ' || human(held.bytes), ''),
       coalesce('the collector is '
                || (SELECT CASE value WHEN '0' THEN 'switched off (gc.disable())'
                                      ELSE 'on: its next full run frees them' END
                    FROM meta WHERE key = 'gc_enabled')
                || coalesce((SELECT ', thresholds ' || value FROM meta WHERE key = 'gc_thresholds'), '')
                || coalesce((SELECT ', counts ' || value FROM meta WHERE key = 'gc_counts'), '') || '; ', '')
       || 'by shape: heapscan cycles DB',
       g.objects, max(g.bytes, held.bytes), g.object_id
FROM (SELECT count(*) AS objects, sum(o.size) AS bytes, min(g.object_id) AS object_id
      FROM garbage g JOIN object o ON o.id = g.object_id
      WHERE NOT g.uncollectable HAVING count(*) > 0) g,
     (SELECT coalesce(sum(c.bytes), 0) AS bytes FROM garbage g JOIN cluster c ON c.head_id = g.object_id
      WHERE c.kind = 'leak' AND NOT g.uncollectable) held,
     (SELECT count(*) AS off FROM meta WHERE key = 'gc_enabled' AND value = '0') collector
WHERE collector.off OR max(g.bytes, held.bytes) >= 16384 OR g.objects >= 100;

INSERT INTO draft (kind, severity, title, detail, objects, bytes, object_id)
SELECT 'garbage', 'error',
       printf('%,d objects (%s) are cyclic garbage that the collector cannot free', count(*), human(sum(o.size))),
       'a finalizer (__del__) is in the cycle, or leads to it: they go to gc.garbage and stay; heapscan cycles DB',
       count(*), sum(o.size), min(g.object_id)
FROM garbage g JOIN object o ON o.id = g.object_id
WHERE g.uncollectable
HAVING count(*) > 0;

-- The collector is off, and there is nothing to collect (yet).
INSERT INTO draft (kind, severity, title, detail)
SELECT 'garbage', 'info', 'cyclic collection is switched off (gc.disable()): cycles that are dropped will stay',
       'there are none now'
FROM meta WHERE key = 'gc_enabled' AND value = '0' AND NOT EXISTS (SELECT 1 FROM garbage);
