-- Every unreachable cluster, the biggest first.
SELECT c.id AS cluster_id, c.objects, c.bytes, c.direct_bytes, c.bytes - c.direct_bytes AS indirect_bytes,
       t.name AS type, o.size AS head_size, o.value, c.head_id, o.address, c.signature,
       CASE WHEN c.signature GLOB '* (????????)' THEN substr(c.signature, 1, length(c.signature) - 11)
            ELSE c.signature END AS shape
FROM cluster c JOIN object o ON o.id = c.head_id LEFT JOIN type t ON t.id = o.type_id
WHERE c.kind = 'leak' AND c.reachable = 0 AND (:type IS NULL OR t.name REGEXP :type)
ORDER BY c.bytes DESC, c.id
LIMIT :limit
