-- Arenas: how free memory of each goes back. way: 1 in pages inside free runs, 2 so and from the top, whose end is
-- the break, 3 by the block (each has a mapping), 4 as a whole.
SELECT a.id, CASE WHEN a.allocator = 'pymalloc' THEN iif(a.address IS NULL, 0, 4)
                  WHEN a.allocator <> 'glibc' THEN 0
                  WHEN a.name = 'mmapped chunks' THEN 3
                  WHEN a.name = 'main' AND EXISTS (
                       SELECT 1 FROM segment s
                       WHERE s.kind = 'heap' AND
                             (SELECT f.kind = 'top' AND f.arena_id = a.id AND f.address + f.size = s."end"
                              FROM free_block f WHERE f.address < s."end" ORDER BY f.address DESC LIMIT 1)) THEN 2
                  ELSE 1 END AS way,
       coalesce(a.system_bytes, 0) AS system_bytes, a.used_bytes, a.address,
       (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'word_size') AS word_size
FROM arena a
ORDER BY a.id
