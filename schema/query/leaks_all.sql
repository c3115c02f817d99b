-- Every unreachable cluster, the biggest first.
SELECT c.id AS cluster_id, c.objects, c.bytes, c.direct_bytes, c.bytes - c.direct_bytes AS indirect_bytes,
       t.name AS type, o.size AS head_size, o.value, c.head_id, o.address, c.signature,
       CASE WHEN c.signature GLOB '* (????????)' THEN substr(c.signature, 1, length(c.signature) - 11)
            ELSE c.signature END
       || CASE WHEN c.culprit_id IS NULL THEN '' WHEN c.collectable = 0
               THEN ' [a cycle that the collector cannot see: ' || coalesce(ct.name, '?') || ']'
               ELSE ' [a cycle that the collector may not see: ' || coalesce(ct.name, '?') || ']' END AS shape,
       c.collectable, c.culprit_id, ct.name AS culprit
FROM open_cluster c JOIN object o ON o.id = c.head_id LEFT JOIN type t ON t.id = o.type_id
     LEFT JOIN object co ON co.id = c.culprit_id LEFT JOIN type ct ON ct.id = co.type_id
WHERE c.kind = 'leak' AND c.reachable = 0 AND (:type IS NULL OR t.name REGEXP :type)
ORDER BY c.bytes DESC, c.id
LIMIT :limit
