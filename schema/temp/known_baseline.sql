-- What was in the older database already, by content: so many clusters of a shape, so many counts of a type, size
-- and excess. What there is more of is new.
INSERT INTO known_cluster
SELECT id FROM (SELECT c.id, old.clusters,
                       row_number() OVER (PARTITION BY c.signature, c.kind, c.reachable ORDER BY c.id) AS number
                FROM open_cluster c JOIN old_shape old
                     ON old.signature = c.signature AND old.kind = c.kind AND old.reachable = c.reachable)
WHERE number <= clusters;
INSERT INTO known_count
SELECT object_id FROM (SELECT e.object_id, old.objects,
                              row_number() OVER (PARTITION BY o.type_id, o.size, e.excess ORDER BY e.object_id) AS number
                       FROM open_count e JOIN object o ON o.id = e.object_id LEFT JOIN type t ON t.id = o.type_id
                            JOIN old_count old ON old.type = coalesce(t.name, '') AND old.size = o.size
                                 AND old.excess = e.excess)
WHERE number <= objects;
