-- Cyclic clusters of one shape as one row: garbage first, then the most bytes. The example is the biggest.
-- Heads of one shape have one type.
SELECT CASE s.reachable WHEN 0 THEN 'garbage' ELSE 'alive' END AS state,
       s.clusters, s.objects, s.bytes, t.name AS type, o.size AS head_size, o.value,
       s.cluster_id, s.head_id, o.address, s.signature,
       CASE WHEN s.signature GLOB '* (????????)' THEN substr(s.signature, 1, length(s.signature) - 11)
            ELSE s.signature END AS shape
FROM shape s JOIN object o ON o.id = s.head_id LEFT JOIN type t ON t.id = o.type_id
WHERE s.kind = 'cycle' AND (:type IS NULL OR t.name REGEXP :type)
ORDER BY s.id
LIMIT :limit
