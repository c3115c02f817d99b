-- Clusters by their shape: leaks, and cycles that are garbage or alive. --type: of their heads.
SELECT s.kind, iif(s.reachable, 'yes', 'no') AS reachable, s.signature, s.clusters, s.objects, s.bytes,
       1.0 * s.bytes / (SELECT sum(bytes) FROM census) AS share, s.cluster_id, s.head_id, o.address,
       t.name AS type
FROM shape s LEFT JOIN object o ON o.id = s.head_id LEFT JOIN type t ON t.id = o.type_id
WHERE :type IS NULL OR t.name REGEXP :type
ORDER BY s.bytes DESC, s.id
LIMIT :limit
