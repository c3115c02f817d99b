-- Mappings that are new in the last dump, or have more in them than in the first: each old one goes with the new one
-- that has most of it, for neighbours are one mapping to the kernel. Of one execution only: addresses must mean the same.
WITH old AS (SELECT * FROM main.mapping_sample WHERE step = 1),
new AS (SELECT * FROM main.mapping_sample WHERE step = (SELECT max(step) FROM main.dump)),
pair AS (
    SELECT old.bytes, new.start,
           row_number() OVER (PARTITION BY old.start ORDER BY min(old."end", new."end") - max(old.start, new.start) DESC,
                                                              new.start) AS place
    FROM old JOIN new ON old.start < new."end" AND new.start < old."end"),
grew AS (
    SELECT new.*, coalesce((SELECT sum(bytes) FROM pair WHERE pair.start = new.start AND place = 1), 0) AS old_bytes,
           EXISTS (SELECT 1 FROM pair WHERE pair.start = new.start) AS was
    FROM new)
SELECT bytes - old_bytes AS bytes, old_bytes, bytes AS new_bytes, iif(was, 'grew', 'new') AS what, start, "end", perms, name
FROM grew WHERE bytes - old_bytes >= :least
ORDER BY 1 DESC, start
LIMIT :limit
