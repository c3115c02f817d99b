-- Every cyclic cluster, chosen as in leaks_all.sql: garbage first, then the biggest; living ones of classes and
-- modules last (cycles.sql).
SELECT CASE WHEN c.reachable THEN 'alive' WHEN c.culprit_id IS NULL THEN 'garbage'
            WHEN c.collectable = 0 THEN 'unseen' ELSE 'unclear' END AS state, c.id AS cluster_id, c.objects,
       c.bytes, t.name AS type, o.size AS head_size, o.value, c.head_id, o.address, c.signature,
       CASE WHEN c.signature GLOB '* (????????)' THEN substr(c.signature, 1, length(c.signature) - 11)
            ELSE c.signature END AS shape,
       c.collectable, c.culprit_id, ct.name AS culprit,
       c.normal
FROM (SELECT c.*, c.reachable AND c.definitions AS normal
      FROM open_cluster c
      WHERE c.kind = 'cycle' AND (:definitions IS NOT NULL OR NOT normal)
            AND (:type IS NULL OR coalesce(c.signature, c.id) IN
                 (SELECT coalesce(s.signature, s.cluster_id)
                  FROM shape s JOIN object o ON o.id = s.head_id JOIN type t ON t.id = o.type_id
                  WHERE s.kind = 'cycle' AND t.name REGEXP :type))
      ORDER BY c.reachable, normal, c.bytes DESC, c.id LIMIT :limit) c
     JOIN object o ON o.id = c.head_id LEFT JOIN type t ON t.id = o.type_id
     LEFT JOIN object co ON co.id = c.culprit_id LEFT JOIN type ct ON ct.id = co.type_id
ORDER BY c.reachable, c.normal, c.bytes DESC, c.id
