-- Cyclic clusters of one shape as one row: garbage first, then the most bytes. The example is the biggest.
-- Heads of one shape have one type. unseen: garbage that Python's collector never frees, as it is not shown
-- the references of `culprit`; unclear: whether it is cannot be known. Living ones of classes and modules come last, and
-- only where they are asked for (:definitions).
SELECT CASE WHEN s.reachable THEN 'alive' WHEN c.culprit_id IS NULL THEN 'garbage'
            WHEN c.collectable = 0 THEN 'unseen' ELSE 'unclear' END AS state,
       s.clusters, s.objects, s.bytes, t.name AS type, o.size AS head_size, o.value,
       s.cluster_id, s.head_id, o.address, s.signature,
       CASE WHEN s.signature GLOB '* (????????)' THEN substr(s.signature, 1, length(s.signature) - 11)
            ELSE s.signature END AS shape,
       c.collectable, c.culprit_id, ct.name AS culprit,
       s.reachable AND s.definitions AS normal
FROM open_shape s JOIN cluster c ON c.id = s.cluster_id JOIN object o ON o.id = s.head_id
     LEFT JOIN type t ON t.id = o.type_id
     LEFT JOIN object co ON co.id = c.culprit_id LEFT JOIN type ct ON ct.id = co.type_id
WHERE s.kind = 'cycle' AND (:type IS NULL OR t.name REGEXP :type) AND (:definitions IS NOT NULL OR NOT normal)
ORDER BY normal, s.id
LIMIT :limit
