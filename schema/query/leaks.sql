-- Unreachable clusters of one shape as one row, the most bytes first. The example is the biggest of them.
-- Heads of one shape have one type.
SELECT s.clusters, s.objects, s.bytes, s.direct_bytes, s.bytes - s.direct_bytes AS indirect_bytes,
       t.name AS type, o.size AS head_size, o.value, s.cluster_id, s.head_id, o.address, s.signature,
       CASE WHEN s.signature GLOB '* (????????)' THEN substr(s.signature, 1, length(s.signature) - 11)
            ELSE s.signature END
       || CASE WHEN c.culprit_id IS NULL THEN '' WHEN c.collectable = 0
               THEN ' [a cycle that the collector cannot see: ' || coalesce(ct.name, '?') || ']'
               ELSE ' [a cycle that the collector may not see: ' || coalesce(ct.name, '?') || ']' END AS shape,
       c.collectable, c.culprit_id, ct.name AS culprit
FROM open_shape s JOIN cluster c ON c.id = s.cluster_id JOIN object o ON o.id = s.head_id
     LEFT JOIN type t ON t.id = o.type_id
     LEFT JOIN object co ON co.id = c.culprit_id LEFT JOIN type ct ON ct.id = co.type_id
WHERE s.kind = 'leak' AND s.reachable = 0 AND (:type IS NULL OR t.name REGEXP :type)
ORDER BY s.id
LIMIT :limit
