-- Every unreachable cluster, the biggest first. Those that are shown are chosen before anything is looked up: there
-- may be millions. Heads of one shape have one type.
SELECT c.id AS cluster_id, c.objects, c.bytes, c.direct_bytes, c.bytes - c.direct_bytes AS indirect_bytes,
       t.name AS type, o.size AS head_size, o.value, c.head_id, o.address, c.signature,
       CASE WHEN c.signature GLOB '* (????????)' THEN substr(c.signature, 1, length(c.signature) - 11)
            ELSE c.signature END
       || CASE WHEN c.culprit_id IS NULL THEN '' WHEN c.collectable = 0
               THEN ' [a cycle that the collector cannot see: ' || coalesce(ct.name, '?') || ']'
               ELSE ' [a cycle that the collector may not see: ' || coalesce(ct.name, '?') || ']' END AS shape,
       c.collectable, c.culprit_id, ct.name AS culprit
FROM (SELECT c.* FROM open_cluster c
      WHERE c.kind = 'leak' AND c.reachable = 0
            AND (:type IS NULL OR coalesce(c.signature, c.id) IN
                 (SELECT coalesce(s.signature, s.cluster_id)
                  FROM shape s JOIN object o ON o.id = s.head_id JOIN type t ON t.id = o.type_id
                  WHERE s.kind = 'leak' AND s.reachable = 0 AND t.name REGEXP :type))
      ORDER BY c.bytes DESC, c.id LIMIT :limit) c
     JOIN object o ON o.id = c.head_id LEFT JOIN type t ON t.id = o.type_id
     LEFT JOIN object co ON co.id = c.culprit_id LEFT JOIN type ct ON ct.id = co.type_id
ORDER BY c.bytes DESC, c.id
