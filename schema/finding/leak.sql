-- Leaks: one finding for each shape of cluster that nothing leads to, the biggest first. The example is
-- the biggest of its shape: SQLite takes plain columns from the row of the only max().
INSERT INTO draft (kind, severity, title, detail, objects, bytes, object_id, cluster_id)
SELECT 'leak',
       CASE WHEN bytes >= 1048576 THEN 'error' ELSE 'warning' END,
       printf('leak: %s in %s behind %s: %s', human(bytes),
              CASE objects WHEN 1 THEN '1 block' ELSE printf('%,d blocks', objects) END,
              CASE clusters WHEN 1 THEN 'one head' ELSE printf('%,d heads of one shape', clusters) END,
              coalesce(signature, 'of unknown shape')),
       printf('nothing in the dump leads to them; an example: heapscan show DB #%d', head_id),
       objects, bytes, head_id, cluster_id
FROM shape
WHERE kind = 'leak' AND NOT reachable
ORDER BY id
LIMIT 20;
