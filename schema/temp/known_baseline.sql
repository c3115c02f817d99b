-- What was in the older database already, by content: so many clusters of a shape, so many counts of a type, size
-- and excess. What there is more of is new.
UPDATE old_shape SET here = s.clusters
FROM (SELECT kind, reachable, signature, sum(clusters) AS clusters FROM shape GROUP BY 1, 2, 3) s
WHERE old_shape.signature = s.signature AND old_shape.kind = s.kind AND old_shape.reachable = s.reachable;
-- Most shapes are known in whole: which of their clusters came first is no question.
INSERT OR IGNORE INTO known_whole
SELECT s.id, s.kind, s.reachable, s.signature
FROM shape s JOIN old_shape old ON old.signature = s.signature AND old.kind = s.kind AND old.reachable = s.reachable
WHERE old.here <= old.clusters;
INSERT INTO known_cluster
SELECT id FROM (SELECT c.id, old.clusters,
                       row_number() OVER (PARTITION BY c.signature, c.kind, c.reachable ORDER BY c.id) AS number
                FROM open_cluster c JOIN old_shape old
                     ON old.signature = c.signature AND old.kind = c.kind AND old.reachable = c.reachable
                WHERE old.here > old.clusters AND EXISTS (SELECT 1 FROM old_shape WHERE here > clusters))
WHERE number <= clusters;
INSERT INTO known_count
SELECT object_id FROM (SELECT e.object_id, old.objects,
                              row_number() OVER (PARTITION BY o.type_id, o.size, e.excess ORDER BY e.object_id) AS number
                       FROM open_count e CROSS JOIN object o ON o.id = e.object_id LEFT JOIN type t ON t.id = o.type_id
                            JOIN old_count old ON old.type = coalesce(t.name, '') AND old.size = o.size
                                 AND old.excess = e.excess)
WHERE number <= objects;
