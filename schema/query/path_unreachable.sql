-- What nothing leads to: each of these is in one leak.
SELECT m.object_id
FROM cluster c CROSS JOIN cluster_member m ON m.cluster_id = c.id
WHERE c.kind = 'leak' AND c.reachable = 0
