-- Of a block in a pymalloc arena: its pool, all blocks of which have one size. A pool is 4 KiB; 16 KiB where arenas
-- are 1 MiB (CPython 3.10, Objects/obmalloc.c).
WITH a AS (SELECT address, iif(system_bytes >= 1048576, 16384, 4096) AS pool
           FROM arena WHERE id = :arena_id AND allocator = 'pymalloc' AND address IS NOT NULL),
p AS (SELECT :address & ~(pool - 1) AS start, pool AS size FROM a)
SELECT p.start, p.size,
       (SELECT count(*) FROM object o WHERE o.address >= p.start AND o.address < p.start + p.size) AS live,
       (SELECT count(*) FROM free_block f WHERE f.address >= p.start AND f.address < p.start + p.size) AS free
FROM p
