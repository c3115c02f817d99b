-- Counts that the references do not explain, by type, size and difference: the most bytes first (kept ones,
-- too). beside: what
-- lies next to most of them in memory and has no such count: allocated at about the same time, it hints at
-- the code that did it. Buffers there stand for their owners. keeps: what nothing but these counts keeps alive, with
-- what hangs on it.
WITH fault AS (
    SELECT e.object_id, e.excess, o.type_id, o.size, o.arena_id,
           coalesce((SELECT c.bytes FROM cluster_member m JOIN cluster c ON c.id = m.cluster_id
                     WHERE e.excess > 0 AND m.object_id = e.object_id AND c.kind = 'leak' AND NOT c.reachable
                           AND c.head_id = e.object_id), 0) AS keeps
    FROM open_count e CROSS JOIN object o ON o.id = e.object_id LEFT JOIN type t ON t.id = o.type_id
    WHERE :type IS NULL OR t.name REGEXP :type),
fold AS (
    SELECT type_id, size, excess, count(*) AS objects, sum(size) AS bytes, sum(keeps) AS keeps,
           min(object_id) AS object_id
    FROM fault
    GROUP BY type_id, size, excess
    ORDER BY excess > 0, max(bytes, keeps) DESC, object_id
    LIMIT :limit),
neighbour AS (
    SELECT f.type_id, f.size, f.excess, coalesce(w.type_id, n.type_id) AS near_type_id,
           CASE WHEN w.id IS NULL THEN n.size ELSE w.size END AS near_size, count(*) AS near
    FROM fold g
         JOIN fault f ON f.type_id IS g.type_id AND f.size = g.size AND f.excess = g.excess
         JOIN object n ON n.id IN (f.object_id - 1, f.object_id + 1) AND n.arena_id = f.arena_id
         LEFT JOIN object w ON w.id = n.owner_id
    WHERE NOT EXISTS (SELECT 1 FROM refcount_error x WHERE x.object_id = n.id OR x.object_id = n.owner_id)
    GROUP BY 1, 2, 3, 4, 5),
most AS (
    SELECT *, row_number() OVER (PARTITION BY type_id, size, excess
                                 ORDER BY near DESC, near_size DESC, near_type_id) AS place
    FROM neighbour)
SELECT CASE WHEN f.excess > 0 THEN 'leaked' ELSE 'over-released' END AS state, f.objects, f.bytes, f.keeps,
       f.size, f.excess, t.name AS type, o.address, f.object_id, o.value,
       CASE WHEN m.near IS NOT NULL THEN printf('%s of %,d', coalesce(nt.name, 'block'), m.near_size) END AS beside,
       nt.name AS beside_type, m.near_size AS beside_size, m.near AS beside_objects
FROM fold f JOIN object o ON o.id = f.object_id LEFT JOIN type t ON t.id = f.type_id
     LEFT JOIN most m ON m.type_id IS f.type_id AND m.size = f.size AND m.excess = f.excess AND m.place = 1
     LEFT JOIN type nt ON nt.id = m.near_type_id
ORDER BY f.excess > 0, max(f.bytes, f.keeps) DESC, f.object_id
