-- Can free memory go back to the system? By arena, with a sum where there are several.
WITH line AS (
    SELECT a.id, a.allocator, a.name, a.free_bytes, t.returnable, t.written, t.top, t.cached, t.pinned
    FROM trim t JOIN arena a ON a.id = t.arena_id
    WHERE a.free_bytes > 0),
ranked AS (
    SELECT *, :limit < 0 OR row_number() OVER (ORDER BY free_bytes DESC, id) <= :limit AS shown FROM line)
SELECT id, allocator, name, free_bytes, returnable, written, top, cached, pinned
FROM (SELECT id, allocator, name, free_bytes, returnable, written, top, cached, pinned, 0 AS part
      FROM ranked WHERE shown
      UNION ALL
      SELECT NULL, NULL, '(' || count(*) || ' smaller)', sum(free_bytes), sum(returnable), sum(written), sum(top),
             sum(cached), sum(pinned), 1
      FROM ranked WHERE NOT shown HAVING count(*) > 0
      UNION ALL
      SELECT NULL, NULL, 'total', sum(free_bytes), sum(returnable), sum(written), sum(top), sum(cached),
             sum(pinned), 2
      FROM line HAVING count(*) > 1)
ORDER BY part, free_bytes DESC, id
