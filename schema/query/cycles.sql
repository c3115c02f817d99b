-- Cyclic clusters of one shape as one row: garbage first, then the most bytes. The example is the biggest.
WITH shape AS (
    SELECT max(c.bytes) AS biggest, c.id AS cluster_id, c.head_id, c.signature, c.reachable,
           count(*) AS clusters, sum(c.objects) AS objects, sum(c.bytes) AS bytes
    FROM cluster c
    WHERE c.kind = 'cycle'
      AND (:type IS NULL OR EXISTS (SELECT 1 FROM object o JOIN type t ON t.id = o.type_id
                                    WHERE o.id = c.head_id AND t.name REGEXP :type))
    GROUP BY c.reachable, coalesce(c.signature, c.id))
SELECT CASE s.reachable WHEN 0 THEN 'garbage' ELSE 'alive' END AS state,
       s.clusters, s.objects, s.bytes, t.name AS type, o.size AS head_size, o.value,
       s.cluster_id, s.head_id, o.address, s.signature,
       CASE WHEN s.signature GLOB '* (????????)' THEN substr(s.signature, 1, length(s.signature) - 11)
            ELSE s.signature END AS shape
FROM shape s JOIN object o ON o.id = s.head_id LEFT JOIN type t ON t.id = o.type_id
ORDER BY s.reachable, s.bytes DESC, s.cluster_id
LIMIT :limit
