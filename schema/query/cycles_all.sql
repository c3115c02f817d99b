-- Every cyclic cluster: garbage first, then the biggest; living ones of classes and modules last (cycles.sql).
SELECT CASE WHEN c.reachable THEN 'alive' WHEN c.culprit_id IS NULL THEN 'garbage'
            WHEN c.collectable = 0 THEN 'unseen' ELSE 'unclear' END AS state, c.id AS cluster_id, c.objects,
       c.bytes, t.name AS type, o.size AS head_size, o.value, c.head_id, o.address, c.signature,
       CASE WHEN c.signature GLOB '* (????????)' THEN substr(c.signature, 1, length(c.signature) - 11)
            ELSE c.signature END AS shape,
       c.collectable, c.culprit_id, ct.name AS culprit,
       c.reachable AND (SELECT coalesce(definitions, 0) FROM cluster x WHERE x.id = c.id) AS normal
FROM (SELECT NULL AS definitions) older CROSS JOIN open_cluster c JOIN object o ON o.id = c.head_id LEFT JOIN type t ON t.id = o.type_id
     LEFT JOIN object co ON co.id = c.culprit_id LEFT JOIN type ct ON ct.id = co.type_id
WHERE c.kind = 'cycle' AND (:type IS NULL OR t.name REGEXP :type) AND (:definitions IS NOT NULL OR NOT normal)
ORDER BY c.reachable, normal, c.bytes DESC, c.id
LIMIT :limit
