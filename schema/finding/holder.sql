-- One container that holds a good part of the memory: a single object from which a step leads to many. A megabyte
-- is worth a line in a process of any size, further down; where one container holds nearly all that another does,
-- the inner one is the one to look at.
CREATE TEMP TABLE holds AS
SELECT r.id, r.parent_id, r.path, r.type_id, r.object_id, r.bytes, r.all_bytes, r.all_objects, max(c.objects) AS members
FROM retention r JOIN retention c ON c.parent_id = r.id
WHERE r.objects = 1 AND r.object_id IS NOT NULL AND instr(c.step, '*') AND c.objects >= 10 AND r.all_bytes >= 65536
      -- a block with a few pointers in it is no container
      AND (r.type_id IS NOT NULL OR (r.all_bytes - r.bytes) * 4 >= r.all_bytes)
GROUP BY r.id
ORDER BY r.all_bytes DESC
LIMIT 100;
WITH RECURSIVE above (id, inner_bytes, parent_id) AS (
    SELECT id, all_bytes, parent_id FROM temp.holds
    UNION
    SELECT r.id, a.inner_bytes, r.parent_id FROM above a JOIN retention r ON r.id = a.parent_id)
DELETE FROM temp.holds WHERE id IN (
    SELECT a.id FROM above a JOIN temp.holds h ON h.id = a.id WHERE a.inner_bytes < h.all_bytes AND a.inner_bytes * 10 >= h.all_bytes * 9);
INSERT INTO draft (kind, severity, title, detail, objects, bytes, object_id, type_id)
SELECT 'holder', iif(h.all_bytes * 2 >= live.bytes AND h.all_bytes >= 1048576, 'warning', 'info'),
       printf('%s (%s, %,d members) holds %s in %,d objects: %.3g %% of what is live', h.path,
              coalesce(short_name(t.name), (SELECT short_name(x.name) FROM object o JOIN type x ON x.id = o.type_id WHERE o.id = h.object_id), 'untyped block'), h.members, human(h.all_bytes), h.all_objects,
              100.0 * h.all_bytes / live.bytes),
       coalesce((SELECT 'most of it in its ' || group_concat(part, ', ')
                 FROM (SELECT printf('%s (%,d, %s)', substr(d.path, length(h.path) + 1), d.objects, human(d.bytes)) AS part
                       FROM retention d
                       WHERE d.objects >= 10 AND substr(d.path, 1, length(h.path)) = h.path AND d.path <> h.path
                       ORDER BY d.bytes DESC LIMIT 2)) || '; ', '')
       || printf('why it is there: heapscan path DB %d', h.object_id),
       h.all_objects, h.all_bytes, h.object_id, h.type_id
FROM temp.holds h LEFT JOIN type t ON t.id = h.type_id,
     (SELECT sum(bytes) AS bytes FROM census) live
WHERE h.all_bytes * 40 >= live.bytes OR h.all_bytes >= 1048576
ORDER BY h.all_bytes DESC
LIMIT 10;

-- The same where there is no one container on the heap: a table of lists in a variable, say.
INSERT INTO draft (kind, severity, title, detail, objects, bytes, object_id, type_id)
SELECT 'holder', iif(r.all_bytes * 2 >= live.bytes AND r.all_bytes >= 1048576, 'warning', 'info'),
       printf('%s holds %s in %,d objects: %.3g %% of what is live', r.path, human(r.all_bytes), r.all_objects, 100.0 * r.all_bytes / live.bytes),
       printf('%,d %sobjects are there, and what they lead to; why one of them is there: heapscan path DB %d', r.objects,
              coalesce(short_name(t.name) || ' ', ''), r.object_id),
       r.all_objects, r.all_bytes, r.object_id, r.type_id
FROM retention r LEFT JOIN type t ON t.id = r.type_id, (SELECT sum(bytes) AS bytes FROM census) live
WHERE r.parent_id IS NULL AND r.objects >= 10 AND r.object_id IS NOT NULL AND r.path NOT LIKE '(%'
      AND r.all_bytes >= 65536 AND (r.all_bytes * 10 >= live.bytes OR r.all_bytes >= 1048576)
ORDER BY r.all_bytes DESC
LIMIT 5;
DROP TABLE temp.holds;

-- A place with a few big blocks: a buffer, an array, a table, too few to be a container's members or a type.
INSERT INTO draft (kind, severity, title, detail, objects, bytes, object_id, type_id)
SELECT 'big', 'info',
       printf('%s in %,d block%s%s: %.3g %% of what is live, at %s', human(r.bytes), r.objects,
              iif(r.objects = 1, '', 's'), coalesce(' (' || short_name(t.name) || ')', ''), 100.0 * r.bytes / live.bytes, r.path),
       printf('why it is there: heapscan path DB %d', r.object_id),
       r.objects, r.bytes, r.object_id, r.type_id
FROM retention r LEFT JOIN type t ON t.id = r.type_id, (SELECT sum(bytes) AS bytes FROM census) live
WHERE r.objects < 10 AND r.object_id IS NOT NULL AND r.bytes >= 1048576 AND (r.bytes * 10 >= live.bytes OR r.bytes >= 16777216)
      -- its holder's finding says it, with what else is there
      AND NOT EXISTS (SELECT 1 FROM draft d WHERE d.kind = 'holder' AND d.object_id = r.object_id)
ORDER BY r.bytes DESC
LIMIT 5;
