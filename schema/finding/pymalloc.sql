-- High water: arenas of Python's allocator that stay because a few blocks are left in each. What would
-- have gone back to the system is all of them but those blocks. Arenas that share one row (too many of
-- them for a row each) are not judged.
INSERT INTO draft (kind, severity, title, detail, objects, bytes)
SELECT 'pymalloc', CASE WHEN bytes >= 67108864 THEN 'warning' ELSE 'info' END,
       printf('%d %% of Python''s arenas (%,d of %,d) are kept by less than 5 %% of their blocks: %s',
              100 * pinned / arenas, pinned, arenas, human(bytes)),
       printf('what pins them: heapscan sql DB "SELECT * FROM object_view WHERE arena_id IN (SELECT id FROM arena'
              || ' WHERE allocator = ''pymalloc'' AND used_bytes * 20 < system_bytes)"'),
       (SELECT coalesce(sum(objects), 0) FROM census WHERE arena_id IN (SELECT id FROM arena
        WHERE allocator = 'pymalloc' AND used_bytes * 20 < system_bytes)),
       bytes
FROM (SELECT count(*) AS arenas, sum(used_bytes * 20 < system_bytes) AS pinned,
             sum((used_bytes * 20 < system_bytes) * (system_bytes - used_bytes)) AS bytes
      FROM arena
      WHERE allocator = 'pymalloc')
WHERE pinned * 4 > arenas AND bytes >= 1048576
  AND arenas = (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'pymalloc_arenas');

-- That says it of all of Python's free memory.
DELETE FROM draft WHERE kind IN ('fragmentation', 'free') AND title LIKE '% are free inside Python''s allocator: %'
                        AND EXISTS (SELECT 1 FROM draft WHERE kind = 'pymalloc');
